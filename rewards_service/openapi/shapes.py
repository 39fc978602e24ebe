"""Two shapes of each schema: what is sent, strictly, and what is answered, completely (pure).

Schemas are written once for both; a reader of the description, and a generated client, is better
served with one of each: no members that may not be sent, none missing from what was answered.
"""

from typing import Any

from rewards_service.kit.fields import SOMETIMES as METADATA
from rewards_service.openapi.operations import ID, Json, Operation, each, named, schema_of

(SOMETIMES,) = METADATA  # a member that not every answer has
_REFERENCE = "#/components/schemas/"


def split(document: Json) -> None:
    """Give requests and answers components of their own; those of both get `...Input` beside."""
    schemas: Json = document["components"]["schemas"]
    sent: dict[str, None] = {}
    answered: dict[str, None] = {}
    for operation in each(document):
        _reach(operation.body(), schemas, "readOnly", sent)
        for answer in operation.spec["responses"].values():
            _reach(schema_of(answer), schemas, "writeOnly", answered)
    kept = {name: shape for name, shape in schemas.items() if "enum" in shape or name == "Problem"}
    kept |= {name: schemas[name] for name in references(kept)}
    names = {
        name: f"{name}Input" if name in answered else name for name in sent if name not in kept
    }
    inputs = {name: _as_input(schemas[old], names) for old, name in names.items()}
    answers = {name: _as_answer(schemas[name]) for name in answered if name not in kept}
    document["components"]["schemas"] = {**kept, **answers, **inputs}
    for operation in each(document):
        _point(operation, names)


def references(part: Any) -> list[str]:
    """The names of all components that a part of a document refers to directly."""
    if isinstance(part, dict):
        own = [named(part["$ref"])] if isinstance(part.get("$ref"), str) else []
        return own + [name for below in part.values() for name in references(below)]
    if isinstance(part, list):
        return [name for below in part for name in references(below)]
    return []


def _reach(part: Any, schemas: Json, hidden: str, found: dict[str, None]) -> None:
    for name in references(part):
        if name not in found:
            found[name] = None
            shape = schemas[name]
            members = shape.get("properties", {}).values()
            shown = [member for member in members if not member.get(hidden)]
            _reach([shown, _without(shape, "properties")], schemas, hidden, found)


def _point(operation: Operation, names: dict[str, str]) -> None:
    body = operation.spec.get("requestBody")
    if body:
        operation.spec["requestBody"] = _renamed(body, names)


def _renamed(part: Any, names: dict[str, str]) -> Any:
    if isinstance(part, dict):
        return {
            key: _REFERENCE + names.get(named(below), named(below))
            if key == "$ref" and isinstance(below, str)
            else _renamed(below, names)
            for key, below in part.items()
        }
    if isinstance(part, list):
        return [_renamed(below, names) for below in part]
    return part


def _as_input(schema: Json, names: dict[str, str]) -> Json:
    shape: Json = _renamed(schema, names)
    if "properties" not in shape:
        return shape
    members = {
        name: _without(member, "writeOnly", SOMETIMES)
        for name, member in shape["properties"].items()
        if not member.get("readOnly")
    }
    required = [name for name in shape.get("required", ()) if name in members]
    shape = {**shape, "properties": members, "additionalProperties": False, "required": required}
    return shape if required else _without(shape, "required")


def _as_answer(schema: Json) -> Json:
    if "properties" not in schema:
        return schema
    members = {
        name: member for name, member in schema["properties"].items() if not member.get("writeOnly")
    }
    required = [name for name, member in members.items() if not member.get(SOMETIMES)]
    plain = {name: _promised(member) for name, member in members.items()}
    shape = {**_without(schema, "additionalProperties"), "properties": plain, "required": required}
    return shape if required else _without(shape, "required")


def _promised(member: Json) -> Json:
    """What holds for an answer: texts may come from Chargebee, in other lengths and letters."""
    hidden = ["readOnly", "default", "minLength", "maxLength", "minProperties", SOMETIMES]
    hidden.append("minItems")  # a key of a partner is not told whom a rule names
    if not ID.match(member.get("pattern", "")):
        hidden.append("pattern")
    return _without(member, *hidden)


def _without(schema: Json, *names: str) -> Json:
    return {name: value for name, value in schema.items() if name not in names}
