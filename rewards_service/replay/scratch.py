"""A place of its own to replay in: a schema beside the live one, or a temporary SQLite file.

It has the tables of the service without their foreign keys: rows are copied in any order, and
what is not replayed is not there. It is gone afterwards, whatever happened.
"""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Dialect, Engine, MetaData, NullPool, create_engine, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateIndex, CreateTable

from rewards_service.kit.db import READ_ONLY, Base
from rewards_service.kit.errors import RewardsError
from rewards_service.mirror.service import FOR_REWARDS
from rewards_service.replay.tables import METADATA, SCRATCH

PREFIX = "replay_"
# One file descriptor and some memory each: a replay uses two connections at a time.
_POOL = {"pool_size": 4, "max_overflow": 2}
_OPTIONS = {FOR_REWARDS: True}  # a third of the work goes into versions that nobody would read


class NoPlaceToReplay(RewardsError):
    code = "no_place_to_replay"
    title = "The database does not let this user make a schema."


@dataclass(frozen=True, slots=True)
class Scratch:
    """Where a replay takes place. `live`: a connection that reads one state of the live tables.

    Through `live`, tables without a schema are the live ones; those of the schema `SCRATCH` are
    the scratch's. Through `engine` only the scratch is seen.
    """

    engine: Engine
    open_live: Callable[[], Any]


@contextmanager
def scratch(live: Engine) -> Iterator[Scratch]:
    """An empty scratch beside `live`. Raises NoPlaceToReplay."""
    make = _in_schema if live.dialect.name == "postgresql" else _in_file
    with make(live) as place:
        yield place


@contextmanager
def _in_schema(live: Engine) -> Iterator[Scratch]:
    name = f"{PREFIX}{uuid4().hex}"
    # Autocommit, and no pool: its one connection holds the lock by which others see we are alive.
    owner = create_engine(live.url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    settings = {"options": f"-csearch_path={name} -csynchronous_commit=off"}
    engine = create_engine(
        live.url.update_query_dict(settings), execution_options=_OPTIONS, **_POOL
    )
    try:
        with owner.connect() as keeper:
            _sweep(keeper)
            _make_schema(keeper, name)
            try:
                _create_tables(engine)
                schema = keeper.execute(text("SELECT current_schema()")).scalar_one()
                yield Scratch(engine, lambda: _snapshot(live, schema, name))
            finally:
                engine.dispose()
                keeper.execute(text(f"DROP SCHEMA IF EXISTS {name} CASCADE"))
    finally:
        owner.dispose()


def _make_schema(keeper: Connection, name: str) -> None:
    keeper.execute(text("SELECT pg_advisory_lock(hashtext(:name))"), {"name": name})
    try:
        keeper.execute(text(f"CREATE SCHEMA {name}"))
    except DBAPIError as problem:
        raise NoPlaceToReplay(
            f"A replay takes place in a schema of its own ({problem.orig}). Grant it: "
            "GRANT CREATE ON DATABASE ... TO ..."
        ) from problem


def _sweep(keeper: Connection) -> None:
    """Drop what replays left behind that were killed: nobody holds their lock."""
    query = text("SELECT nspname FROM pg_namespace WHERE nspname ~ '^replay_[0-9a-f]{32}$'")
    for name in keeper.execute(query).scalars().all():
        free = text("SELECT pg_try_advisory_lock(hashtext(:name))")
        if keeper.execute(free, {"name": name}).scalar_one():
            keeper.execute(text(f"DROP SCHEMA IF EXISTS {name} CASCADE"))
            keeper.execute(text("SELECT pg_advisory_unlock(hashtext(:name))"), {"name": name})


@contextmanager
def _snapshot(live: Engine, schema: str, name: str) -> Iterator[Connection]:
    """Read the live schema in one state; what is written goes to the scratch."""
    reading = live.execution_options(
        isolation_level="REPEATABLE READ", schema_translate_map={None: schema, SCRATCH: name}
    )
    with reading.begin() as connection:
        yield connection


@contextmanager
def _in_file(live: Engine) -> Iterator[Scratch]:
    with tempfile.TemporaryDirectory(prefix="rewards-replay-") as folder:
        path = Path(folder) / "scratch.db"
        engine = create_engine(f"sqlite:///{path}", execution_options=_OPTIONS)
        event.listen(engine, "connect", _in_haste)
        try:
            _create_tables(engine)
            yield Scratch(engine, lambda: _attached(live, path))
        finally:
            engine.dispose()


def _in_haste(connection: Any, _record: object) -> None:
    """Nobody will miss this file after a crash."""
    connection.execute("PRAGMA synchronous=OFF")


@contextmanager
def _attached(live: Engine, path: Path) -> Iterator[Connection]:
    """Read the live file in one state, without its write lock; the scratch is attached to it."""
    engine = create_engine(live.url, poolclass=NullPool)
    event.listen(engine, "connect", lambda new, _: new.execute(f"ATTACH '{path}' AS {SCRATCH}"))
    reading = engine.execution_options(
        **{READ_ONLY: True}, schema_translate_map={None: "main", SCRATCH: SCRATCH}
    )
    try:
        with reading.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def _create_tables(engine: Engine) -> None:
    script = _script(engine.dialect)
    if engine.dialect.name == "postgresql":
        with engine.begin() as connection:
            connection.exec_driver_sql(script)
        return
    with engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.connection.executescript(f"BEGIN; {script}; COMMIT; BEGIN")


_SCRIPTS: dict[str, str] = {}


def _script(dialect: Dialect) -> str:
    """Statements for all tables and indexes. To put them together takes longer than to run them."""
    if dialect.name not in _SCRIPTS:
        some = (str(one.compile(dialect=dialect)) for one in _statements(dialect.name))
        _SCRIPTS[dialect.name] = "; ".join(some).replace("%%", "%")  # no parameters, no escapes
    return _SCRIPTS[dialect.name]


def _statements(dialect_name: str) -> Iterator[CreateTable | CreateIndex]:
    """On PostgreSQL without a log, which nothing here would be restored by."""
    unlogged = dialect_name == "postgresql"
    tables = MetaData(naming_convention=Base.metadata.naming_convention)
    for source in (*Base.metadata.tables.values(), *METADATA.tables.values()):
        table = source.to_metadata(tables, name=source.name)
        for column in table.columns:
            if column.computed is not None:
                column.computed.persisted = unlogged  # SQLite has virtual ones as well
        if unlogged:
            table._prefixes = ["UNLOGGED"]
    for table in tables.tables.values():
        yield CreateTable(table, include_foreign_key_constraints=[])
        for index in sorted(table.indexes, key=lambda one: str(one.name)):
            yield CreateIndex(index)
