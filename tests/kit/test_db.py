import sqlite3
from datetime import UTC, datetime, timedelta, timezone

import psycopg
import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import IntegrityError, StatementError
from sqlalchemy.orm import Session

from rewards_service.kit import db
from rewards_service.partners.models import Enrolment, Partner

# Bulk writes go past SQLAlchemy, to the driver.
BROKEN = (IntegrityError, sqlite3.IntegrityError, psycopg.IntegrityError)
AT = datetime(2026, 1, 31, 8, 30, 0, 123_456, tzinfo=UTC)


def partner(key: int, name: str = "Ann", created_at: datetime = AT) -> dict[str, object]:
    return {"id": key, "name": name, "email": "a@x.example", "status": "active", "key_version": 1,
            "created_at": created_at, "updated_at": AT}  # fmt: skip


def names(session: Session) -> dict[int, str]:
    return {row.id: row.name for row in session.execute(select(Partner.id, Partner.name))}


class TestUtcDateTime:
    def test_comes_back_aware_in_utc_to_the_microsecond(self, session: Session) -> None:
        berlin = timezone(timedelta(hours=1))
        db.insert_many(session, Partner, [partner(1, created_at=AT.astimezone(berlin))])

        found = session.scalars(select(Partner.created_at)).one()

        assert (found, found.utcoffset()) == (AT, timedelta(0))

    def test_without_a_zone_it_is_refused(self, session: Session) -> None:
        with pytest.raises((ValueError, StatementError), match="without a zone"):
            db.insert_many(session, Partner, [partner(1, created_at=datetime(2026, 1, 1))])  # noqa: DTZ001

    def test_compares_as_time(self, session: Session) -> None:
        db.insert_many(session, Partner, [partner(1)])
        query = select(Partner.id).where(Partner.created_at < AT + timedelta(microseconds=1))

        assert session.scalars(query).all() == [1]


class TestReserveIds:
    def test_gives_fresh_keys_that_rows_can_take(self, session: Session) -> None:
        ids = db.reserve_ids(session, db.table_of(Partner), 3)
        db.insert_many(session, Partner, [partner(key) for key in ids])

        more = db.reserve_ids(session, db.table_of(Partner), 2)

        assert len({*ids, *more}) == 5
        assert min(more) > max(ids)

    def test_gives_none_for_none(self, session: Session) -> None:
        assert db.reserve_ids(session, db.table_of(Partner), 0) == []


class TestInsertMissing:
    def test_leaves_rows_whose_key_is_taken(self, session: Session) -> None:
        db.insert_many(session, Partner, [partner(1, "Ann")])
        db.insert_missing(session, Partner, [partner(1, "Bob"), partner(2, "Cid")])

        assert names(session) == {1: "Ann", 2: "Cid"}

    def test_while_insert_many_refuses_them(self, session: Session) -> None:
        db.insert_many(session, Partner, [partner(1)])
        with pytest.raises(BROKEN):
            db.insert_many(session, Partner, [partner(1)])


class TestUpsert:
    def test_overwrites_what_is_there(self, session: Session) -> None:
        db.insert_many(session, Partner, [partner(1, "Ann")])
        db.upsert(session, Partner, [partner(1, "Bob"), partner(2, "Cid")], ["id"])

        assert names(session) == {1: "Bob", 2: "Cid"}


class TestUpdateMany:
    def test_changes_each_row_to_its_own_values(self, session: Session) -> None:
        db.insert_many(session, Partner, [partner(key) for key in (1, 2, 3)])
        db.update_many(session, Partner, [{"id": 1, "name": "Bob"}, {"id": 3, "name": "Cid"}])

        assert names(session) == {1: "Bob", 2: "Ann", 3: "Cid"}

    def test_nothing_is_nothing(self, session: Session) -> None:
        for write in (db.insert_many, db.insert_missing, db.update_many):
            write(session, Partner, [])
        db.upsert(session, Partner, [], ["id"])

        assert names(session) == {}


class TestTransaction:
    def test_commits_at_the_end(self, engine: Engine) -> None:
        with db.transaction(engine) as session:
            db.insert_many(session, Partner, [partner(1)])
        with db.transaction(engine) as session:
            assert names(session) == {1: "Ann"}

    def test_leaves_nothing_of_what_failed(self, engine: Engine) -> None:
        def fail() -> None:
            with db.transaction(engine) as session:
                db.insert_many(session, Partner, [partner(1)])
                raise ConnectionError

        with pytest.raises(ConnectionError):
            fail()
        with db.transaction(engine) as session:
            assert names(session) == {}

    def test_foreign_keys_hold_on_both_databases(self, session: Session) -> None:
        with pytest.raises(BROKEN):
            db.insert_many(session, Enrolment, [{"partner_id": 9, "program_id": 1}])


class TestChunks:
    def test_covers_every_value_once_in_order(self) -> None:
        assert list(db.chunks([1, 2, 3, 4, 5], 2)) == [[1, 2], [3, 4], [5]]
        assert list(db.chunks([], 2)) == []

    def test_in_lists_of_its_size_fit_both_databases(self, session: Session) -> None:
        query = select(func.count()).where(Partner.id.in_(range(db.IN_CHUNK)))

        assert session.scalar(query) == 0


class TestDatabaseNow:
    def test_is_now_in_utc(self, session: Session) -> None:
        now = db.database_now(session)

        assert abs(now - datetime.now(UTC)) < timedelta(minutes=1)
        assert now.utcoffset() == timedelta(0)


class TestHoldStage:
    def test_may_be_held_twice_by_one_transaction(self, session: Session) -> None:
        db.hold_stage(session, "events")
        db.hold_stage(session, "events")
