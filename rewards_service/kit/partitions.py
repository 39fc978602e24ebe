"""Tables that PostgreSQL holds in parts, one for each month: made ahead, taken off, put back.

A part is called after its table and month (`audit_entries_2026_12`), the first one after the month
before which it ends (`audit_entries_before_2026_12`); so a part that was taken off says where it
belongs. Rows of no month that is there fall into a net, the default part, where an alarm finds
them. SQLite holds each table in one piece, and nothing here applies.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, text

from rewards_service.kit.clock import utc_now
from rewards_service.kit.errors import Conflict, NotFound

# Table -> the column of its rows' time.
TABLES = {"audit_entries": "at"}
AHEAD = 3  # months after this one
NET = "rest"
LOCK_SECONDS = 2
_VOUCHER = "ck_belongs_there"
NAME = re.compile(r"(?P<table>[a-z_]+?)_(?P<first>before_)?(?P<year>\d{4})_(?P<month>\d{2})")


class Part(NamedTuple):
    """One part. Its months go from `from_on` to before `before_on`; None: no end, or the net."""

    table: str
    name: str
    from_on: date | None
    before_on: date | None
    is_attached: bool
    rows: int  # as statistics have it, exact for the net
    size_bytes: int

    @property
    def is_net(self) -> bool:
        return self.name == net_name(self.table)


class PartitionInUse(Conflict):
    code = "partition_in_use"
    title = "This part of a table cannot be taken off or put back."


def month_after(day: date) -> date:
    """The first day of the next month."""
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def moment(day: date) -> str:
    """The first moment of a day in UTC, as PostgreSQL reads it."""
    return f"{day.isoformat()} 00:00:00+00"


def first_name(table: str, before_on: date) -> str:
    return f"{table}_before_{before_on:%Y_%m}"


def month_name(table: str, month_on: date) -> str:
    return f"{table}_{month_on:%Y_%m}"


def net_name(table: str) -> str:
    return f"{table}_{NET}"


def bounds(name: str) -> tuple[str, date | None, date]:
    """(table, first day or None, day after the last) of a part, by its name. Raises NotFound."""
    found = NAME.fullmatch(name)
    if found is None or found["table"] not in TABLES or not 1 <= int(found["month"]) <= 12:
        raise NotFound(f"There is no part of that name: {name}. See rewards partitions list.")
    day = date(int(found["year"]), int(found["month"]), 1)
    return (
        (found["table"], None, day) if found["first"] else (found["table"], day, month_after(day))
    )


def make_net(connection: Connection, table: str) -> None:
    """The part for rows of no month, unless it is there."""
    _create(connection, table, net_name(table))
    if not _is_attached(connection, net_name(table)):
        execute(connection, f"ALTER TABLE {table} ATTACH PARTITION {net_name(table)} DEFAULT")


def months_ahead(from_on: date) -> list[date]:
    """The first days of the months from the one of this day on, up to AHEAD after today's."""
    last = utc_now().date()
    for _ in range(AHEAD):
        last = month_after(last)
    months = [from_on.replace(day=1)]
    while (following := month_after(months[-1])) <= last:
        months.append(following)
    return [month_on for month_on in months if month_on <= last]


def make_months(connection: Connection, table: str, months: Iterable[date]) -> list[str]:
    """The parts of these months; the names of those that were not there.

    Each is made beside the table and then attached: that waits for nobody who writes.
    """
    held = names(connection, table)
    made = []
    for month_on in sorted(months):
        name = month_name(table, month_on)
        if not held.get(name):
            _create(connection, table, name)
            attach(connection, name)
            made.append(name)
    return made


def attach(connection: Connection, name: str) -> None:
    """Put a part in its place; its rows must belong there."""
    table, from_on, before_on = bounds(name)
    start = "MINVALUE" if from_on is None else f"'{moment(from_on)}'"
    place = f"FROM ({start}) TO ('{moment(before_on)}')"
    execute(connection, f"ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES {place}")


def detach(connection: Connection, name: str) -> None:
    """Take a part off; it is a table of its own then.

    Under the table's lock, for a moment: DETACH ... CONCURRENTLY is refused where there is a net.
    """
    table, _, _ = bounds(name)
    execute(connection, f"ALTER TABLE {table} DETACH PARTITION {name}")


def vouch(connection: Connection, name: str) -> None:
    """Look at every row of a part that is off, so that `attach` need not, which holds up readers.

    In a transaction of its own, before that of `attach`. Raises NotFound.
    """
    table, from_on, before_on = bounds(name)
    column = TABLES[table]
    part = find(connection, name)
    if part.is_attached:
        return
    rule = f"{column} IS NOT NULL AND {column} < '{moment(before_on)}'"
    if from_on is not None:
        rule += f" AND {column} >= '{moment(from_on)}'"
    forget_voucher(connection, name)
    execute(connection, f"ALTER TABLE {name} ADD CONSTRAINT {_VOUCHER} CHECK ({rule})")


def forget_voucher(connection: Connection, name: str) -> None:
    execute(connection, f"ALTER TABLE {name} DROP CONSTRAINT IF EXISTS {_VOUCHER}")


def be_quick(connection: Connection) -> None:
    """Rather fail than let everybody wait behind us for somebody who reads for long."""
    connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'"))


def find(connection: Connection, name: str) -> Part:
    """Raises NotFound."""
    for part in parts(connection):
        if part.name == name:
            return part
    raise NotFound(f"There is no part of that name: {name}. See rewards partitions list.")


def parts(connection: Connection) -> list[Part]:
    """All parts of all tables, the oldest first, those taken off too; none on SQLite."""
    if connection.dialect.name != "postgresql":
        return []
    return sorted(
        (part for table in TABLES for part in _parts_of(connection, table)),
        key=lambda part: (part.table, part.before_on or date.max),
    )


def _parts_of(connection: Connection, table: str) -> Iterator[Part]:
    query = text(
        "SELECT greatest(reltuples, 0)::bigint, pg_total_relation_size(oid) FROM pg_class "
        "WHERE oid = to_regclass(:name)"
    )
    for name, is_attached in names(connection, table).items():
        rows, size = connection.execute(query, {"name": name}).one()
        if name == net_name(table):
            rows = connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one()  # noqa: S608
            yield Part(table, name, None, None, is_attached, rows, size)
        else:
            _, from_on, before_on = bounds(name)
            yield Part(table, name, from_on, before_on, is_attached, rows, size)


def names(connection: Connection, table: str) -> dict[str, bool]:
    """The parts that are there by name, and whether each is attached."""
    query = text(
        "SELECT c.relname, i.inhrelid IS NOT NULL FROM pg_class c "
        "LEFT JOIN pg_inherits i ON i.inhrelid = c.oid "
        "WHERE c.relnamespace = CAST(current_schema() AS regnamespace) AND c.relkind = 'r' "
        "AND c.relname ~ :pattern"
    )
    pattern = f"^{table}_({NET}|(before_)?[0-9]{{4}}_[0-9]{{2}})$"
    found = connection.execute(query, {"pattern": pattern})
    return {name: is_attached for name, is_attached in found}  # noqa: C416


def _create(connection: Connection, table: str, name: str) -> None:
    """A table as a part has to be; its keys and indexes come as it is attached."""
    if connection.execute(text("SELECT to_regclass(:name)"), {"name": name}).scalar() is not None:
        return
    execute(connection, f"CREATE TABLE {name} (LIKE {table} INCLUDING DEFAULTS INCLUDING STORAGE)")
    execute(
        connection,
        f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {name} "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    )


def _is_attached(connection: Connection, name: str) -> bool:
    query = text("SELECT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = to_regclass(:name))")
    return bool(connection.execute(query, {"name": name}).scalar_one())


def execute(connection: Connection, statement: str) -> None:
    connection.exec_driver_sql(statement)
