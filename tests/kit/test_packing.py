"""Answers in gzip."""

import gzip
from shutil import copyfile

import pytest
from flask import Flask, Response

from rewards_service.app import create_app
from rewards_service.settings import Settings
from tests.builders.api import Caller

ZIPPED = {"Accept-Encoding": "gzip"}


@pytest.fixture
def database_url(tmp_path: object) -> str:
    return f"sqlite:///{tmp_path}/rewards.db"


class TestPack:
    @pytest.fixture
    def app(self, settings: Settings) -> Flask:
        app = create_app(settings)
        app.add_url_rule("/api/large", "large", view_func=lambda: {"text": "a" * 5_000})
        app.add_url_rule("/api/small", "small", view_func=lambda: {"text": "a"})
        app.add_url_rule(
            "/api/stream", "stream",
            view_func=lambda: Response((f"{n}\r\n" for n in range(1_000)), mimetype="text/csv"),
        )  # fmt: skip
        return app

    def test_a_large_answer_is_packed_for_who_takes_it(self, app: Flask) -> None:
        plain = app.test_client().get("/api/large")
        packed = app.test_client().get("/api/large", headers=ZIPPED)

        assert gzip.decompress(packed.data) == plain.data
        assert int(packed.headers["Content-Length"]) == len(packed.data) < len(plain.data)
        assert plain.headers["Vary"] == packed.headers["Vary"] == "Accept-Encoding"
        refused = app.test_client().get("/api/large", headers={"Accept-Encoding": "gzip;q=0, br"})
        assert "Content-Encoding" not in refused.headers

    def test_the_packed_answer_has_a_strong_tag_of_its_own_that_is_known_again(
        self, app: Flask
    ) -> None:
        client = app.test_client()
        plain = client.get("/api/large").headers["ETag"]
        packed = client.get("/api/large", headers=ZIPPED).headers["ETag"]

        assert packed == f'{plain[:-1]}-gzip"'
        for known in (plain, packed):
            answer = client.get("/api/large", headers={**ZIPPED, "If-None-Match": known})
            assert (answer.status_code, answer.data) == (304, b"")
            assert answer.headers["ETag"] == known
            assert answer.headers["Vary"] == "Accept-Encoding"
            assert "Content-Encoding" not in answer.headers

    def test_small_answers_and_streams_go_as_they_are(self, app: Flask) -> None:
        client = app.test_client()
        for path in ("/api/small", "/api/stream"):
            answer = client.get(path, headers=ZIPPED)

            assert "Content-Encoding" not in answer.headers, path
        assert answer.data == b"".join(b"%d\r\n" % number for number in range(1_000))

    def test_a_tag_of_a_packed_answer_is_good_for_a_change(
        self, settings: Settings, sqlite_template: object
    ) -> None:
        copyfile(str(sqlite_template), settings.database_url.removeprefix("sqlite:///"))
        api = Caller(create_app(settings), settings)
        body = {"name": "P", "description": "long " * 300}
        made = api.call("POST", "/programs", json=body, headers=ZIPPED)
        path, tag = made.headers["Location"].removeprefix("/api/v1"), made.headers["ETag"]

        assert tag.endswith('-gzip"')
        changed = api.call("PATCH", path, json={"name": "Q"}, headers={"If-Match": tag})
        assert changed.status_code == 200
