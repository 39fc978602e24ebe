"""Events that are read before their turn, in a process of its own."""

import os
import signal
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.inbox.models import ReceivedEvent
from rewards_service.replay.ahead import Ahead
from rewards_service.webhooks.processing import read_body
from tests.builders.chargebee import paid
from tests.builders.world import World

ON_POSTGRES = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.fixture
def keys(world: World) -> list[int]:
    world.receive(paid("1", "cb1", "a@b.example"), paid("2", "cb2", "c@d.example"))
    with Session(world.engine) as session:
        return list(session.scalars(select(ReceivedEvent.id)))


class TestRead:
    @ON_POSTGRES
    def test_what_is_read_ahead_is_what_would_be_read(self, world: World, keys: list[int]) -> None:
        ahead = Ahead(world.engine, worth_it=1)
        try:
            found = ahead.read(keys).result(timeout=60)
        finally:
            ahead.close()

        with Session(world.engine) as session:
            columns = (ReceivedEvent.id, ReceivedEvent.event_type, ReceivedEvent.body)
            rows: Sequence[Any] = session.execute(select(*columns)).all()
            assert found == {row.id: read_body(row) for row in rows}
            assert len(found) == 2

    @ON_POSTGRES
    def test_a_process_that_was_killed_is_no_loss(self, world: World, keys: list[int]) -> None:
        ahead = Ahead(world.engine, worth_it=1)
        try:
            ahead.read(keys).result(timeout=60)
            (process,) = (ahead._process._processes if ahead._process else {}).values()
            os.kill(process.pid or 0, signal.SIGKILL)
            process.join(timeout=60)
            lost = [ahead.read(keys) for _ in range(2)]
            told = [one.exception(timeout=60) or one.result() for one in lost]
        finally:
            ahead.close()

        assert all(one == {} or isinstance(one, Exception) for one in told)

    def test_few_events_are_not_worth_a_process(self, world: World, keys: list[int]) -> None:
        ahead = Ahead(world.engine)

        assert ahead.read(keys).result(timeout=0) == {}
