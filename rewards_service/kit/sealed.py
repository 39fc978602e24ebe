"""Every secret that is kept sealed: found by the name of its column, and sealed anew."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Column, Connection, Engine, MetaData, select, update
from sqlalchemy.exc import SQLAlchemyError

from rewards_service.kit import crypto
from rewards_service.kit.errors import RewardsError

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


class KeyMissing(RewardsError):
    code = "key_missing"
    title = "A key is missing in ENCRYPTION_KEYS."


def check_openable(engine: Engine, metadata: MetaData, keys: Sequence[str]) -> None:
    """Raise KeyMissing when the oldest or newest secret of some column cannot be opened.

    For the start of a process: a key that was taken out too early is noticed there, and not with
    the first payout. A database that does not answer, or has no tables yet, is left to others.
    """
    try:
        with engine.connect() as connection:
            for column in sealed_columns(metadata):
                _check_column(connection, column, keys)
    except SQLAlchemyError:
        return


def _check_column(connection: Connection, column: Column[Any], keys: Sequence[str]) -> None:
    (key,) = column.table.primary_key.columns
    for order in (key, key.desc()):
        query = select(column).where(column.is_not(None)).order_by(order).limit(1)
        sealed = connection.execute(query).scalar()
        try:
            if sealed is not None:
                crypto.decrypt(keys, sealed)
        except crypto.SecretUnreadable as error:
            raise KeyMissing(
                f"{column.table.name}.{column.name} holds secrets that none of ENCRYPTION_KEYS "
                "opens: the key they were sealed with was taken out too early. Put it back at the "
                "end of the list, start, run `rewards rotate-keys`, then take it out."
            ) from error


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
