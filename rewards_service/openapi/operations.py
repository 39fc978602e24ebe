"""The operations of a document, as the steps that complete it see them (pure)."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

Json = dict[str, Any]
PREFIX = "/api/v1"
ID = re.compile(r"\^([a-z]{3})_")  # how the pattern of an id begins
METHODS = ("get", "put", "post", "patch", "delete")
# What a path parameter names: the prefix of its ids. A parameter that is no id is not here.
PREFIXES = {
    "conflict_id": "cfl", "customer_id": "cus", "deal_id": "dea", "entry_id": "aud",
    "delivery_id": "whd", "endpoint_id": "whe", "event_id": "evt", "export_id": "exp",
    "integration_id": "int", "key_id": "key", "lead_id": "led",
    "level_id": "lvl", "partner_id": "par", "payout_id": "pay", "program_id": "prg",
    "rate_id": "fxr", "reconciliation_id": "rec", "reward_id": "rew", "rule_id": "rul",
    "schedule_id": "sch", "transaction_id": "txn",
}  # fmt: skip


class Operation(NamedTuple):
    """One operation: `spec` is its part of the document, `shared` the parameters of its path."""

    method: str
    path: str
    spec: Json
    shared: list[Json]

    @property
    def name(self) -> str:
        return str(self.spec["operationId"])

    @property
    def scope(self) -> str:
        return str(self.spec["x-scope"])

    @property
    def is_write(self) -> bool:
        return self.method != "get"

    @property
    def shows_json(self) -> bool:
        """Whether it answers JSON, as all do that show a thing or a list."""
        return schema_of(self.success()[1]) is not None

    @property
    def path_names(self) -> list[str]:
        """The parameters of the path, in their order."""
        return [part[1:-1] for part in self.path.split("/") if part.startswith("{")]

    def body(self) -> Json | None:
        """The schema of the request body."""
        given = self.spec.get("requestBody")
        return schema_of(given) if given else None

    def success(self) -> tuple[str, Json]:
        """(status, answer) when it goes well."""
        return next((s, a) for s, a in self.spec["responses"].items() if s.startswith("2"))


def each(document: Json) -> Iterator[Operation]:
    """Every operation, in the order of the document."""
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield Operation(method, path, item[method], item.get("parameters", []))


def schema_of(part: Json) -> Json | None:
    """The JSON schema of a body or an answer; None when it has none, as files and nothing have."""
    found: Json | None = part.get("content", {}).get("application/json", {}).get("schema")
    return found


def named(reference: str) -> str:
    """The name of the component that a reference leads to."""
    return reference.rpartition("/")[2]


def resolved(schema: Json, components: Json) -> Json:
    """A schema, or the component that it refers to."""
    while "$ref" in schema:
        schema = components[named(schema["$ref"])]
    return schema
