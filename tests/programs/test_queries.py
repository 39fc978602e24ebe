"""Rules and enrolments as the engine gets them."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from rewards_service.kit.clock import utc_now
from rewards_service.partners.models import Enrolment, Partner
from rewards_service.programs import service
from rewards_service.programs.enrolled import Enrolled, applies
from rewards_service.programs.levels import create_level
from rewards_service.programs.queries import all_versions, enrolments_of
from rewards_service.programs.rule_schemas import TermsSchema
from rewards_service.programs.rules import Terms
from tests.programs.rule_bodies import STEPPED, TIERED, nameless
from tests.programs.test_rules import START, version


def program(session: Session) -> int:
    wanted = {"name": "Partners", "timezone": "Europe/Berlin"}
    return service.create_program(session, wanted, "test").id


def rule(session: Session, program_id: int, body: Any, **more: Any) -> int:
    wanted = {"program_id": program_id, "name": "rule", **TermsSchema().load(body), **more}
    return service.create_rule(session, wanted, "test").id


class TestAllVersions:
    def test_each_has_its_level_and_its_terms(self, session: Session) -> None:
        key = program(session)
        gold = create_level(session, key, "Gold", "test").id
        plain = rule(session, key, {"kind": "percent", "rate": "0.20"})
        tiered = rule(session, key, nameless(TIERED), level_id=gold)
        found = {value.rule_id: value for value in all_versions(session).values()}

        assert (found[plain].level_id, found[plain].terms) == (0, Terms())
        assert found[plain].rate_millionths == 200_000
        assert (found[tiered].level_id, found[tiered].timezone) == (gold, "Europe/Berlin")
        assert found[tiered].terms.tiers is not None
        assert found[tiered].terms.first_months == 12

    def test_a_version_keeps_its_terms_when_the_rule_changes(self, session: Session) -> None:
        """DOMAIN A12."""
        key = rule(session, program(session), nameless(TIERED))
        before = all_versions(session)
        service.change_rule(session, key, {"first_months": None, "annual": None}, "test")
        after = all_versions(session)

        assert before.items() <= after.items()
        assert [after[k].terms.first_months for k in sorted(after)] == [12, None]


class TestDraftVersion:
    def test_it_is_what_the_change_would_make_and_leaves_nothing(self, session: Session) -> None:
        key = rule(session, program(session), nameless(TIERED))
        wanted = {"tiers": None, "rate": 50_000, "effective_from": START}
        before = all_versions(session)
        draft = service.draft_version(session, key, wanted)

        assert (draft.id, draft.version, draft.rate_millionths) == (0, 2, 50_000)
        assert draft.terms.tiers is None
        assert all_versions(session) == before
        service.change_rule(session, key, wanted, "test")
        made = max(all_versions(session).values(), key=lambda value: value.version)
        assert draft._replace(id=made.id, created_at=made.created_at) == made

    def test_no_change_gives_the_newest_version(self, session: Session) -> None:
        key = rule(session, program(session), nameless(STEPPED))
        newest = next(iter(all_versions(session).values()))

        assert service.draft_version(session, key, {"hold_days": 30}) == newest


class TestEnrolmentsOf:
    def test_each_partner_has_its_times(self, session: Session) -> None:
        ann, bob = (Partner(name=name, email=f"{name}@p.example", status="active") for name in "ab")
        session.add_all([ann, bob])
        session.flush()
        now = utc_now()
        session.add_all([
            Enrolment(partner_id=ann.id, program_id=1, until_at=now, created_at=now),
            Enrolment(partner_id=ann.id, program_id=1, level_id=3, from_at=now, created_at=now),
            Enrolment(partner_id=bob.id, program_id=2, created_at=now),
        ])  # fmt: skip
        session.flush()

        assert enrolments_of(session, {ann.id, bob.id}) == {
            ann.id: [Enrolled(1, 0, None, now, now), Enrolled(1, 3, now, None, now)],
            bob.id: [Enrolled(2, 0, None, None, now)],
        }
        assert enrolments_of(session, set()) == {}


class TestApplies:
    @pytest.mark.parametrize(
        ("day", "expected"), [(-1, False), (0, True), (9.99, True), (10, False), (99, False)]
    )
    def test_from_the_first_moment_to_just_before_the_end(self, day: float, expected: bool) -> None:
        times = [Enrolled(1, 0, START, START + timedelta(10))]

        assert applies(times, version(1, 1), START + timedelta(day)) is expected

    @pytest.mark.parametrize(
        ("of_rule", "of_partner", "expected"),
        [(0, 0, True), (0, 2, True), (2, 2, True), (2, 3, False), (2, 0, False)],
    )
    def test_a_rule_of_a_level_is_for_those_at_it(
        self, of_rule: int, of_partner: int, expected: bool
    ) -> None:
        rule = version(1, 1)._replace(level_id=of_rule)

        assert applies([Enrolled(1, of_partner, None, None)], rule, START) is expected

    def test_a_rule_of_another_programme_is_not_for_them(self) -> None:
        assert not applies([Enrolled(2, 0, None, None)], version(1, 1), START)
        assert not applies([], version(1, 1), START)

    @given(st.lists(st.tuples(st.integers(-5, 5), st.integers(1, 5)), max_size=4),
           st.integers(-10, 10))  # fmt: skip
    def test_it_is_enough_that_one_time_holds(self, spans: list[tuple[int, int]], day: int) -> None:
        times = [
            Enrolled(1, 0, START + timedelta(begin), START + timedelta(begin + length))
            for begin, length in spans
        ]
        holds = any(begin <= day < begin + length for begin, length in spans)

        assert applies(times, version(1, 1), START + timedelta(day)) is holds
