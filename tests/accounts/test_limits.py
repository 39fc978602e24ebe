"""Rate limits over HTTP."""

from dataclasses import replace

import pytest
from flask import Flask
from redis import Redis

from rewards_service.app import create_app
from rewards_service.settings import Settings
from tests.builders.api import PREFIX, PROBLEM, Caller, operations

# What is counted is in Redis alone.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def limited(settings: Settings, redis_connection: Redis) -> Settings:
    """Four requests a minute for a key, two for an address without one; one proxy in front."""
    return replace(
        settings, api_requests_per_minute=4, api_requests_per_minute_without_key=2,
        trusted_proxies=1,
    )  # fmt: skip


@pytest.fixture
def app(limited: Settings) -> Flask:
    return create_app(limited)


class TestCountKey:
    def test_over_the_limit_a_key_is_told_to_wait(self, app: Flask, limited: Settings) -> None:
        api = Caller(app, limited)
        for left in (3, 2, 1, 0):
            answer = api.call("GET", "/me")
            assert answer.status_code == 200
            assert answer.headers["RateLimit-Policy"] == '"default";q=4;w=60'
            assert answer.headers["RateLimit"].startswith(f'"default";r={left};t=')
        for method, path, _ in operations(app):
            refused = api.call(method, path)

            assert (refused.status_code, refused.mimetype) == (429, PROBLEM), path
        assert refused.get_json()["code"] == "too_many_requests"
        assert 1 <= int(refused.headers["Retry-After"]) <= 60
        assert refused.headers["RateLimit"].startswith('"default";r=0;t=')
        assert api.call("GET", "/me", key=api.make_key(["admin"])).status_code == 200

    def test_without_a_limit_nothing_is_counted_or_told(self, settings: Settings) -> None:
        api = Caller(create_app(settings), settings)

        assert "RateLimit" not in api.call("GET", "/me").headers

    def test_without_redis_everything_goes_on(self, limited: Settings) -> None:
        away = replace(limited, redis_url="redis://127.0.0.1:1/0")
        api = Caller(create_app(away), away)

        assert api.call("GET", "/me").status_code == 200
        assert api.call("POST", "/programs", json={"name": "P"}).status_code == 429  # its share
        assert api.client.get(f"{PREFIX}/me").status_code == 401
        assert api.client.get("/livez").status_code == 200


class TestCountAddress:
    def test_strangers_of_one_place_share_a_limit_and_good_keys_do_not_suffer(
        self, app: Flask, limited: Settings
    ) -> None:
        api = Caller(app, limited)

        def ask(place: str, path: str = f"{PREFIX}/me", **headers: str) -> int:
            more = {"X-Forwarded-For": place, **headers}
            return app.test_client().get(path, headers=more).status_code

        assert [ask("192.0.2.1") for _ in range(3)] == [401, 401, 429]
        assert ask("192.0.2.1", "/api/openapi.json") == 429
        assert ask("192.0.2.1", "/livez") == 200
        assert ask("192.0.2.2", Authorization="Bearer rk_no_good") == 401
        assert ask("192.0.2.1", Authorization=f"Bearer {api.key}") == 200
        # Whoever writes the header himself is seen through: the proxy adds the real address.
        assert ask("203.0.113.9, 192.0.2.1") == 429
        # IPv6 by network: its holder has all of it.
        assert [ask(f"2001:db8::{n}") for n in range(1, 4)] == [401, 401, 429]
        assert ask("2001:db8:0:1::1") == 401
        assert [ask("::ffff:192.0.2.1"), ask("nonsense")] == [429, 401]

    def test_redis_does_not_hear_who_calls(self, app: Flask, redis_connection: Redis) -> None:
        app.test_client().get(f"{PREFIX}/me", headers={"X-Forwarded-For": "192.0.2.1"})

        names = list(redis_connection.scan_iter())
        assert names != []
        assert [name for name in names if b"192.0.2.1" in name] == []
