"""What Chargebee's description of its API says of bodies: openapi.json as validators."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema.protocols import Validator
from openapi_schema_validator import OAS31Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

SPEC = Path(__file__).parents[1] / "payloads" / "chargebee" / "openapi.json"
_NAME = "urn:chargebee"
# Answered by the simulator, but left out of the description.
UNDESCRIBED = re.compile(
    r"^/(plans|addons|gifts)|/(collect_payment|apply_payments|apply_credits|update_billing_info"
    r"|delete_relationship|cancel)$|^/customers/[^/]+/(subscriptions|credit_notes)$"
    r"|^/subscriptions/[^/]+$|^/credit_notes/[^/]+/(record_)?refund$"
)


@cache
def spec() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(SPEC.read_bytes())
    return found


@cache
def _registry() -> Registry[Any]:
    resource: Resource[Any] = DRAFT202012.create_resource(spec())
    registry: Registry[Any] = Registry().with_resource(_NAME, resource)
    return registry


@cache
def _validator(pointer: str) -> Validator:
    return OAS31Validator({"$ref": f"{_NAME}#{pointer}"}, registry=_registry())


def _wrong(pointer: str, value: Any) -> list[str]:
    return [
        f"{error.json_path}: {error.message}" for error in _validator(pointer).iter_errors(value)
    ]


def wrong_object(name: str, value: Any) -> list[str]:
    """What does not fit the schema of that name; nothing when all does."""
    return _wrong(f"/components/schemas/{name}", value)


def wrong_webhook(event: dict[str, Any]) -> list[str]:
    """What does not fit the envelope and the content of the event's type."""
    event_type = event["event_type"]
    content = wrong_object(f"EventContent_{event_type}", event["content"])
    return [*wrong_object("EventEnvelope", event), *content]


def wrong_answer(method: str, path: str, status: int, body: Any) -> list[str]:
    """What does not fit the description of this answer; `path` as it was called."""
    if status >= 400:
        return wrong_object(f"Error{status}", body)
    template = _template(method, path)
    if template is None:
        return [] if UNDESCRIBED.search(path) else [f"{method} {path} is not described"]
    escaped = template.replace("~", "~0").replace("/", "~1")
    place = f"/paths/{escaped}/{method.lower()}/responses/200/content/application~1json/schema"
    return _wrong(place, body)


@cache
def _templates() -> list[tuple[str, re.Pattern[str], frozenset[str]]]:
    by_length = sorted(spec()["paths"].items(), key=lambda item: item[0].count("{"))
    return [
        (path, re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), frozenset(methods))
        for path, methods in by_length
    ]


def _template(method: str, path: str) -> str | None:
    for template, pattern, methods in _templates():
        if method.lower() in methods and pattern.fullmatch(path):
            return template
    return None
