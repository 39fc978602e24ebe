"""Links between operations: what an answer names, and who takes it (pure)."""

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


def connect(document: Json) -> None:
    """Link every answer that shows one thing, or a list of them, to all that takes its id."""
    schemas: Json = document["components"]["schemas"]
    takers: dict[str, list[Operation]] = {}
    for operation in each(document):
        if len(operation.path_names) == 1:
            takers.setdefault(PREFIXES.get(operation.path_names[0], ""), []).append(operation)
    for operation in each(document):
        _, answer = operation.success()
        shown = _shown(answer, schemas)
        if shown is None or operation.method == "delete":
            continue
        (prefix, place), made = shown, operation.method == "post"
        answer["links"] = {
            taker.name: {
                "operationId": taker.name,
                "parameters": {taker.path_names[0]: f"$response.body#{place}"},
            }
            for taker in takers.get(prefix, ())
            if taker.name != operation.name and not (made and taker.name in COMES_LATER)
        }


def _shown(answer: Json, schemas: Json) -> tuple[str, str] | None:
    """(prefix of the ids, where the first one stands) of what an answer shows."""
    schema = schema_of(answer)
    if schema is None:
        return None
    members = resolved(schema, schemas).get("properties", {})
    if "id" in members:
        return _of(members["id"], "/id")
    items = members.get("data", {}).get("items")
    if items is None:
        return None
    return _of(resolved(items, schemas).get("properties", {}).get("id", {}), "/data/0/id")


def _of(member: Json, place: str) -> tuple[str, str] | None:
    found = ID.match(member.get("pattern", ""))
    return (found[1], place) if found else None
