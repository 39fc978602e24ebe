"""Who may call the API."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from rewards_service.accounts.models import ApiKey
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import transaction
from tests.builders.api import Caller


def only_key(engine: Engine) -> ApiKey:
    with Session(engine, expire_on_commit=False) as session:
        return session.scalars(select(ApiKey)).one()


class TestAuthenticate:
    @pytest.mark.parametrize(
        "given",
        ["", "Bearer", "Bearer ", "Basic abc", "Bearer rk_x", "Bearer rk_x_y", "Bearer \xff_\xff_",
         "Bearer " + "_" * 5_000],
    )  # fmt: skip
    def test_anything_but_a_live_key_is_refused(self, api: Caller, given: str) -> None:
        answer = api.call("GET", "/me", headers={"Authorization": given})

        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")

    def test_a_key_with_another_secret_is_refused(self, api: Caller) -> None:
        public = api.key.rsplit("_", 1)[0]

        assert api.call("GET", "/me", key=f"{public}_{'x' * 32}").status_code == 401

    def test_an_expired_key_is_refused(self, api: Caller, engine: Engine) -> None:
        with transaction(engine) as session:
            session.scalars(select(ApiKey)).one().expires_at = utc_now() - timedelta(seconds=1)

        assert api.call("GET", "/me").status_code == 401

    def test_a_revoked_key_is_refused(self, api: Caller) -> None:
        made = api.create("/api-keys", name="short", scopes=["crm:read"])
        assert api.call("GET", "/leads", key=made["key"]).status_code == 200
        assert api.call("DELETE", f"/api-keys/{made['id']}").status_code == 204

        assert api.call("GET", "/leads", key=made["key"]).status_code == 401
        assert api.get(f"/api-keys/{made['id']}")["revoked_at"] is not None


class TestLastUse:
    def test_it_is_noted_at_most_once_a_minute(self, api: Caller, engine: Engine) -> None:
        api.get("/me")
        first = only_key(engine).last_used_at
        api.get("/me")

        assert first is not None
        assert only_key(engine).last_used_at == first

    def test_it_is_noted_again_after_a_minute(self, api: Caller, engine: Engine) -> None:
        long_ago = utc_now() - timedelta(minutes=2)
        with transaction(engine) as session:
            session.scalars(select(ApiKey)).one().last_used_at = long_ago
        api.get("/me")

        assert only_key(engine).last_used_at != long_ago

    def test_a_read_does_not_wait_for_it(self, api: Caller, session: Session) -> None:
        key = session.scalars(select(ApiKey).with_for_update()).one()
        key.name = "being changed by somebody else"
        session.flush()

        assert api.call("GET", "/me").status_code == 200


class TestDigest:
    def test_only_a_digest_of_the_secret_is_kept(
        self, api: Caller, app: Flask, engine: Engine
    ) -> None:
        key = only_key(engine)

        assert key.public_part in api.key
        assert api.key.encode() not in key.secret_digest
        assert len(key.secret_digest) == 32
