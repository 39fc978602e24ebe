"""Parts of tables are made before their months begin; see `kit.partitions`."""

from collections.abc import Iterable
from datetime import date

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import is_postgresql
from rewards_service.kit.partitions import (
    AHEAD,
    NAME,
    TABLES,
    execute,
    make_months,
    make_net,
    month_name,
    months_ahead,
    names,
    net_name,
)


def has_due(session: Session) -> bool:
    """Whether a month ahead has no part yet. Asked often: it looks into the catalogue only."""
    return bool(missing(session.connection(), AHEAD)) if is_postgresql(session) else False


def missing(connection: Connection, ahead: int) -> list[str]:
    """The parts of this month and so many after it that are not attached, and the net if it is not.

    Months that the first part holds need none.
    """
    found = []
    for table in TABLES:
        held = names(connection, table)
        months = months_ahead(utc_now().date())[: ahead + 1]
        wanted = [month_name(table, one) for one in months if one >= _covered_on(held)]
        found += [name for name in (*wanted, net_name(table)) if not held.get(name)]
    return found


def make(connection: Connection) -> list[str]:
    """Make what is missing of this month and those ahead, and the net; the names of what was made.

    Rows that fell into the net get their months, but for those of months still further ahead.
    """
    made = []
    for table in TABLES:
        held = names(connection, table)
        covered_on = _covered_on(held)
        months = {one for one in months_ahead(utc_now().date()) if one >= covered_on}
        last = max(months_ahead(utc_now().date()))
        strays = {one for one in _net_months(connection, table, held) if covered_on <= one <= last}
        if strays:
            made += _sort_out(connection, table, months | strays)
            continue
        made += make_months(connection, table, months)
        if not held.get(net_name(table)):
            make_net(connection, table)
            made.append(net_name(table))
    return made


def _net_months(connection: Connection, table: str, held: dict[str, bool]) -> list[date]:
    """The months of the rows in the net."""
    if not held.get(net_name(table)):
        return []
    query = text(
        f"SELECT DISTINCT CAST(date_trunc('month', {TABLES[table]} AT TIME ZONE 'UTC') AS date) "  # noqa: S608
        f"FROM {net_name(table)}"
    )
    return list(connection.execute(query).scalars())


def _sort_out(connection: Connection, table: str, months: set[date]) -> list[str]:
    """Give rows that fell into the net the parts of their months.

    A new net takes the place of the old one, whose rows all are put into the table again: rows of
    a table that is append-only cannot be moved. Nobody writes meanwhile.
    """
    old = f"{net_name(table)}_old"
    connection.execute(text(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"))
    execute(connection, f"ALTER TABLE {table} DETACH PARTITION {net_name(table)}")
    execute(connection, f"ALTER TABLE {net_name(table)} RENAME TO {old}")
    made = make_months(connection, table, months)
    make_net(connection, table)
    held = connection.execute(text(f"SELECT count(*) FROM {old}")).scalar_one()  # noqa: S608
    put = connection.execute(text(f"INSERT INTO {table} SELECT * FROM {old}")).rowcount  # noqa: S608
    if put != held:
        raise RuntimeError(f"{held} rows were in the net of {table}, {put} were put back.")
    execute(connection, f"DROP TABLE {old}")
    return made


def _covered_on(held: Iterable[str]) -> date:
    """The day before which the first part holds everything."""
    found = [NAME.fullmatch(name) for name in held]
    ends = [date(int(one["year"]), int(one["month"]), 1) for one in found if one and one["first"]]
    return max(ends, default=date.min)
