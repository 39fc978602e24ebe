"""Liveness, readiness, metrics."""

from flask.testing import FlaskClient
from sqlalchemy import Engine, text

from tests.builders.chargebee import paid
from tests.builders.world import World


class TestReadyz:
    def test_each_check_is_named(self, client: FlaskClient) -> None:
        answer = client.get("/readyz")

        assert answer.status_code == 200
        assert {name: check["ok"] for name, check in answer.get_json()["checks"].items()} == {
            "database": True, "migrations": True,
        }  # fmt: skip

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
