"""Headers of requests and answers, by what an operation is (pure).

To describe one more: an answer's in HEADERS, and who has it in `of_success`; a request's in
`of_request`.
"""

from collections.abc import Iterator, Sequence

from rewards_service.openapi.operations import Json, Operation
from rewards_service.openapi.refusals import REHEARSED

REQUEST_ID, NEXT_PAGE, RETRY_AFTER, CHALLENGE = "RequestId", "NextPage", "RetryAfter", "Challenge"
TAG, PLACE, REPLAYED = "Tag", "Place", "Replayed"
ALWAYS = (REQUEST_ID, "Limit", "LimitPolicy")

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
    "Limit": (
        "RateLimit",
        {
            "description": "What is left of the limit: `r` requests for the next `t` seconds; "
            "absent where nothing is limited.",
            "schema": {"type": "string", "pattern": '^"[a-z]+";r=[0-9]+;t=[0-9]+$'},
        },
    ),
    "LimitPolicy": (
        "RateLimit-Policy",
        {
            "description": "The limit: `q` requests in `w` seconds.",
            "schema": {"type": "string", "pattern": '^"[a-z]+";q=[0-9]+;w=[0-9]+$'},
        },
    ),
    TAG: (
        "ETag",
        {
            "description": "The state of what is shown: for `If-Match` and `If-None-Match`.",
            "schema": {"type": "string", "pattern": '^"[^"]+"$'},
        },
    ),
    PLACE: (
        "Location",
        {
            "description": "Where to get what was made.",
            "schema": {"type": "string", "format": "uri-reference"},
        },
    ),
    REPLAYED: (
        "Idempotent-Replayed",
        {
            "description": "`true` when this is the answer of an earlier request with the same "
            "`Idempotency-Key`: nothing was done again.",
            "schema": {"type": "string", "enum": ["true"]},
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
    "TableName": (
        "Content-Disposition",
        {"description": "What to name it, of CSV and XLSX.", "schema": {"type": "string"}},
    ),
    "FileDigest": (
        "X-Content-SHA256",
        {
            "description": "The SHA-256 of the file.",
            "schema": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
        },
    ),
}

_MATCH: Json = {
    "in": "header",
    "name": "If-Match",
    "schema": {"type": "string", "minLength": 1},
    "example": "*",
}
_IF_MATCH = {
    **_MATCH,
    "required": True,
    "description": "The `ETag` of the state that the change is meant for: when somebody else came "
    "first, 412, and nothing is changed. `*` takes the thing as it is.",
}
_IF_MATCH_TO_DELETE = {
    **_MATCH,
    "description": "The `ETag` of the state that is meant: 412 when it is another by now.",
}
_IF_NONE_MATCH = {
    "in": "header",
    "name": "If-None-Match",
    "description": "The `ETag` of what you have: 304 while it is still so.",
    "schema": {"type": "string"},
}
_IDEMPOTENCY_KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "description": "Makes it safe to send this again when the answer was lost: the same key with "
    "the same request is done once, and answered the same for 24 hours. Printable ASCII.",
    "schema": {
        "type": "string",
        "minLength": 1,
        "maxLength": 255,
        "pattern": "^[!-~]([ -~]*[!-~])?$",
    },
}


def of_success(operation: Operation, is_file: bool, is_list: bool) -> Iterator[str]:
    """The headers of an answer when it goes well, beside those of all answers."""
    status, answer = operation.success()
    content = answer.get("content", {})
    shows = "application/json" in content
    if is_file:
        yield from ("FileName", "FileDigest")
    elif operation.method == "get" and len(content) > 1:
        yield "TableName"
    if is_list:
        yield NEXT_PAGE
    makes = status == "201" and operation.name not in REHEARSED  # that makes several at once
    if shows and (operation.method in ("get", "patch") or makes):
        yield TAG
    if operation.method == "post":
        yield REPLAYED
    if makes or operation.name == "create_export":
        yield PLACE


def of_request(operation: Operation, has_change: bool) -> Iterator[Json]:
    """The headers that a request takes; has_change: its address knows PATCH."""
    if operation.method == "patch":
        yield _IF_MATCH
    elif operation.method == "delete" and has_change:
        yield _IF_MATCH_TO_DELETE
    elif operation.method == "post":
        yield _IDEMPOTENCY_KEY
    elif operation.shows_json:
        yield _IF_NONE_MATCH


def references(names: Sequence[str]) -> Json:
    return {HEADERS[name][0]: {"$ref": f"#/components/headers/{name}"} for name in names}
