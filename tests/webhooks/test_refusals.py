"""What the webhook endpoint refuses, and how, through the whole application."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine

from rewards_service.settings import Settings
from rewards_service.webhooks.door import MAX_BODY
from tests.builders.site import Site
from tests.builders.world import World
from tests.webhooks.answers import assert_problem, basic, body_of, stored


@pytest.fixture
def world(app: Flask, engine: Engine, settings: Settings) -> World:
    """As everywhere, but on the whole application."""
    return World(app, engine, settings)


class TestRefused:
    @pytest.mark.parametrize(
        "authorization",
        ["", "Basic", "Basic !!!", "Bearer x", basic("a:b"), basic(":"), "Basic " + "A" * 9_000],
    )
    def test_wrong_credentials(self, authorization: str, world: World) -> None:
        """The same body for an unknown endpoint; nothing is kept."""
        unknown = Site(world.client, 0, "no-such-endpoint", "a:b")
        wrong = world.site.post(body_of("ev_1"), Authorization=authorization)
        nobody = unknown.post(body_of("ev_1"), Authorization=authorization)
        assert_problem(wrong, 401)
        assert (wrong.data, wrong.headers["WWW-Authenticate"]) == (
            nobody.data, nobody.headers["WWW-Authenticate"],
        )  # fmt: skip
        assert nobody.status_code == 401
        assert stored(world) == []

    @pytest.mark.parametrize("key", ["%00", "%ff%fe", "a%00b", "\u00fc", "x" * 5_000, "%E2%80%AE"])
    def test_strange_endpoint_keys_are_unknown_endpoints(self, key: str, world: World) -> None:
        answer = world.client.post(
            f"/webhooks/chargebee/{key}", data=body_of("ev_1"), content_type="application/json",
            headers={"Authorization": world.site.authorization},
        )  # fmt: skip
        assert_problem(answer, 401)

    def test_credentials_come_before_everything_else(self, world: World) -> None:
        answer = world.site.post(b"{", content_type="text/plain", Authorization=basic("a:b"))
        assert_problem(answer, 401)

    @pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "", "json",
                             "application/x-www-form-urlencoded"])  # fmt: skip
    def test_other_media_types(self, content_type: str, world: World) -> None:
        assert_problem(world.site.post(body_of("ev_1"), content_type=content_type), 415)

    def test_neither_a_length_nor_chunked(self, world: World) -> None:
        answer = world.client.post(
            world.site.path, content_type="application/json",
            headers={"Authorization": world.site.authorization},
        )  # fmt: skip
        assert_problem(answer, 411)

    def test_a_body_over_the_cap(self, world: World) -> None:
        assert_problem(world.site.post(b" " * (MAX_BODY + 1)), 413)

    def test_a_body_of_exactly_the_cap_is_read(self, world: World) -> None:
        raw = body_of("ev_1")
        assert world.site.post(raw + b" " * (MAX_BODY - len(raw))).status_code == 200

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD"])
    def test_other_methods_are_not_redirected(self, method: str, client: FlaskClient) -> None:
        answer = client.open("/webhooks/chargebee/key", method=method)
        assert answer.status_code == 405
        assert client.post("/webhooks/chargebee/key/").status_code in (401, 404)

    @pytest.mark.parametrize(
        "raw",
        [
            b"", b" ", b"null", b"[]", b"7", b'"text"', b"{", b"{}", b"\x00", b"\xff\xfe{}",
            b'{"id": "a", "event_type": "x", "content": {}, "content": {}}',
            b'{"id": "a", "event_type": "x", "content": {"n": NaN}}',
            b'{"id": "a", "event_type": "x", "content": {"n": -Infinity}}',
            b'{"id": "a", "event_type": "x", "content": {"n": 1e999}}',
            b'{"id": "a", "event_type": "x", "content": {"n": ' + b"9" * 5_000 + b"}}",
            b'{"id": "a", "event_type": "x", "content": ' + b"[" * 9_999 + b"]" * 9_999 + b"}",
            b'{"id": "a", "event_type": "x", "content": {}} {}',
            b"{'id': 'a'}",
            b'{"id": "a", "event_type": "x", "content": {}}'.decode().encode("utf-16"),
        ],
    )  # fmt: skip
    def test_what_is_not_strict_json_or_no_object(self, raw: bytes, shared: World) -> None:
        before = len(stored(shared))
        assert_problem(shared.site.post(raw), 400)
        assert len(stored(shared)) == before

    @pytest.mark.parametrize("event_id", [None, 7, "", "x" * 101, ["a"], True, "a\x00b", "\ud800"])
    def test_no_usable_id(self, event_id: object, shared: World) -> None:
        body = {"id": event_id, "event_type": "x", "content": {}}
        assert_problem(shared.site.post(body), 400)

    def test_an_id_of_one_hundred_characters_is_usable(self, shared: World) -> None:
        body = {"id": "\u00fc" * 100, "event_type": "x", "content": {}}
        assert shared.site.post(body).status_code == 200

    @pytest.mark.parametrize("member", [{"event_type": None}, {"event_type": 7}, {"content": None},
                             {"content": []}, {"content": "x"}])  # fmt: skip
    def test_no_event_type_or_content(self, member: dict[str, Any], shared: World) -> None:
        body = {"id": "a", "event_type": "x", "content": {}} | member
        assert_problem(shared.site.post(body), 400)


class TestDatabaseGone:
    def test_says_come_again(self, world: World) -> None:
        world.site.accept(body_of("ev_1"))
        with world.engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE received_events RENAME TO hidden")
        answer = world.site.post(body_of("ev_2"))
        assert_problem(answer, 503)
        assert int(answer.headers["Retry-After"]) > 0
        with world.engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE hidden RENAME TO received_events")
        assert world.site.post(body_of("ev_2")).status_code == 200
