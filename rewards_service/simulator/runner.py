"""A simulator that runs: its clock moves, its webhooks are sent, one caller at a time."""

import threading
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Protocol

from rewards_service.simulator import delivery, endpoints
from rewards_service.simulator.api import Answer, Request, Simulator
from rewards_service.simulator.errors import wrong_value
from rewards_service.simulator.faults import Faults
from rewards_service.simulator.month import month
from rewards_service.simulator.play import play
from rewards_service.simulator.saving import saved
from rewards_service.simulator.site import Row
from rewards_service.simulator.verbs import say
from rewards_service.simulator.wire import Params

MOST_STEPS = 100_000
LOG_LENGTH = 1_000
SERVICE = "service"


class Call(NamedTuple):
    """A webhook to send: where to, what, and with which credentials if any."""

    url: str
    body: bytes
    username: str | None
    password: str | None
    slow_s: float


class Sender(Protocol):
    def __call__(self, call: Call) -> int | None:
        """Send it; the HTTP status, or None when there was no answer."""


class Runner:
    """Everything that may be asked of a simulator from several threads.

    speed: seconds of the site for each second of `clock`; 0 stands still but for what is told.
    """

    def __init__(
        self, simulator: Simulator, send: Sender, clock: Callable[[], float], speed: float = 0.0
    ) -> None:
        self.simulator = simulator
        self.log: list[dict[str, Any]] = []  # the newest webhook calls with their outcomes
        self._send = send
        self._clock = clock
        self._speed = speed
        self._seen_s = clock()
        self._holds = False  # while a scenario has the clock
        self._lock = threading.RLock()
        self._sending = threading.Lock()

    def answer(self, request: Request) -> Answer:
        with self._lock:
            self._tick()
            return self.simulator.answer(request)

    def say(self, verb: str, given: dict[str, Any]) -> dict[str, Any]:
        """Let a verb of the scenario happen. Raises ApiError."""
        with self._lock:
            self._tick()
            return say(self.simulator.site, verb, **given)

    def play(self, steps: int) -> list[Any]:
        if not 0 < steps <= MOST_STEPS:
            raise wrong_value("steps", f"must be from 1 to {MOST_STEPS}")
        with self._lock:
            return list(play(self.simulator.site, steps))

    def play_month(self) -> int:
        """Play the ready month, its webhooks sent day by day; how many calls that were."""
        self._holds = True
        count, days = 0, month(self.simulator.site)
        while self._next_day(days):
            count += self.pump()
        self._seen_s = self._clock()
        self._holds = False
        return count

    def _next_day(self, days: Iterator[str]) -> bool:
        with self._lock:
            return next(days, None) is not None

    def listen(self, url: str, username: str, password: str) -> None:
        """Have one endpoint that gets all events there; called again it is moved."""
        given = {
            "name": SERVICE, "url": url, "basic_auth_username": username,
            "basic_auth_password": password,
        }  # fmt: skip
        with self._lock:
            site = self.simulator.site
            known = site.tables["webhook_endpoint"].rows.values()
            same = [row for row in known if row["name"] == SERVICE and not row.get("deleted")]
            if same:
                endpoints.update(site, same[0]["id"], Params(given), any_port=True)
            else:
                endpoints.create(site, Params(given), any_port=True)

    def move_to(self, now_ms: int) -> None:
        with self._lock:
            self.simulator.site.move_to(now_ms)

    def state(self) -> bytes:
        with self._lock:
            return saved(self.simulator.site)

    def set_faults(self, given: dict[str, Any]) -> Faults:
        with self._lock:
            self.simulator.faults = self.simulator.faults.changed(given)
            return self.simulator.faults

    def set_limit(self, per_minute: int, says_when: bool) -> None:
        with self._lock:
            self.simulator.limit.set(per_minute, says_when)

    def resend(self, event_id: str) -> int:
        with self._lock:
            return delivery.resend(self.simulator.site, event_id)

    def _tick(self) -> None:
        """Time of the site passes as that of the clock does, with what is due in it."""
        if not self._speed or self._holds:
            return
        passed = int((self._clock() - self._seen_s) * self._speed)
        if passed >= 1:
            self._seen_s += passed / self._speed
            say(self.simulator.site, "wait", seconds=passed)

    def pump(self) -> int:
        """Send every webhook that is due now; how many calls that were."""
        with self._sending:
            count = 0
            while calls := self._due():
                for planned in calls:
                    self._make(planned)
                count += len(calls)
            return count

    def settle(self) -> int:
        """Let time run to every planned webhook until none is left; how many calls."""
        count = self.pump()
        while (due_ms := self._next_ms()) is not None:
            with self._lock:
                self.simulator.site.move_to(due_ms)
            count += self.pump()
        return count

    def _due(self) -> list[Row]:
        with self._lock:
            self._tick()
            return delivery.due(self.simulator.site, self.simulator.faults)

    def _next_ms(self) -> int | None:
        with self._lock:
            return delivery.next_due_ms(self.simulator.site)

    def _make(self, planned: Row) -> None:
        with self._lock:
            if planned["call"] not in self.simulator.site.outbox:
                return  # its endpoint is gone
            call = self._call(planned)
        status: int | None = 200 if planned["dropped"] else self._send(call)
        with self._lock:
            succeeded = status is not None and 200 <= status < 300
            delivery.settle(self.simulator.site, planned, succeeded)
            self.log.append({
                "event_id": planned["event_id"], "endpoint_id": planned["endpoint_id"],
                "attempt": planned["attempt"], "status": status, "dropped": planned["dropped"],
            })  # fmt: skip
            del self.log[:-LOG_LENGTH]

    def _call(self, planned: Row) -> Call:
        site = self.simulator.site
        endpoint = site.tables["webhook_endpoint"].rows[planned["endpoint_id"]]
        password = endpoint.get("basic_auth_password")
        return Call(
            endpoint["url"],
            delivery.body(site, planned),
            endpoint.get("basic_auth_username"),
            "wrong" if planned["wrong_password"] else password,
            self.simulator.faults.webhook_slow_s,
        )
