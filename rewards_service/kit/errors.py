"""The one error tree, rendered at the edge as RFC 9457 problem+json; 4xx the caller's, 5xx ours."""

from typing import Any


class RewardsError(Exception):
    """Something the caller can be told: `code` is stable, `title` general, the text particular."""

    status = 500
    code = "internal_error"
    title = "Something went wrong on our side."

    def __init__(self, detail: str | None = None, errors: list[dict[str, Any]] | None = None):
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.errors = errors or []


class BadRequest(RewardsError):
    status = 400
    code = "bad_request"
    title = "The request cannot be understood."


class Unauthorized(RewardsError):
    status = 401
    code = "unauthorized"
    title = "The credentials are missing or wrong."


class Forbidden(RewardsError):
    status = 403
    code = "forbidden"
    title = "This key may not do that."


class NotFound(RewardsError):
    status = 404
    code = "not_found"
    title = "There is no such thing."


class Conflict(RewardsError):
    status = 409
    code = "conflict"
    title = "This collides with what is already there."


class Unprocessable(RewardsError):
    status = 422
    code = "unprocessable"
    title = "The request is well formed, but its content is not acceptable."
