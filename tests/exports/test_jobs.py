"""Workers that die, errors that pass or do not, and files whose time is over."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from rewards_service.exports import jobs, making, service
from rewards_service.exports.models import ExportChunk
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import transaction
from rewards_service.kit.queue import DOORBELLS, EXPORTS
from tests.builders.api import Caller
from tests.builders.world import World
from tests.exports.asking import Work, ask, change, chunks, fetch


class TestDrain:
    def test_what_a_dead_worker_left_is_begun_again(
        self, api: Caller, partners: World, work: Work
    ) -> None:
        asked = ask(api)
        with transaction(partners.engine) as session:
            dead = service.take(session)
            assert dead is not None
            session.add(ExportChunk(export_id=dead.id, number=7, content=b"half"))
        assert work() == 0
        change(partners, lease_until=utc_now() - timedelta(seconds=1))

        assert work() == 1
        assert api.get(f"/exports/{asked['id']}")["state"] == "done"
        assert (chunks(partners), fetch(api, asked).count(b"\r\n")) == (1, 4)
        with pytest.raises(service.TakenOver), transaction(partners.engine) as session:
            service.keep(session, dead, 1)

    def test_one_whose_workers_always_die_is_given_up(
        self, api: Caller, partners: World, work: Work
    ) -> None:
        asked = ask(api)
        change(partners, attempts=service.MAX_ATTEMPTS, state="running")
        work()
        found = api.get(f"/exports/{asked['id']}")

        assert (found["state"], bool(found["error"])) == ("failed", True)

    def test_an_error_of_ours_is_tried_again_later_and_not_for_ever(
        self, api: Caller, partners: World, work: Work, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object) -> None:
            raise RuntimeError("a secret")

        monkeypatch.setattr(making, "csv_parts", fail)
        asked = ask(api)
        states = []
        for _ in range(service.MAX_ATTEMPTS):
            assert (work(), work()) == (1, 0)
            found = api.get(f"/exports/{asked['id']}")
            states.append(found["state"])
            change(partners, next_attempt_at=None)

        assert states == ["running"] * (service.MAX_ATTEMPTS - 1) + ["failed"]
        assert "secret" not in found["error"]

    def test_a_list_that_is_not_there_fails_with_what_the_list_says(
        self, api: Caller, partners: World, work: Work
    ) -> None:
        asked = ask(api, resource="payouts/pay_4zqsxdqv6b6nn/lines")
        work()

        assert api.get(f"/exports/{asked['id']}")["error"] == "There is no such payout."

    def test_files_are_removed_after_their_time(
        self, api: Caller, partners: World, work: Work
    ) -> None:
        asked = ask(api)
        work()
        made = api.get(f"/exports/{asked['id']}")
        assert made["expires_at"] > made["finished_at"]
        change(partners, expires_at=utc_now() - timedelta(seconds=1))
        with Session(partners.engine) as session:
            assert service.has_due(session)
        work()

        assert (api.get(f"/exports/{asked['id']}")["state"], chunks(partners)) == ("expired", 0)
        api.refused("GET", f"/exports/{asked['id']}/file", 409)
        with Session(partners.engine) as session:
            assert not service.has_due(session)

    def test_a_job_may_name_it(self, app: Flask, partners: World) -> None:
        assert DOORBELLS[EXPORTS] == "rewards_service.exports.jobs.drain_exports"
        with app.app_context():
            assert jobs.drain_exports() == 0
