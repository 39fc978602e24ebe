"""The one error tree, rendered at the edge as RFC 9457 problem+json; 4xx the caller's, 5xx ours."""

from typing import Any


class RewardsError(Exception):
    """Something the caller can be told: `code` is stable, `title` general, the text particular."""

    status = 500
    code = "internal_error"
    title = "Something went wrong on our side."
    retry_after: int | None = None  # seconds, where trying again by itself may help

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


class NotAcceptable(RewardsError):
    status = 406
    code = "not_acceptable"
    title = "None of the formats that are asked for is served here."


class Conflict(RewardsError):
    status = 409
    code = "conflict"
    title = "This collides with what is already there."


class Unprocessable(RewardsError):
    status = 422
    code = "unprocessable"
    title = "The request is well formed, but its content is not acceptable."


class Unavailable(RewardsError):
    """For now: answered with Retry-After."""

    status = 503
    code = "unavailable"
    title = "The service cannot do this right now; try again shortly."


class PreconditionFailed(RewardsError):
    status = 412
    code = "precondition_failed"
    title = "This has changed since you read it."

    def __init__(self) -> None:
        super().__init__(
            "If-Match names another state of this thing. Get it again, look whether your change is "
            "still right, and send it with the new ETag."
        )


class PreconditionRequired(RewardsError):
    status = 428
    code = "precondition_required"
    title = "A change must say which state of the thing it means."

    def __init__(self) -> None:
        super().__init__(
            "Send If-Match with the ETag that GET of this address answers (or that of your last "
            "change), so that no change of somebody else is lost. If-Match: * takes it as it is."
        )


class TooManyRequests(RewardsError):
    status = 429
    code = "too_many_requests"
    title = "Too many requests."

    def __init__(self, detail: str, retry_after: int) -> None:
        super().__init__(detail)
        self.retry_after = retry_after
