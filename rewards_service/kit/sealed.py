"""Every secret that is kept sealed: found by the name of its column, and sealed anew."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Column, Connection, Engine, MetaData, select, update

from rewards_service.kit import crypto

SUFFIX = "_encrypted"
BATCH = 500  # rows a transaction: a rotation that is stopped has lost no more


@dataclass
class Resealed:
    """What became of the secrets of one column; `unreadable`: keys of rows that nobody can open."""

    column: str
    rotated: int = 0
    current: int = 0
    unreadable: list[int] = field(default_factory=list)


def sealed_columns(metadata: MetaData) -> list[Column[Any]]:
    """All columns that hold sealed secrets, by table."""
    tables = sorted(metadata.tables.values(), key=lambda table: table.name)
    return [column for table in tables for column in table.columns
            if column.name.endswith(SUFFIX)]  # fmt: skip


def reseal_all(engine: Engine, metadata: MetaData, keys: Sequence[str]) -> list[Resealed]:
    """Bring every sealed secret under the first of `keys`. Stopped and begun again, it goes on.

    Secrets that are under the first key already are left alone, and so is what somebody writes
    meanwhile.
    """
    return [_reseal(engine, column, keys) for column in sealed_columns(metadata)]


def _reseal(engine: Engine, column: Column[Any], keys: Sequence[str]) -> Resealed:
    found = Resealed(f"{column.table.name}.{column.name}")
    for rows in _batches(engine, column):
        changes: list[tuple[int, str, str]] = []
        for key, sealed in rows:
            try:
                fresh = crypto.reseal(keys, sealed)
            except crypto.SecretUnreadable:
                found.unreadable.append(key)
                continue
            if fresh is None:
                found.current += 1
            else:
                changes.append((key, sealed, fresh))
        with engine.begin() as connection:
            found.rotated += sum(_write(connection, column, *change) for change in changes)
    return found


def _batches(engine: Engine, column: Column[Any]) -> Iterator[list[tuple[int, str]]]:
    (key,) = column.table.primary_key.columns
    after = 0
    while True:
        query = select(key, column).where(column.is_not(None), key > after)
        with engine.connect() as connection:
            found = connection.execute(query.order_by(key).limit(BATCH))
            rows = [(int(row[0]), str(row[1])) for row in found]
        if not rows:
            return
        yield rows
        after = rows[-1][0]


def _write(connection: Connection, column: Column[Any], key: int, old: str, fresh: str) -> int:
    """1 when the secret was still the one that was read; nobody changed the row, say its times."""
    (own,) = column.table.primary_key.columns
    times = {other: other for other in column.table.columns if other.onupdate is not None}
    statement = update(column.table).where(own == key, column == old)
    return connection.execute(statement.values({column: fresh, **times})).rowcount
