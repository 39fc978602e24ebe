"""Connections of the service notice that the other side is gone, and do not hold locks for ever."""

import pytest
from flask import Flask
from sqlalchemy import Engine, text

from rewards_service.kit import liveness
from rewards_service.kit.db import db
from rewards_service.webhooks.routes import reception_of

SETTINGS = ("idle_in_transaction_session_timeout", "statement_timeout")


def said(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return [connection.execute(text(f"SHOW {name}")).scalar_one() for name in SETTINGS]


class TestConnectArgs:
    def test_postgresql_does_as_it_was_asked(self, app: Flask, engine: Engine) -> None:
        if engine.dialect.name != "postgresql":
            pytest.skip("SQLite has no connections that could be cut")
        with app.app_context():
            assert said(db.engine) == ["30s", "0"]
        assert said(reception_of(app).engine) == ["30s", "5s"]

    def test_what_the_address_asks_for_prevails(self) -> None:
        arguments = liveness.connect_args("postgresql://h/d?options=-csearch_path%3Dours")

        assert arguments["options"].endswith(" -csearch_path=ours")

    def test_both_sides_give_up_within_seconds(self) -> None:
        arguments = liveness.connect_args("postgresql://h/d")
        silence = arguments["keepalives_idle"]
        silence += arguments["keepalives_count"] * arguments["keepalives_interval"]

        assert silence <= 11
        assert arguments["tcp_user_timeout"] <= 10_000
        for name in ("keepalives_idle", "keepalives_interval", "keepalives_count", "user_timeout"):
            assert f"-c tcp_{name}=" in arguments["options"]
