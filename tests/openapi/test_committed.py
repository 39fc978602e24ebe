"""The committed description is what is served, and breaks nobody without saying so."""

import json
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient

from tools.openapi import CURRENT, RELEASED, written
from tools.openapi_changes import breaking, unannounced

CHANGELOG = Path(__file__).resolve().parent.parent.parent / "CHANGELOG.md"


class TestDocument:
    def test_what_is_committed_is_what_is_served(self, bare: FlaskClient) -> None:
        served = bare.get("/api/openapi.json").get_json()

        assert written(served) == CURRENT.read_text(), "Run make openapi, and look at the changes."

    def test_it_is_the_same_on_every_machine(self, bare_app: Flask, bare: FlaskClient) -> None:
        text = bare.get("/api/openapi.json").text

        assert str(bare_app.extensions["rewards_settings"].var_dir) not in text
        assert json.loads(text)["servers"][0]["url"] == "/"


class TestChanges:
    def test_nothing_breaks_unannounced(self) -> None:
        """A change that breaks callers names its operation in the changelog, under Breaking."""
        old, new = json.loads(RELEASED.read_text()), json.loads(CURRENT.read_text())

        assert unannounced(breaking(old, new), CHANGELOG.read_text()) == []
