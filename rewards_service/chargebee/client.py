"""Requests to one Chargebee site: within its budget, repeated where that is safe, read exactly."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from rewards_service.chargebee import idempotency
from rewards_service.chargebee.errors import (
    Garbled,
    KeyTooOld,
    Locked,
    RateLimited,
    error_of,
)
from rewards_service.chargebee.forms import Filter, encode_filters, encode_form
from rewards_service.chargebee.idempotency import IdempotencyKey
from rewards_service.chargebee.wire import Payload
from rewards_service.kit.backoff import retry_after_seconds
from rewards_service.kit.clock import utc_now
from rewards_service.kit.http import Answer, Call, HttpClient, Pairs
from rewards_service.kit.metrics import count_call
from rewards_service.kit.rate import SharedRate
from rewards_service.kit.strict_json import NotJson, parse_exact

# Without Retry-After: the limit resets in about a minute, which the attempts of a job outlast.
RATE_PAUSE_SECONDS = 15.0


class ChargebeeClient:
    """GET and POST at a site's API v2. For one thread at a time.

    now: the time of day, for Retry-After dates and the age of idempotency keys. repeat_seconds: as
    long as a call of `http` may take at most, with all its attempts.
    """

    def __init__(
        self,
        http: HttpClient,
        budget: SharedRate,
        *,
        repeat_seconds: float,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._http = http
        self._budget = budget
        self._repeat = timedelta(seconds=repeat_seconds)
        self._now = now
        # How far our clock is ahead of Chargebee's, by its last answer; None before the first.
        self.clock_ahead: timedelta | None = None

    def get(
        self, name: str, path: Sequence[str], filters: Sequence[Filter] = (), query: Pairs = ()
    ) -> Payload:
        """The JSON object at `path` (segments below /api/v2). name: the operation in words.

        Numbers that are no integers come as Decimal. Raises ChargebeeError, Garbled and the other
        errors of `kit.http_errors`.
        """
        pairs = [*query, *encode_filters(filters)]
        return self._call(Call(name, "GET", ("api", "v2", *path), query=pairs, repeatable=True))

    def post(
        self,
        name: str,
        path: Sequence[str],
        fields: Mapping[str, Any] | None = None,
        key: IdempotencyKey | None = None,
    ) -> Payload:
        """What a POST of `fields` answers. It counts once, however often it had to be sent.

        key: of a call that was made before and may be repeated; without one it is a new call.
        Raises as `get`, and KeyTooOld when Chargebee could forget the key meanwhile.
        """
        now = self._now()
        key = key or idempotency.fresh_key(now)
        if not key.is_lawful:
            raise ValueError("An idempotency key is 1 to 100 printable ASCII characters.")
        if not key.covers(now + self._repeat):
            raise KeyTooOld(
                f"To {name} was first tried at {key.first_sent_at:%H:%M:%S} UTC, and Chargebee "
                "remembers that for 30 minutes only: look first whether it was done, then try anew."
            )
        headers = {idempotency.HEADER: key.value}
        form = encode_form(fields or {})
        path = ("api", "v2", *path)
        return self._call(Call(name, "POST", path, form=form, headers=headers, repeatable=True))

    def close(self) -> None:
        self._http.close()

    def _call(self, call: Call) -> Payload:
        return self._http.call(call, lambda answer: self._judge(call, answer), self._budget.wait)

    def _judge(self, call: Call, answer: Answer) -> Payload:
        self._compare_clocks(answer.headers.get("Date"))
        body = _object(answer.body)
        if answer.status < 400:
            count_call(str(answer.status))
            if body is None:
                raise Garbled(
                    f"Asked to {call.name}, Chargebee answered {answer.status} with something that "
                    "is no JSON object.",
                    passes=True,
                )
            return body
        wait = retry_after_seconds(answer.headers.get("Retry-After"), self._now())
        error = error_of(call.name, answer.status, body, wait)
        count_call("locked" if isinstance(error, Locked) else str(answer.status))
        if isinstance(error, RateLimited):
            error.wait_seconds = RATE_PAUSE_SECONDS if wait is None else wait
            self._budget.pause(error.wait_seconds)
        raise error

    def _compare_clocks(self, date: str | None) -> None:
        try:
            theirs = parsedate_to_datetime(date or "")
        except (ValueError, OverflowError):
            return
        self.clock_ahead = self._now() - theirs.replace(tzinfo=theirs.tzinfo or UTC)


def _object(body: bytes) -> dict[str, Any] | None:
    """The JSON object in a body; None for HTML, garbage and other JSON."""
    try:
        value = parse_exact(body)
    except NotJson:
        return None
    return value if isinstance(value, dict) else None
