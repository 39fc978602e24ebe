"""Liveness, readiness, metrics."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from redis import Redis
from sqlalchemy import Engine, text

from rewards_service.app import create_app
from rewards_service.integrations.models import EventPoll
from rewards_service.kit.clock import utc_now
from rewards_service.kit.presence import Presence
from rewards_service.kit.queue import DOORBELLS, EVENTS, HEARTBEAT_PREFIX, put_job, queue_on
from rewards_service.payouts.models import Payout
from rewards_service.reconciliation.models import Reconciliation
from rewards_service.settings import Settings
from tests.builders.chargebee import paid
from tests.builders.world import World
from tests.kit.test_metrics import parsed


class TestReadyz:
    def test_each_check_is_named(self, client: FlaskClient) -> None:
        answer = client.get("/readyz")

        assert answer.status_code == 200
        assert {name: check["ok"] for name, check in answer.get_json()["checks"].items()} == {
            "database": True, "migrations": True,
        }  # fmt: skip

    def test_a_schema_of_a_newer_release_is_ready(
        self, client: FlaskClient, engine: Engine
    ) -> None:
        """Old processes serve until the last new one has taken over."""
        with engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        answer = client.get("/readyz")

        assert answer.status_code == 200
        assert "newer release" in answer.get_json()["checks"]["migrations"]["detail"]

    def test_an_old_schema_is_not_ready_and_says_what_to_do(
        self, client: FlaskClient, engine: Engine
    ) -> None:
        with engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = 'older'"))
        answer = client.get("/readyz")

        assert answer.status_code == 503
        assert "rewards init" in answer.get_json()["checks"]["migrations"]["detail"]


class TestMetrics:
    def test_they_tell_what_waits(self, client: FlaskClient, world: World) -> None:
        world.accept(paid("1", "cb1", "eve@buyer.example"))
        lines = client.get("/metrics").text.splitlines()

        assert "rewards_events_pending 1.0" in lines
        assert "rewards_events_quarantined 0.0" in lines

    def test_they_tell_who_lives_and_what_waits_in_the_queue(
        self, client: FlaskClient, redis_connection: Redis, redis_url: str
    ) -> None:
        redis_connection.set(f"{HEARTBEAT_PREFIX}one", "1", ex=30)
        presence = Presence(redis_url)
        presence.announce()
        put_job(queue_on(redis_connection, EVENTS), DOORBELLS[EVENTS])
        lines = client.get("/metrics").text.splitlines()
        presence.leave()
        after = client.get("/metrics").text.splitlines()

        assert {
            "rewards_redis_up 1.0", "rewards_workers_alive 1.0", "rewards_schedulers_alive 1.0",
            'rewards_queue_jobs{queue="events",state="waiting"} 1.0',
        } <= set(lines)  # fmt: skip
        assert "rewards_schedulers_alive 0.0" in after

    @pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
    def test_without_redis_they_say_so_and_no_more(self, settings: Settings) -> None:
        app = create_app(replace(settings, redis_url="redis://127.0.0.1:1/0"))
        lines = app.test_client().get("/metrics").text.splitlines()

        assert "rewards_redis_up 0.0" in lines
        assert not any(line.startswith("rewards_workers_alive") for line in lines)

    def test_they_tell_what_needs_a_person(self, client: FlaskClient, world: World) -> None:
        world.accept(paid("1", "cb1", "eve@buyer.example"))
        partner = world.partner()
        old = utc_now() - timedelta(days=8)
        for status, ready_at, problem in (
            ("ready", old, None), ("ready", utc_now(), None), ("draft", None, "rate_missing"),
        ):  # fmt: skip
            world.add(a_payout(partner, status, ready_at, problem))
        poll = {"integration_id": world.site.id, "succeeded_at": utc_now() - timedelta(hours=2)}
        compared = {"equal": 5, "missing_here": 2, "different": 1}
        for counts in ({"missing_here": 9}, compared):
            world.add(a_comparison(world.site.id, counts))
        with world.engine.begin() as connection:
            connection.execute(text("UPDATE received_events SET attempts = 1"))
            connection.execute(text("UPDATE integrations SET api_key_encrypted = 'x'"))
        world.add(EventPoll(**poll))
        found = parsed(client.get("/metrics").data)

        assert found["rewards_payouts_stuck"] == found["rewards_payouts_with_problem"] == 1
        assert found["rewards_events_failed"] == 1
        assert found['rewards_reconciliation_differences{site="acme-test"}'] == 3
        assert 7_190 < found['rewards_poll_lag_seconds{site="acme-test"}'] < 7_300
        heard = found["rewards_webhook_last_event_timestamp_seconds"]
        assert abs(heard - utc_now().timestamp()) < 60
        on_server = "rewards_database_connections_max" in found
        assert on_server is (world.engine.dialect.name == "postgresql")


def a_payout(partner: int, status: str, ready_at: datetime | None, problem: str | None) -> Payout:
    return Payout(
        partner_id=partner, currency="USD", cut_off_on=date(2026, 1, 31), status=status,
        problem=problem, total_minor=100, line_count=1, ledger_sha256="0" * 64,
        pay_currency="USD", pay_total_minor=None if problem else 100, ready_at=ready_at,
        created_by="test",
    )  # fmt: skip


def a_comparison(site: int, counts: dict[str, int]) -> Reconciliation:
    now = utc_now()
    return Reconciliation(
        integration_id=site, from_at=now, before_at=now, repair=False, asked_by="nightly",
        state="done", section="end", position_at=now, counts=counts, notes={}, sums=[],
        finished_at=now,
    )  # fmt: skip
