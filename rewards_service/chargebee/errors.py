"""What Chargebee says when it does not do what it was asked (pure).

Chargebee's own message is kept beside the error, not in its text: it can quote e-mail addresses and
names, and texts end up in logs.
"""

from typing import Any

from rewards_service.kit.http_errors import HttpError

_SHORTEST_PRINTABLE, _LONGEST_PRINTABLE = 1, 100


class ChargebeeError(HttpError):
    """An answer that is an error.

    `http_status`; `api_error_code` and `parameter` as Chargebee names them, None when it does not;
    `message` is Chargebee's own text, which may hold personal data: for eyes, never for logs.
    """

    code = "chargebee_refused"
    title = "Chargebee refused the request."

    def __init__(
        self,
        name: str,
        http_status: int,
        body: dict[str, Any] | None = None,
        *,
        passes: bool = False,
        unsent: bool = False,
        wait_seconds: float | None = None,
    ) -> None:
        given = body or {}
        self.http_status = http_status
        self.api_error_code = _word(given.get("api_error_code"))
        self.parameter = _word(given.get("param"))
        self.message = str(given.get("message") or "")[:1000]
        text = f"{self.title} Asked to {name}, it answered {http_status}"
        text += f" {self.api_error_code}" if self.api_error_code else ""
        text += f" (parameter {self.parameter})" if self.parameter else ""
        super().__init__(f"{text}.", passes=passes, unsent=unsent, wait_seconds=wait_seconds)


class KeyRefused(ChargebeeError):
    code = "chargebee_key_refused"
    title = "Chargebee does not know the API key."


class NotAllowed(ChargebeeError):
    code = "chargebee_not_allowed"
    title = "The API key may not do that, or Chargebee blocks us."


class NotThere(ChargebeeError):
    code = "chargebee_not_found"
    title = "Chargebee has no such thing."


class SiteUnknown(ChargebeeError):
    code = "chargebee_site_unknown"
    title = "There is no Chargebee site of this name."


class AlreadyThere(ChargebeeError):
    code = "chargebee_duplicate"
    title = "Chargebee has something with this id already."


class WrongState(ChargebeeError):
    code = "chargebee_wrong_state"
    title = "What Chargebee was asked to change is not in a state for it."


class PaymentRefused(ChargebeeError):
    code = "chargebee_payment_refused"
    title = "A payment failed."


class RateLimited(ChargebeeError):
    status = 503
    code = "chargebee_rate_limited"
    title = "Chargebee's limit of requests a minute is reached."


class Locked(ChargebeeError):
    """Two writers met on one object. It says nothing about our rate."""

    status = 503
    code = "chargebee_locked"
    title = "Chargebee was busy with the same object."


class Unavailable(ChargebeeError):
    status = 503
    code = "chargebee_unavailable"
    title = "Chargebee is not available."


class Garbled(HttpError):
    code = "chargebee_garbled"
    title = "Chargebee's answer is not what its API describes."


class KeyTooOld(HttpError):
    """A POST would be repeated after Chargebee forgot its idempotency key."""

    status = 409
    code = "chargebee_key_too_old"
    title = "The request was first sent too long ago to be repeated safely."


_BY_CODE: dict[str, type[ChargebeeError]] = {
    "site_not_found": SiteUnknown,
    "duplicate_entry": AlreadyThere,
    "invalid_state_for_request": WrongState,
    "lock_timeout": Locked,
}
_BY_STATUS: dict[int, type[ChargebeeError]] = {
    401: KeyRefused,
    403: NotAllowed,
    404: NotThere,
    409: WrongState,
    429: RateLimited,
}


def error_of(
    name: str, http_status: int, body: dict[str, Any] | None, wait_seconds: float | None
) -> ChargebeeError:
    """The error of an answer of 400 and above; `body` is None when it is no JSON object.

    name: the operation in words. wait_seconds: from Retry-After. Rate limits, locks and failures
    on Chargebee's side pass; of those the first two changed nothing there, so even a POST may be
    repeated.
    """
    given = body or {}
    if http_status >= 500:
        kind: type[ChargebeeError] = Unavailable
    elif given.get("type") == "payment":
        kind = PaymentRefused
    else:
        by_code = _BY_CODE.get(str(given.get("api_error_code")))
        kind = by_code or _BY_STATUS.get(http_status, ChargebeeError)
    undone = kind in (RateLimited, Locked)
    return kind(
        name,
        http_status,
        body,
        passes=undone or kind is Unavailable,
        unsent=undone,
        wait_seconds=wait_seconds,
    )


def _word(value: object) -> str | None:
    """A short word of ASCII without spaces; anything else could carry what no text should."""
    if not isinstance(value, str) or not value.isascii() or not value.isprintable():
        return None
    fits = _SHORTEST_PRINTABLE <= len(value) <= _LONGEST_PRINTABLE
    return value if fits and " " not in value and "@" not in value else None
