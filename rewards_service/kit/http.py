"""Calls to other services: one deadline for all attempts, connections kept, nothing followed.

Every call ends: connecting and each read have timeouts, attempts are counted, and attempts, waits
and the reading of the answer together stay within `Patience.total_seconds`, and all calls of one
client within `Patience.all_calls_seconds`. Only the look-up of a host name is left to the system's
resolver and its own timeout.
"""

import logging
import math
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from types import TracebackType
from typing import NamedTuple, Self, TypeVar
from urllib.parse import quote, urlsplit

import requests
from requests.auth import HTTPBasicAuth
from tenacity import RetryCallState, Retrying, retry_if_exception
from urllib3.exceptions import HTTPError

from rewards_service import __version__
from rewards_service.kit.backoff import backoff_seconds
from rewards_service.kit.deadline import DeadlineAdapter, SecondsLeft, within
from rewards_service.kit.http_errors import HttpError, Redirected, TimedOut, TooLarge
from rewards_service.kit.http_problems import problem_of

logger = logging.getLogger(__name__)

Pairs = Sequence[tuple[str, str]]
Result = TypeVar("Result")
_CHUNK = 65_536


@dataclass(frozen=True, slots=True)
class Patience:
    """How long and how often to try.

    total_seconds: of one call, all attempts and waits together. all_calls_seconds: of all calls
    that one client makes.
    """

    connect_seconds: float = 10.0
    read_seconds: float = 30.0
    total_seconds: float = 180.0
    attempts: int = 8
    body_bytes: int = 32 * 1024 * 1024  # of the answer, unpacked
    all_calls_seconds: float = math.inf


# Jobs outlast a rate limit that resets in a minute; a person who waits for a page does not.
BACKGROUND = Patience()
# Such a person, or a program with a timeout of ten seconds, is told so before that.
INTERACTIVE = Patience(
    connect_seconds=4.0, read_seconds=6.0, total_seconds=6.0, attempts=3, all_calls_seconds=8.0
)


@dataclass(frozen=True, slots=True)
class Call:
    """What to ask. `name` stands for it in logs and errors; `repeatable`: twice does no harm."""

    name: str
    method: str
    path: Sequence[str]  # segments, quoted here
    query: Pairs = ()
    form: Pairs = ()
    headers: Mapping[str, str] | None = None
    repeatable: bool = False


class Answer(NamedTuple):
    """What came back, whole. Header names in any case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class HttpClient:
    """Calls below one base address, on kept connections. For one thread at a time.

    base: https://host[:port][/path], without a slash at the end; who makes it up has checked it.
    auth: user and password of HTTP Basic. clock and sleep are in seconds.
    """

    def __init__(
        self,
        base: str,
        *,
        auth: tuple[bytes, bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        patience: Patience = BACKGROUND,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._base = base
        self._patience = patience
        self._clock = clock
        self._sleep = sleep
        self._ends_at = clock() + patience.all_calls_seconds
        self._session = _session(base, auth, headers or {})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._session.close()

    def call(
        self,
        call: Call,
        judge: Callable[[Answer], Result],
        gate: Callable[[float], None] | None = None,
    ) -> Result:
        """What `judge` makes of the answer; repeated while that can help and time is left.

        judge: raises HttpError for an answer that is none; `passes` has the call repeated. gate:
        asked before each attempt, with the seconds left; it may wait, or raise HttpError. Raises
        the last HttpError.
        """
        deadline = min(self._clock() + self._patience.total_seconds, self._ends_at)

        def seconds_left() -> float:
            return deadline - self._clock()

        def attempt() -> Result:
            if gate is not None:
                gate(seconds_left())
            return judge(self._exchange(call, seconds_left))

        def must_stop(state: RetryCallState) -> bool:
            spent = state.attempt_number >= self._patience.attempts
            return spent or state.upcoming_sleep >= seconds_left()

        retrying = Retrying(
            sleep=self._sleep,
            retry=retry_if_exception(lambda error: _may_repeat(call, error)),
            wait=_wait,
            stop=must_stop,
            before_sleep=lambda state: _note(call, state),
            reraise=True,
        )
        return retrying(attempt)

    def _exchange(self, call: Call, seconds_left: SecondsLeft) -> Answer:
        left = seconds_left()
        if left <= 0:
            raise TimedOut(f"There was no time left to {call.name}.", unsent=True)
        timeouts = (
            min(self._patience.connect_seconds, left),
            min(self._patience.read_seconds, left),
        )
        try:
            with (
                within(seconds_left),
                self._session.request(
                    call.method,
                    self._base + _path(call.path),
                    params=list(call.query),
                    data=list(call.form),
                    headers=call.headers,
                    timeout=timeouts,
                    stream=True,
                    allow_redirects=False,
                ) as response,
            ):
                body = self._body(call, response)
        except (requests.RequestException, HTTPError, OSError) as error:
            raise problem_of(call.name, error) from None  # its text holds addresses and parameters
        if 300 <= response.status_code < 400:
            raise Redirected(f"Asked to {call.name}, the other side sent us to another address.")
        return Answer(response.status_code, response.headers, body)

    def _body(self, call: Call, response: requests.Response) -> bytes:
        body = bytearray()
        for chunk in response.iter_content(_CHUNK):
            body += chunk
            if len(body) > self._patience.body_bytes:
                raise TooLarge(
                    f"Asked to {call.name}, the other side sent more than "
                    f"{self._patience.body_bytes} bytes; the rest was not read."
                )
        return bytes(body)


def _session(
    base: str, auth: tuple[bytes, bytes] | None, headers: Mapping[str, str]
) -> requests.Session:
    session = requests.Session()
    session.auth = None if auth is None else HTTPBasicAuth(*auth)
    session.headers.update(
        {
            "User-Agent": f"rewards-service/{__version__}",
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            **headers,
        }
    )
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    # A proxy of the surroundings is for the world outside, not for a sandbox on this machine.
    session.trust_env = urlsplit(base).scheme == "https"
    for scheme in ("https://", "http://"):
        session.mount(scheme, DeadlineAdapter(max_retries=0))
    return session


def _path(segments: Sequence[str]) -> str:
    """Quoted segments; ValueError for those that would lead out of their place."""
    if any(segment in ("", ".", "..") for segment in segments):
        raise ValueError("A part of the path is empty or leads upwards.")
    return "".join("/" + quote(segment, safe="") for segment in segments)


def _may_repeat(call: Call, error: BaseException) -> bool:
    return isinstance(error, HttpError) and error.passes and (call.repeatable or error.unsent)


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome is not None else None
    chance = random.random()  # noqa: S311 - spreads callers in time, guards nothing
    own = backoff_seconds(state.attempt_number, chance)
    asked = error.wait_seconds if isinstance(error, HttpError) else None
    return own if asked is None else asked + own * chance


def _note(call: Call, state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome is not None else None
    logger.info(
        "Attempt %d to %s failed (%s); again in %.1f s",
        state.attempt_number, call.name, getattr(error, "code", "?"), state.upcoming_sleep,
    )  # fmt: skip
