import pytest
from flask import Flask
from sqlalchemy import Engine, create_engine, text

from rewards_service.kit.connecting import connect_args
from rewards_service.kit.db import db
from rewards_service.webhooks.routes import reception_of

LIMITS = ("idle_in_transaction_session_timeout", "statement_timeout")


def limits(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return [connection.execute(text(f"SHOW {name}")).scalar_one() for name in LIMITS]


class TestConnectArgs:
    @pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
    def test_either_side_gives_up_the_other_within_ten_seconds(self, database_url: str) -> None:
        """What is asked of the server stands beside what the address asks for."""
        given = "&options=-c%20application_name%3Dmine"
        url = f"{database_url}{given}"
        engine = create_engine(url, connect_args=connect_args(url, statement_timeout=5_000))
        with engine.connect() as connection:
            mine, timeout = connection.execute(
                text("SELECT current_setting('application_name'), current_setting(:limit)"),
                {"limit": "statement_timeout"},
            ).one()
            driver = connection.connection.driver_connection
            told = driver.info.get_parameters() if driver is not None else {}
        engine.dispose()
        asked = connect_args(url)["options"]

        assert (mine, timeout) == ("mine", "5s")
        assert told["tcp_user_timeout"] == "5000"
        silence = [int(told[f"keepalives_{name}"]) for name in ("idle", "interval", "count")]
        assert silence[0] + silence[1] * silence[2] < 10
        assert {"tcp_user_timeout=5000", "tcp_keepalives_idle=3"} <= set(asked.split())

    def test_sqlite_takes_none(self) -> None:
        assert connect_args("sqlite:///rewards.db") == {}

    @pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
    def test_the_service_holds_no_lock_for_ever(self, app: Flask) -> None:
        with app.app_context():
            assert limits(db.engine) == ["30s", "0"]
        assert limits(reception_of(app).engine) == ["30s", "5s"]
