"""Headers and error answers of every operation, by what it takes and does (pure).

To describe one more: a header in HEADERS, an error in ERRORS, and who has it in `_headers_of` or
`_statuses`.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rewards_service.openapi.operations import Json, Operation, each
from rewards_service.openapi.refusals import ASKS_CHARGEBEE, CONFLICTS, LOOKS_UP, REHEARSED

PROBLEM_JSON = "application/problem+json"
ANY_KEY = "any"
REQUEST_ID, NEXT_PAGE, RETRY_AFTER, CHALLENGE = "RequestId", "NextPage", "RetryAfter", "Challenge"
_FILE = ("FileName", "FileDigest")

# name in the document -> (name in the answer, its definition)
HEADERS: dict[str, tuple[str, Json]] = {
    REQUEST_ID: (
        "X-Request-ID",
        {
            "description": "The id of this request, on every line of the log about it: yours, "
            "when you sent one.",
            "required": True,
            "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"},
        },
    ),
    NEXT_PAGE: (
        "Link",
        {
            "description": 'The next page, `<...>; rel="next"`; absent on the last one.',
            "schema": {"type": "string"},
        },
    ),
    RETRY_AFTER: (
        "Retry-After",
        {
            "description": "Seconds to wait before the next try.",
            "schema": {"type": "integer", "minimum": 0},
        },
    ),
    CHALLENGE: (
        "WWW-Authenticate",
        {"description": "How to authenticate.", "required": True, "schema": {"type": "string"}},
    ),
    "FileName": (
        "Content-Disposition",
        {"description": "What to name the file.", "required": True, "schema": {"type": "string"}},
    ),
    "FileDigest": (
        "X-Content-SHA256",
        {
            "description": "The SHA-256 of the file.",
            "schema": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
        },
    ),
}


class Error(NamedTuple):
    """An error answer: why it comes, what `code` can be, its headers beside X-Request-ID."""

    why: str
    codes: Sequence[str]
    headers: Sequence[str] = ()


ERRORS: dict[int, Error] = {
    400: Error("The body is not strict JSON.", ["bad_request"]),
    401: Error("No key, or an unknown, expired or revoked one.", ["unauthorized"], [CHALLENGE]),
    403: Error(
        "The key lacks the scope of this operation, or a right beyond it.",
        ["missing_scope", "write_off_needs_admin", "forbidden"],
    ),
    404: Error("There is nothing with this id, or the id is of another kind.", ["not_found"]),
    409: Error("It collides with what is already there.", ["conflict"]),
    413: Error("The body is over 1 MiB.", ["too_large"]),
    415: Error("The body is not declared as JSON.", ["not_json"]),
    422: Error(
        "A member or parameter is missing, unknown, or not acceptable; `errors` names each.",
        [
            "unprocessable", "transaction_requires_conversion", "verification_requires",
            "unknown_scope", "mixed_payouts", "too_much_to_preview", "too_much_history",
        ],
    ),
    500: Error(
        "A defect of the service; nothing was changed.",
        ["internal_error", "secret_unreadable", "ledger_unbalanced"],
    ),
    502: Error("Chargebee refused, or cannot be reached; `code` says which.", []),
    503: Error(
        "The database, or Chargebee, is busy or away; nothing was changed.", [], [RETRY_AFTER]
    ),
    504: Error("Chargebee did not answer in time.", ["upstream_timeout"]),
}  # fmt: skip


def describe(document: Json) -> None:
    """Give every answer its headers, and every operation the errors it can answer with."""
    components = document["components"]
    components["headers"] = {key: definition for key, (_, definition) in HEADERS.items()}
    components["responses"] = {str(status): _answer(status) for status in ERRORS}
    for operation in each(document):
        status, answer = operation.success()
        files = operation.spec.pop("x-files", None)
        if files:
            answer["content"] = {kind: {"schema": _BYTES} for kind in files}
        answer["headers"] = _headers([REQUEST_ID, *_headers_of(operation, bool(files))])
        operation.spec["responses"] = {
            status: answer,
            **_rehearsed(operation.name, answer),
            **{str(code): _error(code, operation) for code in _statuses(operation)},
        }


def _rehearsed(name: str, answer: Json) -> Json:
    if name not in REHEARSED:
        return {}
    return {REHEARSED[name]: {**answer, "description": "What a dry run would have made."}}


_BYTES = {"type": "string", "format": "binary"}


def _headers_of(operation: Operation, is_file: bool) -> Iterator[str]:
    """The headers of the answer when it goes well."""
    if is_file:
        yield from _FILE
    if is_list(operation):
        yield NEXT_PAGE


def _statuses(operation: Operation) -> Iterator[int]:
    name, takes_body = operation.name, "requestBody" in operation.spec
    applies = {
        400: takes_body,
        401: True,
        403: operation.scope != ANY_KEY,
        404: bool(operation.path_names) or name in LOOKS_UP,
        409: operation.is_write or name in CONFLICTS,
        413: takes_body,
        415: takes_body,
        422: True,
        500: True,
        502: name in ASKS_CHARGEBEE,
        503: True,
        504: name in ASKS_CHARGEBEE,
    }
    yield from (status for status, does in applies.items() if does)


def is_list(operation: Operation) -> bool:
    """Whether it answers in pages."""
    parameters = operation.spec.get("parameters", ())
    return any(parameter.get("name") == "cursor" for parameter in parameters)


def _error(status: int, operation: Operation) -> Json:
    own = CONFLICTS.get(operation.name) if status == 409 else None
    if own is None:
        return {"$ref": f"#/components/responses/{status}"}
    codes = sorted({*own, *(ERRORS[409].codes if operation.is_write else ())})
    return _answer(status, codes)


def _answer(status: int, codes: Sequence[str] | None = None) -> Json:
    error = ERRORS[status]
    codes = error.codes if codes is None else codes
    told = f" `code`: {', '.join(f'`{code}`' for code in codes)}." if codes else ""
    schema: Json = {"$ref": "#/components/schemas/Problem"}
    if codes:
        schema["properties"] = {"status": {"const": status}, "code": {"enum": list(codes)}}
    return {
        "description": error.why + told,
        "headers": _headers([REQUEST_ID, *error.headers]),
        "content": {
            PROBLEM_JSON: {"schema": schema, "example": _example(status, error, codes)},
        },
    }


def _example(status: int, error: Error, codes: Sequence[str]) -> Json:
    code = codes[0] if codes else "unavailable" if status == 503 else "upstream_failed"
    problem: Json = {
        "type": f"urn:rewards-service:problem:{code}",
        "title": error.why,
        "status": status,
        "detail": error.why,
        "code": code,
        "request_id": "0b6f4d0c1f3b4a6d8f8f0a4f7a3c9f11",
    }
    if status == 422:
        problem["errors"] = [{"pointer": "/email", "detail": "Missing data for required field."}]
    return problem


def _headers(names: Sequence[str]) -> Json:
    return {HEADERS[name][0]: {"$ref": f"#/components/headers/{name}"} for name in names}
