"""Whether an answer is what the committed description says."""

import json
import re
from functools import cache
from typing import Any

import jsonschema_rs
from werkzeug.test import TestResponse

from rewards_service.openapi.shapes import references
from tools.openapi import CURRENT

Json = dict[str, Any]


@cache
def document() -> Json:
    found: Json = json.loads(CURRENT.read_text())
    return found


@cache
def templates() -> list[tuple[re.Pattern[str], str]]:
    """(pattern, path) of every path; those without parameters first, as a router has them."""
    paths = sorted(document()["paths"], key=lambda path: path.count("{"))
    return [(re.compile(re.sub(r"{[^}]+}", "[^/]+", path)), path) for path in paths]


@cache
def validator(method: str, path: str, status: int) -> "tuple[Json, dict[str, Any]] | None":
    """(the answer, a validator for each media type); None when it is not described."""
    operation = document()["paths"][path].get(method)
    if operation is None:
        return None
    answer = operation["responses"].get(str(status))
    if answer is None:
        return None
    if "$ref" in answer:
        answer = document()["components"]["responses"][str(status)]
    return answer, {
        kind: compiled(content["schema"]) for kind, content in answer.get("content", {}).items()
    }


def compiled(schema: Json) -> Any:
    """A validator of a schema of the document."""
    components = document()["components"]["schemas"]
    used: dict[str, Json] = {}
    wanted = references(schema)
    while wanted:
        name = wanted.pop()
        if name not in used:
            used[name] = components[name]
            wanted += references(used[name])
    whole = {**schema, "components": {"schemas": used}}
    return jsonschema_rs.Draft202012Validator(whole, validate_formats=True)


def check(answer: TestResponse) -> None:
    """Fail when an answer of a described operation is not as described."""
    request = answer.request
    path = next((known for pattern, known in templates() if pattern.fullmatch(request.path)), None)
    method = request.method.lower()
    if path is None or method not in document()["paths"][path]:
        return
    place = f"{request.method} {path} {answer.status_code}"
    found = validator(method, path, answer.status_code)
    assert found is not None, f"{place} is not described: {answer.text[:300]}"
    described, kinds = found
    missing = [
        name for name in described.get("headers", {}) if _is_missing(name, described, answer)
    ]
    assert missing == [], f"{place} lacks {missing}"
    if not kinds:
        assert answer.data == b"", f"{place} has a body"
        return
    assert answer.mimetype in kinds, f"{place} is {answer.mimetype}"
    if answer.mimetype.endswith("json") and "Content-Encoding" not in answer.headers:
        errors = kinds[answer.mimetype].iter_errors(answer.get_json())
        told = [f"{list(error.instance_path)}: {error.message[:300]}" for error in errors]
        assert told == [], f"{place}: {told}"


def told_types() -> list[str]:
    """The types of the events that the description names."""
    return list(document()["webhooks"])


def check_told(event: Json) -> None:
    """Fail when an event that is sent to a webhook endpoint is not as described."""
    post = document()["webhooks"][event["type"]]["post"]
    schema = post["requestBody"]["content"]["application/json"]["schema"]
    told = [error.message for error in compiled(schema).iter_errors(event)]
    assert told == [], f"{event}: {told}"
    unknown = event["data"].keys() - schema["properties"]["data"]["properties"].keys()
    assert not unknown, f"{event} names {unknown}"


def _is_missing(name: str, described: Json, answer: TestResponse) -> bool:
    key = described["headers"][name]["$ref"].rpartition("/")[2]
    required = document()["components"]["headers"][key].get("required", False)
    return required and name not in answer.headers
