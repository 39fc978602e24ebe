"""Examples of every body and answer, put together member by member (pure)."""

from typing import Any

from rewards_service.kit import ids
from rewards_service.openapi.answers import is_list
from rewards_service.openapi.example_values import BY_NAME, LEFT_OUT, TOGETHER, WHOLE
from rewards_service.openapi.operations import ID, Json, each, named

_FORMATS = {"date-time": "2026-03-14T09:26:53Z", "date": "2026-03-31"}


def add(document: Json) -> None:
    """Give members, parameters, bodies and answers an example each."""
    schemas: Json = document["components"]["schemas"]
    _as_lists(schemas)
    for operation in each(document):
        for parameter in [*operation.shared, *operation.spec.get("parameters", ())]:
            parameter["schema"].pop("examples", None)
            if parameter.get("required"):  # the page fills in others, too, and would filter by them
                parameter["example"] = compose(parameter["schema"], schemas, parameter["name"])
        _, answer = operation.success()
        for part in (operation.spec.get("requestBody"), answer):
            content = (part or {}).get("content", {}).get("application/json")
            if content:
                content["example"] = compose(content["schema"], schemas)
                if is_list(operation) and part is answer:
                    content["example"]["next_cursor"] = None


def compose(schema: Json, schemas: Json, name: str = "") -> Any:
    """A value that the schema allows; `name` is that of the member."""
    if "$ref" in schema:
        component = named(schema["$ref"])
        if component in WHOLE:
            return WHOLE[component]
        if "enum" in schemas[component]:
            value = BY_NAME.get(name)
            return value if value in schemas[component]["enum"] else BY_NAME[component]
        return _of_members(component, schemas[component], schemas, name)
    if name in BY_NAME and _allows(schema, BY_NAME[name]):
        return BY_NAME[name]
    if "examples" in schema:
        return schema["examples"][0]
    if "anyOf" in schema:
        return compose(schema["anyOf"][0], schemas, name)
    return _by_kind(schema, schemas, name)


def _of_members(component: str, schema: Json, schemas: Json, name: str) -> Any:
    if "properties" not in schema:
        return compose(schema, schemas, name)
    left_out, known = LEFT_OUT.get(component, ()), TOGETHER.get(component, {})
    return {
        member: known[member] if member in known else compose(below, schemas, member)
        for member, below in schema["properties"].items()
        if member not in left_out
    }


def _by_kind(schema: Json, schemas: Json, name: str) -> Any:
    if schema.get("enum"):
        return schema["enum"][0]
    kinds = schema.get("type", "object")
    kind = kinds if isinstance(kinds, str) else kinds[0]
    if kind == "array":
        return [compose(schema["items"], schemas, _singular(name))]
    if kind == "object":
        return _table(schema, schemas)
    if kind == "string":
        return _text(schema, name)
    return {"integer": max(1, schema.get("minimum", 1)), "number": 1, "boolean": True}[kind]


def _table(schema: Json, schemas: Json) -> Json:
    values = schema.get("additionalProperties")
    if "propertyNames" in schema:
        key = compose(schema["propertyNames"], schemas, "key")
        return {str(key): compose(values or {"type": "string"}, schemas, "amount_minor")}
    return {}


def _text(schema: Json, name: str) -> str:
    id_of = ID.match(schema.get("pattern", ""))
    if id_of:
        return ids.encode(id_of[1], 1)
    if "format" in schema:
        return _FORMATS.get(schema["format"], "text")
    return "reason" if name == "key" else name.replace("_", " ").strip().capitalize() or "Text"


def _allows(schema: Json, value: Any) -> bool:
    """Whether a value known by the member's name is one of its kind."""
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    named_kind = {str: "string", int: "integer", bool: "boolean", list: "array", dict: "object"}
    kind = "null" if value is None else named_kind[type(value)]
    return kind in kinds and ("enum" not in schema or value in schema["enum"])


def _singular(name: str) -> str:
    return name[:-1] if name.endswith("s") else name


def _as_lists(part: Any) -> None:
    """`example` of a schema as `examples`, its name since JSON Schema 2020-12."""
    if isinstance(part, list):
        for below in part:
            _as_lists(below)
    elif isinstance(part, dict):
        if "example" in part and "type" in part:
            part["examples"] = [part.pop("example")]
        for below in part.values():
            _as_lists(below)
