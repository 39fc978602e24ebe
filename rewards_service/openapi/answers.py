"""Error answers of every operation, by what it takes and does (pure).

To describe one more: an error in ERRORS, and who has it in `_statuses`.
"""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from typing import NamedTuple

from rewards_service.openapi import headers
from rewards_service.openapi.operations import Json, Operation, each
from rewards_service.openapi.refusals import ASKS_CHARGEBEE, CONFLICTS, LOOKS_UP, REHEARSED

PROBLEM_JSON = "application/problem+json"
ANY_KEY = "any"


class Error(NamedTuple):
    """An error answer: why it comes, what `code` can be, its headers beside X-Request-ID."""

    why: str
    codes: Sequence[str]
    headers: Sequence[str] = ()


ERRORS: dict[int, Error] = {
    400: Error("The request cannot be read: not strict JSON.", ["bad_request"]),
    401: Error("No key, or an unknown, expired or revoked one.", ["unauthorized"],
               [headers.CHALLENGE]),
    403: Error(
        "The key lacks the scope of this operation, or a right beyond it.",
        ["missing_scope", "not_for_partners", "partner_declined", "write_off_needs_admin",
         "forbidden"],
    ),
    404: Error("There is nothing with this id, or the id is of another kind.", ["not_found"]),
    406: Error("`Accept` names nothing that this address answers.", ["not_acceptable"]),
    409: Error("It collides with what is already there.", ["conflict"]),
    412: Error("It has changed since it was read; nothing was done.", ["precondition_failed"]),
    413: Error("The body is over 1 MiB; CSV of an import: over 5 MiB.", ["too_large"]),
    415: Error("The body is not declared as what this operation takes.", ["not_json"]),
    422: Error(
        "A member or parameter is missing, unknown, or not acceptable; `errors` names each.",
        [
            "unprocessable", "transaction_requires_conversion", "verification_requires",
            "unknown_scope", "scope_not_for_partners", "mixed_payouts", "too_much_to_preview",
            "too_much_history", "too_many_rows", "webhook_url_refused", "import_refused",
            "idempotency_key_reused",
        ],
    ),
    428: Error("A change must send `If-Match`.", ["precondition_required"]),
    429: Error("The limit of requests is reached.", ["too_many_requests"], [headers.RETRY_AFTER]),
    500: Error(
        "A defect of the service; nothing was changed.",
        ["internal_error", "secret_unreadable", "ledger_unbalanced"],
    ),
    502: Error("Chargebee refused, or cannot be reached; `code` says which.", []),
    503: Error(
        "The database, or Chargebee, is busy or away, or enough files are being sent; nothing was "
        "changed.", [], [headers.RETRY_AFTER],
    ),
    504: Error("Chargebee did not answer in time.", ["upstream_timeout"]),
}  # fmt: skip
# What a POST can be answered beyond that, for its Idempotency-Key.
_OF_POSTS = {400: "bad_idempotency_key", 409: "idempotency_key_in_flight"}
_SAME = {"description": "Still as you have it: `If-None-Match` names this state."}


def describe(document: Json) -> None:
    """Give every answer its headers, and every operation the errors it can answer with."""
    components = document["components"]
    components["headers"] = {key: definition for key, (_, definition) in headers.HEADERS.items()}
    components["responses"] = {str(status): _answer(status, ERRORS[status].codes)
                               for status in ERRORS}  # fmt: skip
    for operation in each(document):
        status, answer = operation.success()
        files = operation.spec.pop("x-files", None)
        if files:
            answer["content"] = {kind: {"schema": _BYTES} for kind in files}
        of_success = headers.of_success(operation, bool(files), is_list(operation))
        answer["headers"] = headers.references([*headers.ALWAYS, *of_success])
        has_change = "patch" in document["paths"][operation.path]
        operation.spec["responses"] = {
            status: answer,
            **_rehearsed(operation.name, answer),
            **_unchanged(operation),
            **{str(code): _error(code, operation) for code in _statuses(operation, has_change)},
        }
        taken = [deepcopy(one) for one in headers.of_request(operation, has_change)]
        if taken:
            operation.spec["parameters"] = [*operation.spec.get("parameters", ()), *taken]


def _rehearsed(name: str, answer: Json) -> Json:
    if name not in REHEARSED:
        return {}
    return {REHEARSED[name]: {**answer, "description": "What a dry run would have made."}}


def _unchanged(operation: Operation) -> Json:
    if operation.method != "get" or not operation.shows_json:
        return {}
    return {"304": {**_SAME, "headers": headers.references([*headers.ALWAYS, headers.TAG])}}


_BYTES = {"type": "string", "format": "binary"}


def _statuses(operation: Operation, has_change: bool) -> Iterator[int]:
    name, takes_body = operation.name, "requestBody" in operation.spec
    method = operation.method
    applies = {
        400: takes_body or method == "post",
        401: True,
        403: True,
        404: bool(operation.path_names) or name in LOOKS_UP,
        406: method == "get" and operation.shows_json,
        409: operation.is_write or name in CONFLICTS,
        412: method == "patch" or (method == "delete" and has_change),
        413: takes_body,
        415: takes_body,
        422: True,
        428: method == "patch",
        429: True,
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
    codes = _codes(status, operation)
    if codes == list(ERRORS[status].codes):
        return {"$ref": f"#/components/responses/{status}"}
    return _answer(status, codes)


def _codes(status: int, operation: Operation) -> list[str]:
    codes = list(ERRORS[status].codes)
    if status == 415 and "text/csv" in operation.spec["requestBody"]["content"]:
        return ["not_csv"]
    if status == 409:
        codes = [*(codes if operation.is_write else ()), *CONFLICTS.get(operation.name, ())]
    if operation.method == "post" and status in _OF_POSTS:
        codes.append(_OF_POSTS[status])
    return codes


def _answer(status: int, codes: Sequence[str]) -> Json:
    error = ERRORS[status]
    told = f" `code`: {', '.join(f'`{code}`' for code in codes)}." if codes else ""
    schema: Json = {"$ref": "#/components/schemas/Problem"}
    if codes:
        schema["properties"] = {"status": {"const": status}, "code": {"enum": list(codes)}}
    waits = [headers.RETRY_AFTER] if _OF_POSTS[409] in codes else []
    return {
        "description": error.why + told,
        "headers": headers.references([*headers.ALWAYS, *error.headers, *waits]),
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
