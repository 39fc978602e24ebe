"""Links between operations: what an answer names, and who takes it (pure)."""

from collections.abc import Iterator
from typing import NamedTuple

from rewards_service.openapi.operations import (
    ID,
    PREFIXES,
    Json,
    Operation,
    each,
    resolved,
    schema_of,
)
from rewards_service.openapi.refusals import COMES_LATER


class _Taker(NamedTuple):
    """An operation, and its parameter that takes an id."""

    operation: Operation
    parameter: str
    in_query: bool

    def link(self, pointer: str) -> Json:
        place = f"query.{self.parameter}" if self.in_query else self.parameter
        return {
            "operationId": self.operation.name,
            "parameters": {place: f"$response.body#{pointer}"},
        }

    @property
    def shows_one(self) -> bool:
        return self.operation.method == "get" and self.operation.path.endswith("}")


def connect(document: Json) -> None:
    """Link every answer that shows one thing, or a list of them, to all that takes its id.

    That is what can be done with it, the lists that can be narrowed to it, and the things it names.
    """
    schemas: Json = document["components"]["schemas"]
    takers: dict[str, list[_Taker]] = {}
    for operation in each(document):
        for prefix, taker in _taken(operation):
            takers.setdefault(prefix, []).append(taker)
    for operation in each(document):
        answer = operation.success()[1]
        members, place = _shown(answer, schemas)
        own = _prefix(members.get("id", {}))
        if own is None or operation.method == "delete":
            continue
        found: Json = {}
        for name, member in members.items():
            for taker in takers.get(_prefix(member) or "", ()):
                if (name == "id" or taker.shows_one) and _follows(taker.operation, operation):
                    found.setdefault(taker.operation.name, taker.link(f"{place}/{name}"))
        answer["links"] = found


def _taken(operation: Operation) -> Iterator[tuple[str, _Taker]]:
    """(prefix, who takes such an id): the one in the path, or those that narrow a list."""
    if len(operation.path_names) == 1:
        name = operation.path_names[0]
        yield PREFIXES.get(name, ""), _Taker(operation, name, in_query=False)
    elif operation.method == "get" and not operation.path_names:
        for parameter in operation.spec.get("parameters", ()):
            prefix = _prefix(parameter["schema"])
            if prefix is not None:
                yield prefix, _Taker(operation, parameter["name"], in_query=True)


def _follows(taker: Operation, maker: Operation) -> bool:
    """Whether what an answer shows can be taken at once."""
    made = maker.method == "post" and taker.name in COMES_LATER
    return taker.name != maker.name and not made


def _shown(answer: Json, schemas: Json) -> tuple[Json, str]:
    """(members, where they stand) of the thing that an answer shows, in a list the first one."""
    schema = schema_of(answer)
    members: Json = resolved(schema, schemas).get("properties", {}) if schema is not None else {}
    items = members.get("data", {}).get("items")
    if "id" in members or items is None:
        return members, ""
    return resolved(items, schemas).get("properties", {}), "/data/0"


def _prefix(member: Json) -> str | None:
    """The prefix of the ids that stand there, if any do."""
    found = ID.match(member.get("pattern", ""))
    return found[1] if found else None
