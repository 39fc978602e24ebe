"""Keys that are changed: nothing is refused meanwhile, and a key taken out too early is noticed."""

import pytest
from cryptography.fernet import Fernet
from flask import Flask
from sqlalchemy import Engine, create_engine

from rewards_service.app import create_app
from rewards_service.cli.booting import check_keys
from rewards_service.kit.db import Base
from rewards_service.kit.sealed import KeyMissing, check_openable
from rewards_service.settings import Settings, load_settings
from tests.builders.api import Caller
from tests.cli.conftest import Rewards, quiet_log, read, rewards  # noqa: F401
from tests.conftest import ENCRYPTION_KEY

NEW = Fernet.generate_key().decode()


class TestEncryptionKeys:
    @pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
    def test_one_that_was_taken_out_too_early_is_refused_at_the_start(
        self, api: Caller, app: Flask, settings: Settings, engine: Engine,
        rewards: Rewards,  # noqa: F811
    ) -> None:  # fmt: skip
        api.create("/integrations", site="a-test", api_key="live_x")
        check_keys(app)  # as it is, all is well
        for keys in ((NEW, ENCRYPTION_KEY), (ENCRYPTION_KEY, NEW)):
            check_openable(engine, Base.metadata, keys)

        with pytest.raises(KeyMissing, match=r"integrations\.api_key_encrypted"):
            check_openable(engine, Base.metadata, (NEW,))
        worker = rewards("worker", ENCRYPTION_KEYS=NEW)
        told = read(rewards("doctor", "--offline", "--json", ENCRYPTION_KEYS=NEW))

        assert worker.exit_code == 1
        assert "Put it back" in worker.output
        assert [one["ok"] for one in told["checks"] if one["id"] == "keys"] == [False]
        read(rewards("rotate-keys", "--json", ENCRYPTION_KEYS=f"{NEW},{ENCRYPTION_KEY}"))
        check_openable(engine, Base.metadata, (NEW,))

    def test_a_database_that_is_away_is_left_to_others(self) -> None:
        given = {"DATABASE_URL": "sqlite:////nowhere/x.db", "REDIS_URL": "redis://unused",
                 "SECRET_KEY": "k" * 32, "ENCRYPTION_KEYS": NEW}  # fmt: skip
        check_keys(create_app(load_settings(given)))
        check_openable(create_engine("sqlite://"), Base.metadata, (NEW,))
