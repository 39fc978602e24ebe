"""The times of partners in programmes over HTTP."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from rewards_service.audit.models import AuditEntry
from rewards_service.kit import ids
from rewards_service.kit.clock import rfc3339, utc_now
from tests.builders.api import Caller, Json

ANN = {"name": "Ann", "email": "ann@partner.example"}
NOWHERE = ids.encode("prg", 1_000_000)


@pytest.fixture
def program(api: Caller) -> str:
    return str(api.create("/programs", name="Partners", timezone="America/New_York")["id"])


def times(partner: Json) -> list[tuple[str | None, str | None]]:
    return [(one["from_at"], one["until_at"]) for one in partner["enrolments"]]


def recent(value: Any) -> bool:
    return abs(datetime.fromisoformat(value) - utc_now()) < timedelta(minutes=1)


class TestProgramIds:
    def test_a_new_programme_counts_since_ever(self, api: Caller, program: str) -> None:
        made = api.create("/partners", **ANN, program_ids=[program])

        assert made["program_ids"] == [program]
        assert made["enrolments"] == [
            {"program_id": program, "level_id": None, "from_at": None, "until_at": None}
        ]

    def test_one_that_is_left_out_ends_now_and_is_not_forgotten(
        self, api: Caller, program: str
    ) -> None:
        """DOMAIN A12: payments before keep earning by it."""
        path = f"/partners/{api.create('/partners', **ANN, program_ids=[program])['id']}"
        left = api.change(path, program_ids=[])
        [(begin, end)] = times(left)

        assert (left["program_ids"], begin, recent(end)) == ([], None, True)
        assert api.get("/partners", program_id=program)["data"] == []

    def test_one_that_was_left_counts_from_now_on_again(self, api: Caller, program: str) -> None:
        path = f"/partners/{api.create('/partners', **ANN, program_ids=[program])['id']}"
        api.change(path, program_ids=[])
        back = api.change(path, program_ids=[program])
        [(_, end), (begin, never)] = times(back)

        assert (back["program_ids"], never) == ([program], None)
        assert datetime.fromisoformat(begin or "") >= datetime.fromisoformat(end or "")

    def test_the_same_list_again_changes_nothing(self, api: Caller, program: str) -> None:
        level = api.create(f"/programs/{program}/levels", name="Gold")["id"]
        enrolment = {"program_id": program, "level_id": level, "from_on": "2026-01-01"}
        made = api.create("/partners", **ANN, enrolments=[enrolment])
        again = api.change(f"/partners/{made['id']}", program_ids=made["program_ids"])

        assert again["enrolments"] == made["enrolments"]
        assert again["enrolments"][0]["level_id"] == level

    def test_a_programme_that_begins_later_fills_the_time_until_then(
        self, api: Caller, program: str
    ) -> None:
        later = rfc3339(utc_now().replace(microsecond=0) + timedelta(days=30))
        enrolments = [{"program_id": program, "from_at": later}]
        made = api.create("/partners", **ANN, enrolments=enrolments)
        changed = api.change(f"/partners/{made['id']}", program_ids=[program])

        assert made["program_ids"] == []
        assert times(changed) == [(None, later), (later, None)]


class TestEnrolments:
    def test_days_begin_in_the_time_zone_of_the_programme(self, api: Caller, program: str) -> None:
        made = api.create("/partners", **ANN, enrolments=[
            {"program_id": program, "from_on": "2026-01-01", "until_on": "2026-07-01"},
            {"program_id": program, "from_at": "2026-07-01T06:00:00+02:00"},
        ])  # fmt: skip

        assert times(made) == [
            ("2026-01-01T05:00:00Z", "2026-07-01T04:00:00Z"),
            ("2026-07-01T04:00:00Z", None),
        ]

    def test_they_are_replaced_as_a_whole(self, api: Caller, program: str) -> None:
        gold = api.create(f"/programs/{program}/levels", name="Gold")["id"]
        path = f"/partners/{api.create('/partners', **ANN, program_ids=[program])['id']}"
        first = {"program_id": program, "until_on": "2026-03-01"}
        second = {"program_id": program, "level_id": gold, "from_on": "2026-03-01"}
        promoted = api.change(path, enrolments=[second, first])

        assert [one["level_id"] for one in promoted["enrolments"]] == [None, gold]
        assert api.change(path, enrolments=promoted["enrolments"]) == {
            **promoted, "updated_at": api.get(path)["updated_at"],
        }  # fmt: skip
        assert api.change(path, enrolments=[])["enrolments"] == []

    @pytest.mark.parametrize(
        ("given", "pointer"),
        [
            ([{}, {}], "/enrolments/1"),
            ([{"until_on": "2026-03-01"}, {"from_on": "2026-02-28"}], "/enrolments/1"),
            ([{"from_on": "2026-02-28"}, {"until_on": "2026-03-01"}], "/enrolments/0"),
            ([{"from_on": "2026-03-01", "until_on": "2026-03-01"}], "/enrolments/0"),
            ([{"from_on": "2026-03-02", "until_on": "2026-03-01"}], "/enrolments/0"),
            ([{"program_id": NOWHERE}], "/enrolments/0/program_id"),
            ([{"level_id": ids.encode("lvl", 1_000_000)}], "/enrolments/0/level_id"),
            ([{"from_on": "2026-03-01", "from_at": "2026-03-01T00:00:00Z"}],
             "/enrolments/0/from_on"),
            ([{"from_on": "2026-03-01T00:00:00Z"}], "/enrolments/0/from_on"),
            ([{"from_on": "2026-02-30"}], "/enrolments/0/from_on"),
            ([{"from_on": 5}], "/enrolments/0/from_on"),
            ([{"from_at": "2026-03-01"}], "/enrolments/0/from_at"),
            ([{"program_id": None}], "/enrolments/0/program_id"),
            ([{"since": "2026-03-01"}], "/enrolments/0/since"),
            ([None], "/enrolments/0"),
            (None, "/enrolments"),
        ],
    )  # fmt: skip
    def test_what_cannot_be_is_refused_by_name(
        self, api: Caller, program: str, given: Any, pointer: str
    ) -> None:
        if isinstance(given, list):
            given = [one and {"program_id": program, **one} for one in given]
            given = [{"program_id": program} if one == {} else one for one in given]

        assert api.pointers("POST", "/partners", **ANN, enrolments=given) == [pointer]
        assert api.get("/partners")["data"] == []

    def test_a_level_of_another_programme_is_refused(self, api: Caller, program: str) -> None:
        other = api.create("/programs", name="Others")["id"]
        theirs = api.create(f"/programs/{other}/levels", name="Gold")["id"]
        given = [{"program_id": program, "level_id": theirs}]

        pointers = api.pointers("POST", "/partners", **ANN, enrolments=given)
        assert pointers == ["/enrolments/0/level_id"]

    def test_a_body_says_it_in_one_way_only(self, api: Caller, program: str) -> None:
        body = {**ANN, "program_ids": [program], "enrolments": []}

        assert api.pointers("POST", "/partners", **body) == ["/enrolments"]


class TestAudit:
    def test_the_log_says_what_bears_on_money_before_and_after(
        self, api: Caller, engine: Engine, program: str
    ) -> None:
        path = f"/partners/{api.create('/partners', **ANN)['id']}"
        api.change(path, status="paused", payout_currency="EUR", program_ids=[program])
        with Session(engine) as session:
            query = select(AuditEntry.detail).where(AuditEntry.subject_kind == "partner")
            made, changed = session.scalars(query.order_by(AuditEntry.id)).all()
        nothing: Json = {"status": "active", "payout_currency": None, "enrolments": []}

        assert made == {"after": nothing}
        assert changed["before"] == nothing
        assert (changed["after"]["status"], changed["after"]["payout_currency"]) == (
            "paused", "EUR",
        )  # fmt: skip
        assert [one["from_at"] for one in changed["after"]["enrolments"]] == [None]
