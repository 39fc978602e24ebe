"""The process that fetches history is killed at any moment: all is there, and nothing twice."""

import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from rewards_service.history.models import Backfill, BackfillList
from rewards_service.inbox.models import ReceivedEvent
from rewards_service.kit.db import READ_ONLY, transaction
from rewards_service.mirror.models import ChargebeeTransaction
from rewards_service.settings import Settings
from tests.builders.whole import violations
from tests.builders.world import World
from tests.history.fetched import Fetcher, simulated
from tests.history.test_running import LONG_AGO
from tests.redis_process import until

ROOT = Path(__file__).resolve().parents[2]
_WORK = """
from sqlalchemy import create_engine
from rewards_service.history.running import go_on, to_chargebee
from rewards_service.settings import load_settings
settings = load_settings()
go_on(create_engine(settings.database_url), to_chargebee(settings), 600.0)
"""


def environ_of(settings: Settings) -> dict[str, str]:
    return {
        **os.environ,
        "DATABASE_URL": settings.database_url, "REDIS_URL": settings.redis_url,
        "SECRET_KEY": settings.secret_key, "ENCRYPTION_KEYS": settings.encryption_keys[0],
        "CHARGEBEE_API_BASE": str(settings.chargebee_api_base),
        "CHARGEBEE_REQUESTS_PER_MINUTE": "0",
    }  # fmt: skip


def progress(world: World) -> int:
    """Objects and events kept so far, read without waiting for whoever writes."""
    with Session(world.engine.execution_options(**{READ_ONLY: True})) as session:
        listed = session.scalar(select(func.sum(BackfillList.listed))) or 0
        posted = session.scalar(select(func.sum(Backfill.posted_events))) or 0
        return int(listed + posted)


def kill_and_go_on(world: World, fetcher: Fetcher, kills: int, chance: random.Random) -> int:
    """Kill so many processes once each has kept something; how many were in the middle of it."""
    pause, in_the_middle = threading.Event(), 0
    for _ in range(kills):
        before = progress(world)
        process = subprocess.Popen(
            [sys.executable, "-c", _WORK], env=environ_of(fetcher.settings), cwd=ROOT,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        until(lambda was=before: progress(world) > was or process.poll() is not None, 120)  # type: ignore[misc]  # noqa: B023
        pause.wait(chance.random() * 0.05)
        in_the_middle += process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
        with transaction(world.engine) as session:  # what the passing of 30 seconds does
            session.execute(update(Backfill).values(lease_until=LONG_AGO))
    return in_the_middle


def fetch_and_post(world: World, settings: Settings, kills: int, invoices: int) -> None:
    chance = random.Random(kills)  # noqa: S311 - a fixed choice
    with simulated(invoices=invoices) as server:
        fetcher = Fetcher(world, settings, server.url)
        fetcher.begin()
        hit = kill_and_go_on(world, fetcher, kills // 2, chance)
        fetcher.go_on()
        assert fetcher.shown()["state"] == "done"
        fetcher.start_posting()
        hit += kill_and_go_on(world, fetcher, kills - kills // 2, chance)
        fetcher.go_on()

    assert hit >= kills // 2
    assert fetcher.shown()["state"] == "done"
    customers = -(-invoices // 10)
    everything = {"customer": customers, "invoice": invoices, "transaction": invoices}
    assert fetcher.counted("listed") == fetcher.counted("kept") == everything
    assert fetcher.versions() == sum(everything.values())
    told = [row.event_id for row in world.all(ReceivedEvent) if "succeeded" in row.event_type]
    paid = {row.external_id for row in world.all(ChargebeeTransaction)}
    assert sorted(told) == sorted(f"backfill_payment_succeeded_{name}" for name in paid)
    assert violations(world.engine) == {}


class TestSuddenDeath:
    def test_two_kills_leave_no_trace(self, world: World, settings: Settings) -> None:
        """DOMAIN V9: a page is kept together with the offset after it, or not at all."""
        fetch_and_post(world, settings, 2, 800)

    @pytest.mark.slow
    def test_ten_kills_leave_no_trace(self, world: World, settings: Settings) -> None:
        """DOMAIN V9."""
        fetch_and_post(world, settings, 10, 6_000)
