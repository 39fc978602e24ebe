"""The simulated API as a function from a request to an answer; HTTP is somebody else's (pure).

`Simulator` holds one site with its key, its faults, its rate limit and its memory of idempotency
keys. The same requests in the same order make the same bytes.
"""

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from hmac import compare_digest
from typing import Any

from rewards_service.simulator import (
    customers,
    endpoints,
    errors,
    events,
    lists,
    operations,
    routes,
)
from rewards_service.simulator.errors import ApiError
from rewards_service.simulator.faults import ANSWERS, Faults
from rewards_service.simulator.limits import RateLimit
from rewards_service.simulator.site import Row, Site
from rewards_service.simulator.wire import Params, dumps, nested

BASE = "/api/v2"
KEY = "simulator_key"
# What a key of fewer rights ends in: it may read, or nothing that this API has.
READ_ONLY, PUBLISHABLE = "_read_only", "_publishable"
IDEMPOTENT_MS = 30 * 60 * 1000
MOST_REMEMBERED = 10_000
_HTML = b"<html><body><h1>503 Service Temporarily Unavailable</h1></body></html>"
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Request:
    """One call. `path` is below /api/v2, header names are in lower case."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    form: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Answer:
    """What goes back: after `pause_s` seconds, and only `cut` bytes of it when that is set."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    pause_s: float = 0.0
    cut: int | None = None


class Simulator:
    """One site behind its API. `clock` gives seconds that only grow, for the rate limit."""

    def __init__(
        self, site: Site, clock: Callable[[], float], key: str = KEY, any_port: bool = False
    ) -> None:
        self.site = site
        self.faults = Faults()
        self.limit = RateLimit(clock)
        self.any_port = any_port
        self._key = key
        self._answered: dict[str, tuple[int, Answer]] = {}

    def answer(self, request: Request) -> Answer:
        """What Chargebee would say, or what the faults make of it. Never raises."""
        number = self.site.counters["request"] = self.site.counters.get("request", 0) + 1
        fault = next((name for name in ANSWERS if self._strikes(name, number)), None)
        pause_s = self.faults.slow_s if self._strikes("slow", number) else 0.0
        try:
            self._check_key(request)
            self.limit.take()
            answer = self._broken(fault) or self._done(request)
        except ApiError as error:
            answer = _refusal(error)
        answer.pause_s = pause_s
        if fault == "cut":
            answer.cut = len(answer.body) // 2
        elif fault == "garbage":
            answer.body = b"\x00 this is no JSON {" + answer.body[:20]
        return answer

    def _strikes(self, name: str, number: int) -> bool:
        share: float = getattr(self.faults, name)
        return share > 0 and self.site.chance(f"api:{name}:{number}") < share

    def _broken(self, fault: str | None) -> Answer | None:
        """The answer in place of doing anything; None when the call is to be done."""
        if fault == "unavailable_html":
            return Answer(503, _HTML, {"Content-Type": "text/html"})
        if fault == "redirect":
            return Answer(302, b"", {"Location": "https://elsewhere.invalid/"})
        if fault == "limited":
            raise errors.too_many(self.faults.retry_after_s or None)
        if fault == "locked":
            raise errors.locked()
        if fault == "unavailable":
            raise errors.out_of_order()
        if fault == "failed":
            raise ApiError(500, "internal_error", "Something went wrong.", errors.FAILED)
        return None

    def _check_key(self, request: Request) -> None:
        """Basic, the key as user name, no password."""
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        try:
            given = base64.b64decode(text, validate=True) if scheme == "Basic" else b""
        except (binascii.Error, ValueError):
            given = b""
        rights = [end for end in ("", READ_ONLY, PUBLISHABLE)
                  if compare_digest(given, f"{self._key}{end}:".encode())]  # fmt: skip
        if not rights:
            raise errors.unauthenticated()
        if rights == [PUBLISHABLE] or (rights == [READ_ONLY] and request.method != "GET"):
            raise errors.unauthorized()

    def _done(self, request: Request) -> Answer:
        if request.method == "GET":
            return Answer(200, dumps(self._read(request.path, nested(request.query))))
        if request.method != "POST":
            raise errors.wrong_method(request.method)
        if not request.headers.get("content-type", _FORM).startswith(_FORM):
            raise errors.unreadable("The body must be form-encoded.")
        key = self._idempotency_key(request)
        if key is None:
            return self._written(request)
        made_ms, answer = self._answered.get(key, (-IDEMPOTENT_MS, None))
        if answer is not None and self.site.now_ms - made_ms < IDEMPOTENT_MS:
            replayed = {"chargebee-idempotency-replayed": "true"}
            return Answer(answer.status, answer.body, {**answer.headers, **replayed})
        answer = self._written(request)
        self._remember(key, answer)
        return answer

    def _remember(self, key: str, answer: Answer) -> None:
        """Keep an answer for 30 minutes; those that are older are forgotten from time to time."""
        now_ms = self.site.now_ms
        if len(self._answered) % MOST_REMEMBERED == MOST_REMEMBERED - 1:
            alive = {k: v for k, v in self._answered.items() if now_ms - v[0] < IDEMPOTENT_MS}
            self._answered = alive
        self._answered[key] = (now_ms, Answer(answer.status, answer.body))

    def _idempotency_key(self, request: Request) -> str | None:
        """The key with what was asked: another body under the same key is another call."""
        given = request.headers.get("chargebee-idempotency-key")
        if not given:
            return None
        if len(given) > 100:
            raise errors.wrong_value("chargebee-idempotency-key", "is longer than 100 characters")
        asked = sha256(repr((request.path, request.query, request.form)).encode()).hexdigest()
        return f"{given} {asked}"

    def _written(self, request: Request) -> Answer:
        site = self.site
        params = Params(nested((*request.query, *request.form)))
        site.source, site.user = "api", "simulator key"
        site.silent = request.headers.get("chargebee-event-webhook") == "all-disabled"
        try:
            endpoint = routes.endpoint_write(request.path)
            if endpoint is not None:
                return Answer(200, dumps(self._endpoint(params, *endpoint)))
            operation, ids = routes.find_write(request.path)
            return Answer(200, dumps(operation(site, params, *ids)))
        finally:
            site.source, site.user, site.silent = "system", None, False

    def _endpoint(self, params: Params, key: str | None, gone: bool) -> dict[str, Any]:
        if key is None:
            row = endpoints.create(self.site, params, self.any_port)
        elif gone:
            row = endpoints.delete(self.site, key)
        else:
            row = endpoints.update(self.site, key, params, self.any_port)
        return {"webhook_endpoint": endpoints.shown(row)}

    def _read(self, path: str, given: Mapping[str, Any]) -> dict[str, Any]:
        kind, key, member, owner = routes.find_read(path)
        site, params = self.site, Params(given)
        if kind == "hierarchy":
            return customers.hierarchy(site, str(key))
        if key is not None:
            return self._shown(kind, site.find(kind, key))
        if owner is not None and member is not None:
            site.find("invoice" if member == "linked_invoices" else member[:-3], owner)
        only = None if member is None else _belongs(member, str(owner))
        rows, following = lists.page(
            site, kind, params, lag_s=self.faults.lag_s, only=only,
            newest_first=only is not None,
        )  # fmt: skip
        found: dict[str, Any] = {"list": [self._shown(kind, row) for row in rows]}
        return found if following is None else {**found, "next_offset": following}

    def _shown(self, kind: str, row: Row) -> dict[str, Any]:
        if kind == "event":
            return {"event": events.shown(row)}
        if kind == "webhook_endpoint":
            return {kind: endpoints.shown(row)}
        owner = row.get({"customer": "id", "subscription": "customer_id"}.get(kind, ""))
        if owner is None:
            return {kind: row}
        customer = self.site.find("customer", owner, deleted=True)
        return {kind: row, **operations.of_customer(self.site, customer)}


def _belongs(member: str, owner: str) -> Callable[[Row], bool]:
    if member == "linked_invoices":
        return lambda row: any(
            link["invoice_id"] == owner for link in row.get("linked_invoices", ())
        )
    return lambda row: row.get(member) == owner


def _refusal(error: ApiError) -> Answer:
    answer = Answer(error.status, dumps(error.body()))
    if error.retry_after_s is not None:
        answer.headers["Retry-After"] = str(error.retry_after_s)
    return answer
