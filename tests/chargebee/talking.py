"""A client of Chargebee that talks to a server of ours, in a time of ours."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from rewards_service.chargebee.client import ChargebeeClient
from rewards_service.chargebee.operations import Chargebee
from rewards_service.kit.http import HttpClient, Patience
from rewards_service.kit.rate import SharedRate
from tests.peers.fake_time import FakeTime
from tests.peers.misbehaving import Behaviour, Misbehaving

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
PATIENCE = Patience()
# For a server that keeps silent, which takes real time; one that answers may miss this.
HASTE = Patience(read_seconds=0.05)


class Talk:
    """One process that talks to `server`; `per_minute` 0: as fast as it likes."""

    def __init__(
        self, server: Misbehaving, time: FakeTime, per_minute: int, key: str | None = None,
        patience: Patience = PATIENCE,
    ) -> None:  # fmt: skip
        http = HttpClient(
            server.url,
            auth=(b"test_key", b""),
            patience=patience,
            clock=time.clock,
            sleep=time.sleep,
        )
        self.server = server
        self.time = time
        self.budget = SharedRate(
            None, key or f"talk-{uuid4().hex}", per_minute, clock=time.clock, sleep=time.sleep
        )
        self.client = ChargebeeClient(
            http,
            self.budget,
            repeat_seconds=PATIENCE.total_seconds,
            now=lambda: NOON + timedelta(seconds=time.now),
        )
        self.site = Chargebee(self.client)


@contextmanager
def talking(
    *behaviours: Behaviour, per_minute: int = 0, tick: float = 0.0, patience: Patience = PATIENCE
) -> Iterator[Talk]:
    with Misbehaving(*behaviours) as server:
        talk = Talk(server, FakeTime(tick), per_minute, patience=patience)
        yield talk
        talk.site.close()
