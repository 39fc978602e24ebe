"""Refusals of the simulated API, with the bodies that Chargebee sends (pure)."""

from typing import Any

INVALID, UNTYPED, FAILED, PAYMENT = "invalid_request", "untyped", "operation_failed", "payment"


class ApiError(Exception):
    """One refusal: HTTP status, Chargebee's code and type, the parameter at fault if any."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        kind: str = INVALID,
        param: str | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.kind = kind
        self.param = param
        self.retry_after_s = retry_after_s

    def body(self) -> dict[str, Any]:
        found = {
            "message": self.message, "type": self.kind, "api_error_code": self.code,
            "error_code": self.code, "http_status_code": self.status,
        }  # fmt: skip
        return found if self.param is None else {**found, "param": self.param}


def wrong_value(param: str, why: str) -> ApiError:
    return ApiError(400, "param_wrong_value", f"{param} : {why}", param=param)


def missing(param: str) -> ApiError:
    return wrong_value(param, "cannot be blank")


def duplicate(param: str, value: str) -> ApiError:
    return ApiError(400, "duplicate_entry", f"The value {value} is already present.", param=param)


def not_found(kind: str, key: str) -> ApiError:
    return ApiError(404, "resource_not_found", f"{kind} {key} not found")


def no_such_page(path: str) -> ApiError:
    return ApiError(404, "resource_not_found", f"Sorry, there is nothing at {path}")


def wrong_method(method: str) -> ApiError:
    return ApiError(405, "http_method_not_supported", f"{method} is not supported here")


def wrong_state(why: str) -> ApiError:
    return ApiError(409, "invalid_state_for_request", why)


def unreadable(why: str) -> ApiError:
    return ApiError(400, "invalid_request", why)


def unauthenticated() -> ApiError:
    message = "Sorry, authentication failed. Invalid api key."
    return ApiError(401, "api_authentication_failed", message, UNTYPED)


def unauthorized() -> ApiError:
    message = "Sorry, this api key has not enough rights for the operation."
    return ApiError(403, "api_authorization_failed", message, INVALID)


def payment_failed(code: str, why: str) -> ApiError:
    return ApiError(400, code, why, PAYMENT)


def too_many(retry_after_s: int | None) -> ApiError:
    message = "Sorry, you have reached the limit of requests. Try again in a minute."
    return ApiError(429, "api_request_limit_exceeded", message, FAILED, retry_after_s=retry_after_s)


def locked() -> ApiError:
    message = "Another request is changing this resource. Try again."
    return ApiError(429, "lock_timeout", message, FAILED)


def out_of_order() -> ApiError:
    message = "The service is not available for a moment. Try again."
    return ApiError(503, "internal_temporary_error", message, FAILED)
