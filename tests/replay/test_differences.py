"""What differs is named; the live tables stay as they are, and nothing is left behind."""

import pytest
from sqlalchemy import inspect, select, text
from sqlalchemy.orm import Session

from rewards_service.crm.models import Lead
from rewards_service.reports.digest import sections
from tests.replay.office import ADA, BOB, Office
from tests.reports.books import payment, refund


class TestDifferences:
    def test_a_ledger_entry_behind_the_services_back_is_named(self, office: Office) -> None:
        office.add_lead(office.add_partner("First"), ADA)
        office.play([payment(1), payment(2, day=1)])
        office.unguard("ledger_entries", "ledger_postings")
        office.change(
            "UPDATE ledger_entries SET amount_minor = 901 WHERE id = 1",
            "UPDATE ledger_postings SET amount_minor = 901 WHERE entry_id = 1 AND amount_minor > 0",
            "UPDATE ledger_postings SET amount_minor = -901 "
            "WHERE entry_id = 1 AND amount_minor < 0",
        )
        outcome = office.replay()

        assert not outcome.ok
        reward = next(one for one in outcome.differences if one["kind"] == "reward")
        assert reward["key"]["invoice_id"] == "inv1"
        assert (reward["live"]["amount_minor"], reward["replayed"]["amount_minor"]) == (901, 900)
        assert {one["kind"] for one in outcome.differences} == {"reward", "balance"}
        assert outcome.count == 3

    @pytest.mark.parametrize(
        ("statement", "kind"),
        [
            ("UPDATE rewards SET available_on = '2030-01-01' WHERE invoice_id = 'inv1'", "reward"),
            ("UPDATE transactions SET reason = 'no_rule'", "transaction"),
            ("UPDATE transactions SET partner_id = NULL", "transaction"),
        ],
    )
    def test_what_was_edited_is_named(self, office: Office, statement: str, kind: str) -> None:
        office.add_lead(office.add_partner("First"), ADA)
        office.play([payment(1)])
        office.change(statement)
        outcome = office.replay()

        assert [one["kind"] for one in outcome.differences] == [kind]

    def test_a_reward_taken_out_is_named(self, office: Office) -> None:
        office.add_lead(office.add_partner("First"), ADA)
        office.play([payment(1)])
        office.unguard("ledger_entries", "ledger_postings")
        office.change("DELETE FROM ledger_postings", "DELETE FROM ledger_entries")
        outcome = office.replay()

        reward = next(one for one in outcome.differences if one["kind"] == "reward")
        assert (reward["live"], reward["replayed"]["amount_minor"]) == (None, 900)


class TestSurroundings:
    def test_the_live_tables_stay_and_the_scratch_goes(self, office: Office) -> None:
        office.add_lead(office.add_partner("First"), ADA)
        office.play([payment(1), refund(1, 500, of=1)])

        def state() -> object:
            tables = inspect(office.engine).get_table_names()
            schemas = inspect(office.engine).get_schema_names()
            with Session(office.engine) as session:
                keys = session.execute(text("SELECT max(id), count(*) FROM ledger_entries")).all()
                return sections(session), tables, schemas, keys

        before = state()
        assert office.replay().ok

        assert state() == before

    def test_the_scratch_goes_also_after_an_error(self, office: Office) -> None:
        schemas = inspect(office.engine).get_schema_names()
        office.change("DROP TABLE partner_enrolments")
        with pytest.raises(Exception, match="partner_enrolments"):
            office.replay()

        inspector = inspect(office.engine)
        assert inspector.get_schema_names() == schemas

    def test_what_a_killed_replay_left_is_swept(self, office: Office) -> None:
        if office.engine.dialect.name != "postgresql":
            return
        stale = f"replay_{'0' * 32}"
        office.change(f"CREATE SCHEMA {stale}", f"CREATE TABLE {stale}.t (id int)")
        office.replay()

        assert stale not in inspect(office.engine).get_schema_names()

    def test_new_rows_do_not_take_the_keys_of_live_ones(self, office: Office) -> None:
        first = office.add_partner("First")
        office.play([payment(1, email=BOB, customer="c0")])
        office.add_lead(first, ADA)
        office.play([payment(2)])
        with Session(office.engine) as session:
            next_lead = session.scalars(select(Lead.id)).one() + 1
        assert office.replay().ok

        assert office.add_lead(first, "next@x.example") == next_lead
