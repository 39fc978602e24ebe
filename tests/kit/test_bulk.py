from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.inbox.models import ReceivedEvent
from rewards_service.kit.bulk import WORTH_A_COPY, among
from rewards_service.kit.db import insert_many, insert_missing, table_of, update_many, upsert
from rewards_service.transactions.models import RewardDue

NOW = datetime(2026, 3, 1, 12, 30, 0, 5, UTC)


def event(number: int, **others: Any) -> dict[str, Any]:
    return {
        "integration_id": 1,
        "options_id": 1,
        "event_id": f'ev "{number}"\t\\N é\n',
        "event_type": "payment_succeeded",
        "source": "webhook",
        "occurred_at": NOW if number % 2 else None,
        "received_at": NOW,
        "body_sha256": bytes(range(32)),
        "body": b"\x00\xff\\x" + bytes([number % 256]),
        "other_body_seen": bool(number % 3),
        "state": "done",
        "outcome": "ignored",
        "attempts": number,
        "results": {"deal_ids": [number]} if number % 2 else None,
    } | others


def stored(session: Session) -> list[dict[str, Any]]:
    rows = session.execute(select(table_of(ReceivedEvent)).order_by(ReceivedEvent.attempts))
    names = event(0).keys()
    return [{name: getattr(row, name) for name in names} for row in rows]


class TestInsertMany:
    @pytest.mark.parametrize("count", [1, 2, WORTH_A_COPY, WORTH_A_COPY + 3])
    def test_every_kind_of_value_comes_back_as_it_went_in(
        self, session: Session, count: int
    ) -> None:
        rows = [event(number) for number in range(count)]

        insert_many(session, ReceivedEvent, rows)

        assert stored(session) == rows

    def test_no_rows_are_no_statement(self, session: Session) -> None:
        insert_many(session, ReceivedEvent, [])

        assert stored(session) == []


class TestInsertMissing:
    def test_rows_whose_key_is_taken_stay_as_they_are(self, session: Session) -> None:
        insert_many(session, ReceivedEvent, [event(1)])

        insert_missing(session, ReceivedEvent, [event(1, source="poll"), event(2)])

        assert stored(session) == [event(1), event(2)]


class TestUpsert:
    def test_rows_whose_key_is_taken_get_the_new_values(self, session: Session) -> None:
        old, new = due("1", attempts=1), due("1", attempts=7, error="late")
        insert_many(session, RewardDue, [old])

        upsert(session, RewardDue, [new, due("2")], ["integration_id", "invoice_id"])

        rows = session.execute(
            select(RewardDue.invoice_id, RewardDue.attempts, RewardDue.error).order_by(
                RewardDue.invoice_id
            )
        )
        assert [tuple(row) for row in rows] == [("1", 7, "late"), ("2", 0, None)]


class TestUpdateMany:
    def test_each_row_gets_its_own_values_and_no_other_row_changes(self, session: Session) -> None:
        insert_many(session, ReceivedEvent, [event(number) for number in range(1, 4)])
        query = select(table_of(ReceivedEvent).c.id).order_by(ReceivedEvent.attempts)
        first, second, _ = session.execute(query).scalars()

        update_many(
            session,
            ReceivedEvent,
            [
                {"id": first, "outcome": "mirrored", "results": {"a": 1}},
                {"id": second, "outcome": "reversed", "results": None},
            ],
        )

        assert stored(session) == [
            event(1, outcome="mirrored", results={"a": 1}),
            event(2, outcome="reversed", results=None),
            event(3),
        ]

    def test_one_value_for_all_rows_reaches_all_rows(self, session: Session) -> None:
        insert_many(session, ReceivedEvent, [event(1), event(2)])
        ids = session.execute(select(table_of(ReceivedEvent).c.id)).scalars().all()

        update_many(session, ReceivedEvent, [{"id": key, "outcome": "all_off"} for key in ids])

        assert {row["outcome"] for row in stored(session)} == {"all_off"}


class TestAmong:
    def test_it_finds_exactly_the_listed_values(self, session: Session) -> None:
        insert_many(session, ReceivedEvent, [event(number) for number in range(5)])
        wanted = [event(1)["event_id"], event(3)["event_id"], "never seen"]

        found = session.scalars(
            select(ReceivedEvent.attempts).where(among(session, ReceivedEvent.event_id, wanted))
        )

        assert sorted(found) == [1, 3]


def due(invoice_id: str, **others: Any) -> dict[str, Any]:
    return {
        "integration_id": 1,
        "invoice_id": invoice_id,
        "cause_event_id": None,
        "due_at": NOW,
        "attempts": 0,
        "error": None,
        "next_attempt_at": None,
        "dead": False,
    } | others
