"""What of a new description of the interface breaks callers that were written for an old one.

Pure: documents in, sentences out. Each begins with the operation, as a changelog would name it.
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

Json = dict[str, Any]
METHODS = ("get", "put", "post", "patch", "delete")
SENT, ANSWERED = "sent", "answered"
# Bounds of what is sent: raising the one or lowering the other refuses what was accepted.
_LEAST = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_MOST = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_NONE = float("-inf")
_FIXED = ("pattern", "format", "const", "uniqueItems")


class Change(NamedTuple):
    """Something that breaks: where, and what."""

    operation: str
    what: str


def breaking(old: Json, new: Json) -> list[Change]:
    """Every breaking change from one document to another, in the order of the old one."""
    found = []
    for path, item in old["paths"].items():
        for method in METHODS:
            if method in item:
                name = f"{method.upper()} {path}"
                told = _operation(_Pair(old, new), path, method)
                found += [Change(name, what) for what in told]
    return found


def unannounced(changes: list[Change], changelog: str) -> list[Change]:
    """Those whose operation no section "Breaking" of the unreleased part of the changelog names."""
    unreleased = re.split(r"^## ", changelog, flags=re.MULTILINE)[1]
    sections = re.findall(r"^### Breaking\n(.*?)(?=^### |\Z)", unreleased, re.M | re.S)
    return [change for change in changes if f"`{change.operation}`" not in "".join(sections)]


class _Pair(NamedTuple):
    """The two documents, to look up what is referred to."""

    old: Json
    new: Json


def _operation(pair: _Pair, path: str, method: str) -> Iterator[str]:
    before = pair.old["paths"][path][method]
    after = pair.new["paths"].get(path, {}).get(method)
    if after is None:
        yield "is gone"
        return
    for name, word in (("operationId", "name"), ("x-scope", "scope")):
        if before.get(name) != after.get(name):
            yield f"has another {word}: {before.get(name)} is {after.get(name)} now"
    yield from _parameters(pair, _parameters_of(pair.old, path, method),
                           _parameters_of(pair.new, path, method))  # fmt: skip
    yield from _bodies(pair, before.get("requestBody"), after.get("requestBody"))
    yield from _answers(pair, before["responses"], after["responses"])


def _parameters_of(document: Json, path: str, method: str) -> dict[tuple[str, str], Json]:
    item = document["paths"][path]
    given = [*item.get("parameters", ()), *item[method].get("parameters", ())]
    return {(one["in"], one["name"]): one for one in (_resolved(document, part) for part in given)}


def _parameters(pair: _Pair, before: dict[Any, Json], after: dict[Any, Json]) -> Iterator[str]:
    for key, old in before.items():
        if key not in after:
            yield f"lacks the parameter {key[1]}"
        else:
            yield from _schemas(pair, old["schema"], after[key]["schema"], key[1], SENT)
    for key, new in after.items():
        if new.get("required") and not before.get(key, {}).get("required"):
            yield f"needs the parameter {key[1]}"


def _bodies(pair: _Pair, before: Json | None, after: Json | None) -> Iterator[str]:
    if before is None or after is None:
        if before is not after:
            yield "takes a body now" if before is None else "takes no body any more"
        return
    if after.get("required") and not before.get("required"):
        yield "needs a body"
    for kind, old in before["content"].items():
        if kind not in after["content"]:
            yield f"takes no {kind}"
        else:
            yield from _schemas(
                pair, old["schema"], after["content"][kind]["schema"], "body", SENT
            )  # fmt: skip


def _answers(pair: _Pair, before: Json, after: Json) -> Iterator[str]:
    for status, part in before.items():
        if not status.startswith("2"):
            continue
        if status not in after:
            yield f"does not answer {status}"
            continue
        old, new = _resolved(pair.old, part), _resolved(pair.new, after[status])
        for name in old.get("headers", {}):
            if name not in new.get("headers", {}):
                yield f"answers without the header {name}"
        for kind, content in old.get("content", {}).items():
            if kind not in new.get("content", {}):
                yield f"does not answer with {kind}"
            else:
                yield from _schemas(
                    pair, content["schema"], new["content"][kind]["schema"], status, ANSWERED
                )  # fmt: skip


def _schemas(
    pair: _Pair, old: Json, new: Json, place: str, way: str, seen: frozenset[str] = frozenset()
) -> Iterator[str]:
    """What breaks from one schema to another; `seen` ends what refers to itself."""
    mark = f"{old.get('$ref')} {new.get('$ref')}"
    if "$ref" in old and mark in seen:
        return
    seen = seen | {mark}
    old, old_kinds = _plain(pair.old, old)
    new, new_kinds = _plain(pair.new, new)
    gone = old_kinds - new_kinds if way == SENT else new_kinds - old_kinds
    if gone and old_kinds:
        told = "takes no" if way == SENT else "may be"
        yield f"{place} {told} {', '.join(sorted(gone))}"
    yield from _values(old, new, place, way)
    yield from _members(pair, old, new, place, way, seen)
    for part, name in (("items", "[]"), ("additionalProperties", "{}")):
        if isinstance(old.get(part), dict) and isinstance(new.get(part), dict):
            yield from _schemas(pair, old[part], new[part], f"{place}{name}", way, seen)


def _values(old: Json, new: Json, place: str, way: str) -> Iterator[str]:
    lost = [value for value in old.get("enum", ()) if value not in new.get("enum", [value])]
    if lost:
        yield f"{place} is never {', '.join(map(str, lost))}"
    if way == ANSWERED:
        return
    if "enum" in new and "enum" not in old:
        yield f"{place} takes some values only"
    bounds = {
        "a higher": [name for name in _LEAST if new.get(name, _NONE) > old.get(name, _NONE)],
        "a lower": [name for name in _MOST if -new.get(name, -_NONE) > -old.get(name, -_NONE)],
        "another": [name for name in _FIXED if name in new and new[name] != old.get(name)],
    }
    yield from (f"{place} has {how} {name}" for how, names in bounds.items() for name in names)


def _members(
    pair: _Pair, old: Json, new: Json, place: str, way: str, seen: frozenset[str]
) -> Iterator[str]:
    before, after = old.get("properties", {}), new.get("properties", {})
    needed, promised = set(new.get("required", ())), set(old.get("required", ()))
    for name, schema in before.items():
        if name not in after:
            yield f"{place} lacks {name}"
        else:
            yield from _schemas(pair, schema, after[name], f"{place}.{name}", way, seen)
    if way == SENT:
        yield from (f"{place} needs {name}" for name in sorted(needed - promised))
    else:
        kept = (promised - needed) & set(after)
        yield from (f"{place} may lack {name}" for name in sorted(kept))


def _plain(document: Json, schema: Json) -> tuple[Json, set[str]]:
    """A schema without references and `or null`, and the types that a value may have."""
    schema = _resolved(document, schema)
    kinds = schema.get("type", [])
    found = {kinds} if isinstance(kinds, str) else set(kinds)
    if "anyOf" in schema:
        parts = [_plain(document, part) for part in schema["anyOf"]]
        found |= {kind for _, part in parts for kind in part}
        schema = parts[0][0]
    return schema, found | ({"integer"} if "number" in found else set())


def _resolved(document: Json, part: Json) -> Json:
    while "$ref" in part:
        place: Any = document
        for name in part["$ref"].removeprefix("#/").split("/"):
            place = place[name]
        part = place
    return part
