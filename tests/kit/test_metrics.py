import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rewards_service.kit import metrics
from rewards_service.kit.metrics import Backlog

BACKLOG = Backlog(pending_events=3, oldest_pending_seconds=1.5, quarantined=2, dead=1, reward_due=7)

_PROCESS = """
from rewards_service.kit import metrics
metrics.count_answer(200)
metrics.count_events("rewarded", 5)
metrics.count_entries("earned", 2)
with metrics.time_batch("events"):
    pass
"""


@pytest.fixture(autouse=True)
def _no_backlog() -> Iterator[None]:
    before = metrics._backlog.read
    yield
    metrics._backlog.read = before


def lines() -> dict[str, float]:
    return parsed(metrics.render()[0])


def parsed(text: bytes) -> dict[str, float]:
    rows = [line for line in text.decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (row.rpartition(" ") for row in rows)}


class TestCounters:
    def test_count_what_they_are_told(self) -> None:
        before = lines()
        metrics.count_answer(200)
        metrics.count_answer(200)
        metrics.count_events("rewarded", 5)
        metrics.count_entries("earned", 2)
        metrics.count_call("429")
        with metrics.time_batch("events"):
            pass
        after = lines()
        grown = {name: after[name] - before.get(name, 0) for name in after}
        assert grown['rewards_webhook_answers_total{status="200"}'] == 2
        assert grown['rewards_events_processed_total{outcome="rewarded"}'] == 5
        assert grown['rewards_entries_posted_total{kind="earned"}'] == 2
        assert grown['rewards_chargebee_answers_total{status="429"}'] == 1
        assert grown['rewards_batch_seconds_count{queue="events"}'] == 1

    def test_an_answer_costs_microseconds(self) -> None:
        start = time.thread_time()
        for _ in range(20_000):
            metrics.count_answer(401)
        assert (time.thread_time() - start) / 20_000 < 50e-6


class TestBacklog:
    def test_is_read_at_each_scrape(self) -> None:
        backlogs = iter([BACKLOG, BACKLOG._replace(pending_events=0)])
        metrics.register_backlog(lambda: next(backlogs))
        first = lines()
        assert first["rewards_events_pending"] == 3
        assert first["rewards_events_oldest_pending_seconds"] == 1.5
        assert first["rewards_events_quarantined"] == 2
        assert first["rewards_events_dead"] == 1
        assert first["rewards_reward_due"] == 7
        assert lines()["rewards_events_pending"] == 0

    def test_is_missing_while_the_database_is_away(self, caplog: pytest.LogCaptureFixture) -> None:
        def read() -> Backlog:
            raise ConnectionError("no database")

        metrics.register_backlog(read)
        metrics.count_answer(200)
        found = lines()
        assert "rewards_events_pending" not in found
        assert found['rewards_webhook_answers_total{status="200"}'] > 0
        assert "backlog" in caplog.text

    def test_is_missing_before_an_app_registers_it(self) -> None:
        metrics._backlog.read = None
        assert "rewards_events_pending" not in lines()


class TestRender:
    def test_names_its_format(self) -> None:
        assert metrics.render()[1].startswith("text/plain")

    def test_adds_up_several_processes(self, tmp_path: Path) -> None:
        """Also those that have ended: a recycled worker's counts stay."""
        environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
        for _ in range(2):
            subprocess.run([sys.executable, "-c", _PROCESS], env=environment, check=True)
        render = (
            "import sys; from rewards_service.kit import metrics;"
            "metrics.register_backlog(lambda: metrics.Backlog(3, 1.5, 2, 1, 7));"
            "sys.stdout.buffer.write(metrics.render()[0])"
        )
        found = parsed(
            subprocess.run(
                [sys.executable, "-c", render], env=environment, check=True, stdout=subprocess.PIPE
            ).stdout
        )
        assert found['rewards_webhook_answers_total{status="200"}'] == 2
        assert found['rewards_events_processed_total{outcome="rewarded"}'] == 10
        assert found['rewards_batch_seconds_count{queue="events"}'] == 2
        assert found["rewards_events_pending"] == 3
