"""Every error answer of the service, in one shape: RFC 9457 problem details."""

import logging
import re
from collections.abc import Iterator
from typing import Any

from flask import Flask, Response, current_app, g, json, request
from marshmallow import Schema, fields, validate
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    OperationalError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from rewards_service.kit.errors import RewardsError
from rewards_service.kit.log import bind_request_id
from rewards_service.kit.metrics import count_pool_timeout

logger = logging.getLogger(__name__)

PROBLEM_JSON = "application/problem+json"
RETRY_SECONDS = "5"
MAX_ERRORS = 100


class FieldErrorSchema(Schema):
    """What is wrong with one member of a body or one query parameter."""

    pointer = fields.String(
        required=True, metadata={"description": "JSON Pointer, such as /options/mode"}
    )
    detail = fields.String(required=True)
    line = fields.Integer(metadata={"description": "Of an uploaded file, the first is 1"})
    column = fields.String(allow_none=True, metadata={"description": "Of an uploaded file"})


class ProblemSchema(Schema):
    """An error, as RFC 9457 says; `code` is stable, texts may change."""

    type = fields.String(required=True, metadata={"format": "uri"})
    title = fields.String(required=True)
    status = fields.Integer(required=True, validate=validate.Range(400, 599))
    detail = fields.String(required=True)
    code = fields.String(required=True, metadata={"pattern": "^[a-z][a-z0-9_]*$"})
    request_id = fields.String(required=True, metadata={"description": "As X-Request-ID"})
    errors = fields.List(fields.Nested(FieldErrorSchema), metadata={"description": "With 422"})


def request_id() -> str:
    """The id of this request: the caller's when it is harmless, else a fresh one."""
    if "request_id" not in g:
        g.request_id = bind_request_id(request.headers.get("X-Request-ID"))
    return str(g.request_id)


def init_app(app: Flask) -> None:
    """Answer every error of `app` as a problem."""
    app.register_error_handler(RewardsError, answer_ours)
    app.register_error_handler(HTTPException, answer_http)
    app.register_error_handler(DBAPIError, answer_database)
    app.register_error_handler(PoolTimeout, answer_unavailable)


def answer_ours(error: RewardsError) -> Response:
    if error.status == 500:
        logger.error("Answered %s: %s", error.status, error.detail, exc_info=error)
    answer = problem(error.status, error.code, error.title, error.detail, error.errors)
    if error.retry_after is not None:
        answer.headers["Retry-After"] = str(error.retry_after)
    return answer


def answer_http(error: HTTPException) -> Response:
    """Errors of Flask and webargs; `data` holds what a schema found wrong."""
    status = error.code or 500
    messages = (getattr(error, "data", None) or {}).get("messages")
    found = list(_flatten(messages)) if status == 422 and messages else []
    title, detail = _TEXTS.get(status, (error.name, error.description or error.name))
    code = re.sub(r"[^a-z]+", "_", error.name.lower()).strip("_")
    answer = problem(status, _CODES.get(status, code), title, detail, found)
    for name, value in error.get_headers():
        if name.lower() in ("allow", "location", "retry-after"):
            answer.headers[name] = value
    return answer


def answer_database(error: DBAPIError) -> Response:
    """A constraint that decided a race is the caller's conflict; a database away is ours."""
    if isinstance(error, IntegrityError):
        logger.warning("A constraint refused a change", exc_info=error)
        return problem(
            409, "conflict", "This collides with what is already there.",
            "Another change came first, or the same thing exists already. Look again, then retry.",
        )  # fmt: skip
    if isinstance(error, DataError):
        logger.warning("The database refused a value", exc_info=error)
        return problem(
            422, _CODES[422], _TEXTS[422][0], "A value is too large or too odd to be stored."
        )
    if isinstance(error, OperationalError | InterfaceError) or error.connection_invalidated:
        return answer_unavailable(error)
    logger.error("The database refused a statement", exc_info=error)
    return problem(500, "internal_error", *_TEXTS[500])


def answer_unavailable(error: Exception) -> Response:
    if isinstance(error, PoolTimeout):
        count_pool_timeout()
    logger.error("The database cannot be used", exc_info=error)
    answer = problem(
        503, "unavailable", "The service cannot do this right now; try again shortly.",
        "The database cannot be reached or is busy. Nothing was changed.",
    )  # fmt: skip
    answer.headers["Retry-After"] = RETRY_SECONDS
    return answer


def problem(
    status: int, code: str, title: str, detail: str, errors: list[dict[str, Any]] | None = None
) -> Response:
    """One problem+json answer. Says how to authenticate on 401 below /api."""
    body: dict[str, Any] = {
        "type": f"urn:rewards-service:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": request_id(),
    }
    if errors or status == 422:
        body["errors"] = (errors or [])[:MAX_ERRORS]
    answer = current_app.response_class(json.dumps(body), status, mimetype=PROBLEM_JSON)
    if status == 401 and request.path.startswith("/api/"):
        answer.headers["WWW-Authenticate"] = 'Bearer realm="rewards"'
    if status == 503:
        answer.headers["Retry-After"] = RETRY_SECONDS
    return answer


def _flatten(messages: Any) -> Iterator[dict[str, str]]:
    """webargs' {location: {member: {...: [text]}}} as pointers and texts."""
    for location in messages.values() if isinstance(messages, dict) else [messages]:
        yield from walk(location, "")


def walk(found: Any, pointer: str) -> Iterator[dict[str, str]]:
    """What a schema found wrong, as pointers below `pointer` with their texts."""
    if isinstance(found, dict):
        for name, inside in found.items():
            here = pointer if name in ("_schema", "key", "value") else f"{pointer}/{_escape(name)}"
            yield from walk(inside, here)
    elif isinstance(found, list):
        for inside in found:
            yield from walk(inside, pointer)
    else:
        yield {"pointer": pointer, "detail": str(found)}


def _escape(name: object) -> str:
    return str(name)[:100].replace("~", "~0").replace("/", "~1")


_CODES = {413: "too_large", 415: "not_json", 422: "unprocessable", 500: "internal_error"}
_TEXTS = {
    404: ("There is no such thing.", "No resource has this address."),
    405: (
        "This method is not allowed here.",
        "This address exists, but not for this method; Allow names those it knows.",
    ),
    413: ("The body is too large.", "Send less at once."),
    415: ("The body must be JSON.", "Send the body with Content-Type: application/json."),
    422: (
        "The request is well formed, but its content is not acceptable.",
        "See errors: each names the member or parameter and what is wrong with it.",
    ),
    500: (
        "Something went wrong on our side.",
        "The error was logged under this request id. Nothing was changed.",
    ),
}
