"""Anything at every door is answered in order: the short form of `make fuzz`."""

import pytest
from flask import Flask
from sqlalchemy import Engine

from rewards_service.settings import Settings
from tests.security.fuzzing import Target, run


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
class TestEveryDoor:
    def test_nothing_is_answered_with_an_error_of_ours(
        self, app: Flask, engine: Engine, settings: Settings
    ) -> None:
        found = run(Target(app, engine, settings), cases=240, seed=1)

        assert sum(counted.total() for counted in found.values()) >= 240
        assert all(200 in found[door] for door in ("webhook", "api query", "import"))
