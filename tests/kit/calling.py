"""What tests of `kit.http` have in common: two calls, and a client that talks to a bad server."""

from collections.abc import Iterator
from contextlib import contextmanager

from rewards_service.kit.http import Answer, Call, HttpClient, Patience
from rewards_service.kit.http_errors import HttpError
from tests.peers.fake_time import FakeTime
from tests.peers.misbehaving import Behaviour, Misbehaving, answer

GET = Call("get a thing", "GET", ("things", "1"), repeatable=True)
POST = Call("make a thing", "POST", ("things",), form=[("name", "x")])
SHORT = Patience(attempts=3)
HASTE = Patience(read_seconds=0.05, attempts=3)  # for silence, which takes real time
ANSWER = answer(200, {"ok": True})


def as_it_is(found: Answer) -> Answer:
    """Busy and failing answers pass; all others are taken."""
    if found.status == 429:
        raise HttpError(passes=True, unsent=True, wait_seconds=20.0)
    if found.status >= 500:
        raise HttpError(passes=True)
    return found


@contextmanager
def talking(
    *behaviours: Behaviour, patience: Patience = SHORT, tick: float = 0.0
) -> Iterator[tuple[HttpClient, Misbehaving, FakeTime]]:
    time = FakeTime(tick)
    with Misbehaving(*behaviours) as server:
        client = HttpClient(
            server.url, auth=(b"key", b""), patience=patience, clock=time.clock, sleep=time.sleep
        )
        with client:
            yield client, server, time
