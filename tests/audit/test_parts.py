"""The audit log in parts, one for each month, on PostgreSQL: made ahead, taken off, put back."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from rewards_service.audit import archiving
from rewards_service.audit.service import record
from rewards_service.kit import partitions, partitions_ahead
from rewards_service.kit.db import transaction
from rewards_service.kit.errors import NotFound
from rewards_service.kit.partitions import PartitionInUse, month_after, month_name
from tests.audit.log import ALL, TABLE, add, broken, held, one

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


def months_ago(number: int) -> date:
    day = datetime.now(UTC).date().replace(day=1)
    for _ in range(number):
        day = (day - timedelta(days=1)).replace(day=1)
    return day


@pytest.fixture
def old_log(engine: Engine) -> Engine:
    """A log that is kept by months for three months, with four entries in each part."""
    months = [months_ago(number) for number in (3, 2, 1, 0)]
    first = partitions.first_name(TABLE, months[0])
    with engine.begin() as connection:
        (whole,) = (name for name in partitions.names(connection, TABLE) if "_before_" in name)
        following = partitions.bounds(whole)[2]
        partitions.detach(connection, whole)
        connection.execute(text(f"ALTER TABLE {whole} RENAME TO {first}"))
        partitions.attach(connection, first)
        wanted = [*months, month_after(months[-1])]  # on the last days of a month that is needed
        partitions.make_months(connection, TABLE, [one for one in wanted if one < following])
    for month_on in (months_ago(5), *months[:-1]):
        start = datetime(month_on.year, month_on.month, 2, tzinfo=UTC)
        add(engine, *(start + timedelta(hours=hour) for hour in range(4)))
    return engine


class TestMake:
    def test_months_ahead_are_made_and_the_net_is_emptied_into_them(self, engine: Engine) -> None:
        months = partitions.months_ahead(datetime.now(UTC).date())
        last, far = months[-1], months_ago(0).replace(year=months[-1].year + 3)
        with engine.begin() as connection:
            connection.execute(text(f"DROP TABLE {month_name(TABLE, last)}"))
        add(engine, *(datetime(day.year, day.month, 5, tzinfo=UTC) for day in (last, last, far)))
        before = one(engine, ALL)
        with Session(engine) as session:
            assert partitions_ahead.has_due(session)

        with transaction(engine) as session:
            made = partitions_ahead.make(session.connection())

        assert made == [month_name(TABLE, last)]
        with Session(engine) as session:
            assert not partitions_ahead.has_due(session)
        assert one(engine, f"SELECT count(*) FROM {made[0]}") == 2  # noqa: S608
        assert one(engine, f"SELECT count(*) FROM {TABLE}_rest") == 1  # noqa: S608
        assert one(engine, ALL) == before
        assert broken(engine) == []
        for name in (made[0], f"{TABLE}_rest"):
            with pytest.raises(IntegrityError, match="append-only"), engine.begin() as connection:
                connection.execute(text(f"DELETE FROM {name}"))  # noqa: S608

    def test_a_net_that_was_lost_is_made_again(self, engine: Engine) -> None:
        with engine.begin() as connection:
            connection.execute(text(f"DROP TABLE {TABLE}_rest"))

        with transaction(engine) as session:
            assert partitions_ahead.make(session.connection()) == [f"{TABLE}_rest"]
            assert partitions_ahead.make(session.connection()) == []


class TestTimes:
    def test_they_follow_the_order_of_ids_but_no_clock_that_was_wrong(self, engine: Engine) -> None:
        now = datetime.now(UTC)
        for at in (now, now - timedelta(minutes=59), now + timedelta(days=20), now):
            add(engine, at)

        with engine.connect() as connection:
            times = connection.execute(text(f"SELECT at FROM {TABLE} ORDER BY id")).scalars().all()  # noqa: S608
        assert times == [now, now, now + timedelta(days=20), now]
        assert broken(engine) == []


class TestDetach:
    def test_old_months_go_in_their_order_and_come_back(self, old_log: Engine) -> None:
        engine, before = old_log, one(old_log, ALL)
        first = partitions.first_name(TABLE, months_ago(3))
        names = [first, *(month_name(TABLE, months_ago(number)) for number in (3, 2))]
        for number, name in enumerate(names):
            with transaction(engine) as session:
                run = archiving.detach(session, name)
            assert (run.entries, run.last_id) == (4, 4 * number + 4)
            assert not held(engine)[name]
            assert broken(engine) == []
            with transaction(engine) as session:
                record(session, "partner.changed", ("partner", 1), {"n": 1}, "key:1", "x")

        for name in reversed(names):
            with transaction(engine) as session:
                partitions.vouch(session.connection(), name)
            with transaction(engine) as session:
                assert archiving.attach(session, name).entries == 4

        assert broken(engine) == []
        assert one(engine, f"{ALL} WHERE id <= 16") == before
        assert one(engine, "SELECT count(*) FROM audit_anchors") == 0
        with pytest.raises(IntegrityError, match="append-only"), engine.begin() as connection:
            connection.execute(text(f"DELETE FROM {first}"))  # noqa: S608

    def test_what_is_missing_after_it_is_still_found(self, old_log: Engine) -> None:
        with transaction(old_log) as session:
            archiving.detach(session, partitions.first_name(TABLE, months_ago(3)))
        with old_log.begin() as connection:
            connection.execute(text(f"ALTER TABLE {TABLE} DISABLE TRIGGER USER"))
            connection.execute(text(f"DELETE FROM {TABLE} WHERE id IN (5, 9)"))  # noqa: S608

        details = [found["detail"] for found in broken(old_log)]
        assert [detail.partition(":")[0] for detail in details] == ["Entry 5", "Entry 9"]

    @pytest.mark.parametrize("which", ["second", "this month", "net", "unknown"])
    def test_only_the_oldest_and_only_what_is_over(self, old_log: Engine, which: str) -> None:
        name = {
            "second": month_name(TABLE, months_ago(3)),
            "this month": month_name(TABLE, months_ago(0)),
            "net": f"{TABLE}_rest",
            "unknown": f"{TABLE}_1999_01",
        }[which]
        before = held(old_log)
        with pytest.raises((PartitionInUse, NotFound)), transaction(old_log) as session:
            archiving.detach(session, name)
        assert held(old_log) == before

    def test_a_part_with_a_gap_stays(self, old_log: Engine) -> None:
        with old_log.begin() as connection:
            connection.execute(text(f"ALTER TABLE {TABLE} DISABLE TRIGGER USER"))
            connection.execute(text(f"DELETE FROM {TABLE} WHERE id = 2"))  # noqa: S608
        with pytest.raises(PartitionInUse, match="whole"), transaction(old_log) as session:
            archiving.detach(session, partitions.first_name(TABLE, months_ago(3)))

    def test_a_part_that_was_changed_meanwhile_or_is_not_next_does_not_come_back(
        self, old_log: Engine
    ) -> None:
        first = partitions.first_name(TABLE, months_ago(3))
        second = month_name(TABLE, months_ago(3))
        for name in (first, second):
            with transaction(old_log) as session:
                archiving.detach(session, name)
        with old_log.begin() as connection:
            connection.execute(text(f"ALTER TABLE {second} DISABLE TRIGGER USER"))
            connection.execute(text(f"DELETE FROM {second} WHERE id = 8"))  # noqa: S608

        for name in (first, second):
            with pytest.raises(PartitionInUse), transaction(old_log) as session:
                archiving.attach(session, name)
        assert broken(old_log) == []
