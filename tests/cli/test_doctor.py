from typing import Any

import pytest
from redis import Redis
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from rewards_service.inbox.models import ReceivedEvent
from rewards_service.integrations.service import create_integration
from rewards_service.kit.clock import utc_now
from rewards_service.kit.migrate import downgrade
from rewards_service.kit.presence import Presence
from rewards_service.kit.queue import HEARTBEAT_PREFIX
from rewards_service.settings import Settings
from tests.cli.conftest import Rewards, read


@pytest.fixture
def worker(redis_connection: Redis) -> None:
    """A sign of life, as a worker leaves it."""
    redis_connection.set(f"{HEARTBEAT_PREFIX}one", "1", ex=30)


def examined(rewards: Rewards, **environ: str) -> dict[str, dict[str, Any]]:
    checks = read(rewards("doctor", "--json", **environ))["checks"]
    assert all({"id", "ok", "detail", "remedy"} <= set(check) for check in checks)
    return {check["id"]: check for check in checks}


class TestDoctor:
    def test_a_sound_installation_is_exit_status_0(
        self, rewards: Rewards, worker: None, database_url: str
    ) -> None:
        answer = rewards("doctor")
        failed = [line for line in answer.output.splitlines() if line.startswith("FAILED")]

        # The tests' own PostgreSQL runs without durable commits, which must not pass unseen.
        expected = [] if database_url.startswith("sqlite") else ["FAILED  durability"]
        assert [line[:18] for line in failed] == expected, answer.output
        assert answer.exit_code == (1 if expected else 0)

    def test_a_schema_that_is_behind_fails(
        self, rewards: Rewards, worker: None, database_url: str
    ) -> None:
        downgrade(database_url, "0001")

        check = examined(rewards)["database"]

        assert (check["ok"], check["remedy"]) == (False, "Run: rewards init")

    def test_a_schema_that_is_ahead_is_told_and_commands_refuse_it(
        self, rewards: Rewards, worker: None, engine: Engine
    ) -> None:
        with engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

        check = examined(rewards)["database"]
        refused = rewards("check")

        assert (check["ok"], check["warning"]) == (True, True)
        assert "an upgrade is under way" in check["detail"]
        assert refused.exit_code == 2
        assert "of a newer release" in refused.output

    def test_no_scheduler_is_a_warning(
        self, rewards: Rewards, redis_connection: Redis, redis_url: str
    ) -> None:
        without = examined(rewards)["scheduler"]
        Presence(redis_url).announce()
        with_one = examined(rewards)["scheduler"]

        assert (without["ok"], without["warning"]) == (True, True)
        assert (with_one["ok"], with_one["warning"]) == (True, False)

    def test_a_database_that_is_away_fails_and_the_rest_is_examined(
        self, rewards: Rewards, worker: None
    ) -> None:
        checks = examined(rewards, DATABASE_URL="postgresql://rewards@127.0.0.1:1/rewards")

        assert checks["database"]["ok"] is False
        assert checks["redis"]["ok"] is True

    def test_redis_that_is_away_fails(self, rewards: Rewards) -> None:
        checks = examined(rewards, REDIS_URL="redis://127.0.0.1:1/0")

        assert (checks["redis"]["ok"], checks["workers"]["ok"]) == (False, False)

    def test_redis_that_may_drop_jobs_fails(
        self, rewards: Rewards, worker: None, redis_connection: Redis
    ) -> None:
        redis_connection.config_set("maxmemory-policy", "allkeys-lru")
        try:
            check = examined(rewards)["redis"]
        finally:
            redis_connection.config_set("maxmemory-policy", "noeviction")

        assert check["ok"] is False
        assert "noeviction" in check["remedy"]

    def test_no_worker_fails(self, rewards: Rewards, redis_connection: Redis) -> None:
        check = examined(rewards)["workers"]

        assert check["ok"] is False
        assert "rewards worker" in check["remedy"]

    @pytest.mark.parametrize(
        ("base_url", "warning"),
        [
            ("https://rewards.example.com", False),
            ("https://rewards.example.com:8443", False),
            ("https://rewards.example.com:9000", True),
            ("http://rewards.example.com", True),
        ],
    )
    def test_an_address_chargebee_cannot_use_is_a_warning(
        self, rewards: Rewards, base_url: str, warning: bool
    ) -> None:
        check = examined(rewards, BASE_URL=base_url)["base_url"]

        assert (check["ok"], check["warning"]) == (True, warning)

    def test_what_only_the_owner_of_an_integration_can_mend_is_a_warning(
        self, rewards: Rewards, worker: None, session: Session, settings: Settings
    ) -> None:
        integration, _ = create_integration(session, settings, {"site": "acme-test"}, "test")
        session.commit()
        assert "no webhook was ever received" in rewards("doctor").output

        session.add(
            ReceivedEvent(
                integration_id=integration.id, options_id=integration.options_id, event_id="e",
                event_type="t", source="webhook", received_at=utc_now(), body_sha256=b"", body=b"",
            )
        )  # fmt: skip
        integration.api_v1_seen_at = utc_now()
        integration.other_site_seen = "other-test"
        session.commit()

        output = rewards("doctor").output
        assert "API version 1" in output
        assert "other-test" in output
        assert "no webhook was ever received" not in output
