"""A POST that is sent twice is done once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine, event, func, select, text, update
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from rewards_service.crm.models import Lead
from rewards_service.kit import housekeeping, ids
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import transaction
from rewards_service.kit.queue import DOORBELLS, HOUSEKEEPING
from rewards_service.kit.repeats import REPLAYED, KeptAnswer, Wish, _lock_of
from tests.builders.api import PREFIX, PROBLEM, Caller, operations, sample_bodies

EVE = {"email": "eve@buyer.example"}


def post(api: Caller, path: str, once: str, body: Any, **more: Any) -> TestResponse:
    return api.call("POST", path, json=body, headers={"Idempotency-Key": once}, **more)


def count(engine: Engine, model: Any) -> int:
    with Session(engine) as session:
        return session.scalars(select(func.count()).select_from(model)).one()


class TestOnce:
    def test_whatever_is_made_is_made_once_and_shown_twice(self, api: Caller) -> None:
        for number, (path, body) in enumerate(sample_bodies(api).items()):
            first, second = (post(api, path, f"key {number}", body) for _ in range(2))

            assert (first.status_code, second.status_code) == (201, 201), path
            assert second.data == first.data, path
            assert (first.headers.get(REPLAYED), second.headers[REPLAYED]) == (None, "true")
            for name in ("ETag", "Location", "Content-Type", "Content-Length"):
                assert second.headers[name] == first.headers[name]

    @pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
    def test_a_key_that_cannot_be_one_is_refused_everywhere(self, app: Flask, api: Caller) -> None:
        for method, path, _ in operations(app):
            if method == "POST":
                for key in ("", "x" * 256, "\u00fc"):
                    answer = post(api, path, key, {})

                    assert (answer.status_code, answer.mimetype) == (400, PROBLEM), path
                    assert answer.get_json()["code"] == "bad_idempotency_key"

    def test_a_key_is_good_for_one_body_and_one_route(self, api: Caller) -> None:
        post(api, "/leads", "k", EVE)
        for path, body in (
            ("/leads", {"email": "ada@buyer.example"}),
            ("/customers", EVE),
            ("/leads?x=1", EVE),
        ):
            answer = post(api, path, "k", body)

            assert (answer.status_code, answer.mimetype) == (422, PROBLEM)
            assert answer.get_json()["code"] == "idempotency_key_reused"

    def test_another_api_key_has_keys_of_its_own(self, api: Caller, engine: Engine) -> None:
        other = api.make_key(["crm:write"])
        made = {
            post(api, "/leads", "k", EVE).get_json()["id"],
            post(api, "/leads", "k", EVE, key=other).get_json()["id"],
        }

        assert len(made) == count(engine, Lead) == 2
        weaker = api.make_key(["crm:read"])
        assert post(api, "/leads", "k", EVE, key=weaker).status_code == 403

    def test_what_was_refused_may_be_mended_under_the_same_key(
        self, api: Caller, engine: Engine
    ) -> None:
        assert post(api, "/leads", "k", {"email": "no\x00address"}).status_code == 422
        assert post(api, "/leads", "k", {**EVE, "partner_id": "par_0"}).status_code == 422
        assert count(engine, KeptAnswer) == 0

        assert post(api, "/leads", "k", EVE).status_code == 201

    def test_what_broke_is_neither_done_nor_kept(
        self, api: Caller, engine: Engine, app: Flask
    ) -> None:
        def fail(_session: Session) -> None:
            raise RuntimeError("the machine goes down before the commit")

        event.listen(Session, "before_commit", fail)
        broken = post(api, "/leads", "k", EVE)
        event.remove(Session, "before_commit", fail)

        assert broken.status_code == 500
        assert (count(engine, Lead), count(engine, KeptAnswer)) == (0, 0)
        assert post(api, "/leads", "k", EVE).status_code == 201
        assert (count(engine, Lead), count(engine, KeptAnswer)) == (1, 1)

    @pytest.mark.parametrize("more", [{}, {"external_id": "l-1"}])
    def test_of_many_at_once_one_is_done_and_the_others_hear_of_it(
        self, app: Flask, api: Caller, engine: Engine, more: dict[str, str]
    ) -> None:
        headers = {"Authorization": f"Bearer {api.key}", "Idempotency-Key": "k"}

        def create(_: int) -> TestResponse:
            client = app.test_client()
            return client.post(f"{PREFIX}/leads", json={**EVE, **more}, headers=headers)

        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(create, range(6)))
        done = [answer for answer in answers if answer.status_code == 201]
        others = [answer for answer in answers if answer.status_code != 201]

        assert count(engine, Lead) == 1
        assert len({answer.get_json()["id"] for answer in done}) == 1
        assert sum(REPLAYED not in answer.headers for answer in done) == 1
        for answer in others:
            assert answer.status_code == 409
            assert answer.get_json()["code"] == "idempotency_key_in_flight"
            assert int(answer.headers["Retry-After"]) > 0

    @pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # one writer elsewhere
    def test_while_the_first_is_at_work_the_second_is_asked_to_come_again(
        self, api: Caller, engine: Engine
    ) -> None:
        wish = Wish(ids.decode("key", api.get("/me")["id"]) or 0, "k", b"")
        with engine.begin() as first:
            first.execute(select(func.pg_advisory_xact_lock(_lock_of(wish))))
            answer = post(api, "/leads", "k", EVE)

        assert (answer.status_code, answer.headers["Retry-After"]) == (409, "1")
        assert post(api, "/leads", "k", EVE).status_code == 201

    def test_a_secret_lies_sealed(self, api: Caller, engine: Engine) -> None:
        body = {"name": "n", "scopes": ["crm:read"]}
        shown = post(api, "/api-keys", "k", body).get_json()["key"]
        with engine.connect() as connection:
            kept = connection.execute(text("SELECT * FROM kept_answers")).one()

        assert shown.split("_")[2] not in str(tuple(kept))
        assert post(api, "/api-keys", "k", body).get_json()["key"] == shown

    def test_a_post_that_only_looks_is_kept_too(self, api: Caller) -> None:
        rule = sample_bodies(api)["/reward-rules"]
        path = f"/reward-rules/{api.create('/reward-rules', **rule)['id']}/preview"
        first, second = (post(api, path, "k", {"rate": "0.3"}) for _ in range(2))

        assert first.status_code == second.status_code == 200, first.text
        assert second.data == first.data
        assert REPLAYED in second.headers


class TestForgetExpired:
    def test_after_a_day_it_is_done_anew_and_the_old_answer_is_swept_away(
        self, app: Flask, api: Caller, engine: Engine
    ) -> None:
        for key in ("k", "other"):
            post(api, "/leads", key, EVE)
        assert DOORBELLS[HOUSEKEEPING] == "rewards_service.retention.jobs.run_due"
        with app.app_context():
            assert housekeeping.run_due() == 0
        with transaction(engine) as session:
            assert not housekeeping.has_due(session)
            kept = session.scalars(select(KeptAnswer.expires_at)).first()
            assert kept is not None
            assert timedelta(hours=23) < kept - utc_now() <= timedelta(hours=24)
            session.execute(update(KeptAnswer).values(expires_at=utc_now()))

        anew = post(api, "/leads", "k", EVE)
        assert (anew.status_code, REPLAYED in anew.headers) == (201, False)
        assert count(engine, Lead) == 3
        with app.app_context():
            assert housekeeping.run_due() == 1
        assert REPLAYED in post(api, "/leads", "k", EVE).headers
