"""The one declarative base, column types that mean the same on both databases, engine set-up."""

import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import orjson
from flask_sqlalchemy_lite import SQLAlchemy
from sqlalchemy import (
    BigInteger,
    DateTime,
    Dialect,
    Engine,
    Integer,
    MetaData,
    Numeric,
    Select,
    Table,
    Text,
    TypeDecorator,
    event,
    func,
    select,
    text,
)
from sqlalchemy.engine import Connection
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeEngine

from rewards_service.kit import bulk

db = SQLAlchemy()

# PostgreSQL caps a statement at 65,535 parameters, SQLite at 32,766: IN lists stay below.
IN_CHUNK = 5_000
# Execution option of a connection that will not write: SQLite then takes no write lock.
READ_ONLY = "rewards_read_only"


class Base(DeclarativeBase):
    """Every table of the service, with constraint names that migrations can rely on."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class UtcDateTime(TypeDecorator[datetime]):
    """A point in time, aware and in UTC on both databases; SQLite alone would return naive ones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("A time without a zone cannot be stored.")
        if value.tzinfo is not UTC:
            value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value


class Json(TypeDecorator[Any]):
    """A JSON value kept as text: written once, read whole, never searched inside."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else orjson.dumps(value).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else orjson.loads(value)


class Total(TypeDecorator[int]):
    """A sum of amounts. Each may be as large as 64 bits hold, so that their sum may be larger."""

    impl = Numeric(38, 0)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(BigInteger() if dialect.name == "sqlite" else Numeric(38, 0))

    def process_result_value(self, value: Any, dialect: Dialect) -> int | None:
        return None if value is None else int(value)


BigKey = BigInteger().with_variant(Integer(), "sqlite")


@event.listens_for(Engine, "connect")
def _set_up_sqlite(connection: Any, _record: object) -> None:
    if not isinstance(connection, sqlite3.Connection):
        return
    connection.isolation_level = None  # the begin event below opens transactions, not the driver
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=15000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


@event.listens_for(Engine, "begin")
def _begin_sqlite(connection: Connection) -> None:
    # A deferred transaction that reads, then writes, fails when another writer came between.
    if connection.dialect.name == "sqlite":
        read_only = connection.get_execution_options().get(READ_ONLY, False)
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


def is_postgresql(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"


def database_now(session: Session) -> datetime:
    """The database's clock: leases of several machines are compared with one clock only."""
    if not is_postgresql(session):
        return datetime.now(UTC)
    now: datetime = session.execute(text("SELECT clock_timestamp()")).scalar_one()
    return now.astimezone(UTC)


def reserve_ids(session: Session, table: Table, count: int) -> list[int]:
    """`count` fresh primary keys, so that rows that point to each other are inserted in bulk.

    SQLite has one writer, who holds the lock already: the highest key is safe to count from.
    """
    if count == 0:
        return []
    if is_postgresql(session):
        sequence = f"{table.name}_id_seq"
        query = text("SELECT nextval(:sequence) FROM generate_series(1, :count)")
        return list(session.execute(query, {"sequence": sequence, "count": count}).scalars())
    highest = session.execute(select(func.coalesce(func.max(table.c.id), 0))).scalar_one()
    return list(range(highest + 1, highest + count + 1))


def insert_many(session: Session, model: type[Base], rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows that all carry the same columns, in one round trip, without reading them back."""
    bulk.insert_rows(session, table_of(model), rows)


def insert_missing(session: Session, model: type[Base], rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows; those whose key is taken stay as they are."""
    bulk.insert_rows(session, table_of(model), rows, "ON CONFLICT DO NOTHING")


def upsert(
    session: Session, model: type[Base], rows: Sequence[dict[str, Any]], keys: Sequence[str]
) -> None:
    """Insert rows or, where `keys` are taken, overwrite every other column given."""
    if rows:
        sets = ", ".join(f"{name} = excluded.{name}" for name in rows[0] if name not in keys)
        conflict = f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {sets}"
        bulk.insert_rows(session, table_of(model), rows, conflict)


def update_many(
    session: Session, model: type[Base], rows: Sequence[dict[str, Any]], key: str = "id"
) -> None:
    """Update each row named by `key` to the other values given; all rows carry the same columns."""
    bulk.update_rows(session, table_of(model), rows, key)


def table_of(model: type[Base]) -> Table:
    table = model.__table__
    if not isinstance(table, Table):
        raise TypeError(f"{model.__name__} is not mapped to a table")
    return table


def columns(model: type[Base], *names: str) -> list[Any]:
    """Plain columns of a model: rows come as tuples, without the cost of loading objects."""
    table = table_of(model)
    return [table.c[name] for name in names]


def fetch_rows(session: Session, query: Select[*tuple[Any, ...]], **given: Any) -> Sequence[Any]:
    """The rows of a query as plain tuples: the session's loading of objects would cost as much."""
    return session.connection().execute(query, given).all()


def chunks(values: Sequence[Any], size: int = IN_CHUNK) -> Iterator[Sequence[Any]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]


def hold_stage(session: Session, stage: str) -> None:
    """Have one stage of the pipeline to oneself until commit, after whoever is at it now.

    Batches of one stage share payers, leads and invoices: one at a time is what makes "nothing
    twice" hold without a retry. SQLite's write lock, taken at BEGIN, does the same.
    """
    if is_postgresql(session):
        key = zlib.crc32(f"rewards_service:{stage}".encode())
        # By schema: a replay beside the live tables has stages of its own.
        query = text("SELECT pg_advisory_xact_lock(:key, hashtext(current_schema()))")
        session.execute(query, {"key": key - (1 << 32) if key >= 1 << 31 else key})


def snapshot(engine: Engine) -> Session:
    """A session whose reads all see one moment, and that cannot write; close it.

    On PostgreSQL it ends by itself when its reader does not come back for five minutes: what is
    deleted meanwhile could not be cleaned up.
    """
    if engine.dialect.name != "postgresql":
        return Session(engine.execution_options(**{READ_ONLY: True}))
    options: dict[str, Any] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    session = Session(engine.execution_options(**options))
    session.execute(text("SET LOCAL idle_in_transaction_session_timeout = '5min'"))
    return session


@contextmanager
def transaction(engine: Engine) -> Iterator[Session]:
    """One unit of work at the edge of a job or command: committed at the end, or rolled back."""
    with Session(engine, expire_on_commit=False) as session, session.begin():
        yield session


@contextmanager
def rehearsal(session: Session) -> Iterator[None]:
    """Do the real thing and see what comes of it: all is undone at the end, whatever happens.

    Collect what came of it inside, as plain values: objects know nothing of it afterwards. Audit
    entries recorded inside are dropped with the rest.
    """
    nested = session.begin_nested()
    try:
        yield
    finally:
        nested.rollback()
        session.expire_all()
