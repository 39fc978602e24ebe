"""Two years of a large business in PostgreSQL: what millions of rewards hang together by.

A slice of it is made by the service itself (`bench.scale_slice`) and multiplied inside the
database: each copy has ids, addresses and bodies of its own. So every invariant holds of the whole
that held of the slice; where bodies are left out (`whole`), only those about bodies do not. Months
are sums over all copies; the audit log, whose chain cannot be multiplied, begins anew.

`python -m bench.scale_world --url postgresql://... --rewards N` fills a migrated, empty database.
"""

import argparse
import math
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import NamedTuple

from sqlalchemy import Connection, Engine, Table, create_engine
from sqlalchemy import text as sql
from sqlalchemy.orm import Session

from bench import scale_copies as copies_of
from bench import scale_slice
from bench.scale_slice import PARTNERS
from rewards_service.kit.db import Base
from rewards_service.rewards import months

__all__ = ("PARTNERS", "build", "grow")

SLICE = 25_000  # rewards that the service itself makes
ALL_WHOLE = 250_000  # rewards up to which all copies have bodies
THREADS = 2
VERSIONS = "chargebee_versions"
_SETTINGS = (
    "SET session_replication_role = replica",  # rows meet constraints by the way they are made
    "SET synchronous_commit = off",
    "SET maintenance_work_mem = '512MB'",
    "SET work_mem = '128MB'",
)
_BUILDING = {"max_wal_size": "16GB", "checkpoint_timeout": "30min", "autovacuum": "off"}


class Shape(NamedTuple):
    """How many copies there are, and how many of them have bodies."""

    copies: int
    whole: int


def build(engine: Engine, rewards: int, slice_size: int = SLICE, whole: float | None = None) -> int:
    """Fill a migrated, empty database; how many rewards it came to.

    whole: the share of copies that have bodies; None: all of a small world, a tenth of a large one.
    """
    size = min(slice_size, rewards)
    scale_slice.make(engine, size)
    return grow(engine, size, rewards, whole)


def grow(engine: Engine, size: int, rewards: int, whole: float | None = None) -> int:
    """Multiply a slice of `size` rewards until it has as many as wanted, or a few more."""
    share = whole if whole is not None else 1.0 if rewards <= ALL_WHOLE else 0.1
    copies = math.ceil(rewards / size)
    shape = Shape(copies, math.ceil(copies * share))
    with Session(engine) as session, session.begin():
        months.rebuild(session)  # the slice's times were set by hand
    with _in_haste(engine), ThreadPoolExecutor(THREADS) as threads:
        tables = _filled(engine)
        # The versions first: each row of the mirror looks up its body there, by an index.
        first, *others_taken = sorted(tables, key=lambda table: table.name != VERSIONS)
        index = f"CREATE INDEX ON slice.{VERSIONS} (external_id)"
        _run(engine, [copies_of.taken(first), index, *map(copies_of.taken, others_taken)])
        others = _take_constraints(engine, tables, "f")
        list(threads.map(lambda table: _multiply(engine, table, shape), tables))
        list(threads.map(lambda one: _run(engine, [one]), others))
        _run(engine, [*copies_of.ends(copies), "DROP SCHEMA slice CASCADE"])
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sql("VACUUM ANALYZE"))
        connection.execute(sql("CHECKPOINT"))
    return copies * size


@contextmanager
def _in_haste(engine: Engine) -> Iterator[None]:
    """Server settings for a bulk load, as long as it takes."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        try:
            for name, value in _BUILDING.items():
                connection.execute(sql(f"ALTER SYSTEM SET {name} = '{value}'"))
            connection.execute(sql("SELECT pg_reload_conf()"))
            connection.execute(sql("CREATE SCHEMA slice"))
            yield
        finally:
            for name in _BUILDING:
                connection.execute(sql(f"ALTER SYSTEM RESET {name}"))
            connection.execute(sql("SELECT pg_reload_conf()"))


def _filled(engine: Engine) -> list[Table]:
    """The tables to multiply, the largest first."""
    found = []
    with engine.connect() as connection:
        for table in Base.metadata.tables.values():
            if table.name in copies_of.SHARED:
                continue
            query = sql(f"SELECT pg_total_relation_size('{table.name}'), count(*) FROM {table}")
            size, rows = connection.execute(query).one()
            if rows:
                found.append((size, table.name))
    return [Base.metadata.tables[name] for _, name in sorted(found, reverse=True)]


def _take_constraints(engine: Engine, tables: list[Table], kinds: str) -> list[str]:
    """Drop constraints of tables, of these kinds; the statements that make them again."""
    query = sql(
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE contype::text = ANY(:kinds) AND conparentid = 0 AND (conrelid::regclass::text = "
        "ANY(:names) OR confrelid <> 0 AND confrelid::regclass::text = ANY(:names)) ORDER BY oid"
    )
    values = {"kinds": list(kinds), "names": [table.name for table in tables]}
    made = []
    with engine.begin() as connection:
        for table, name, definition in connection.execute(query, values).all():
            connection.execute(sql(f"ALTER TABLE {table} DROP CONSTRAINT {name}"))
            made.append(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
    return made


def _take_indexes(connection: Connection, table: Table) -> list[str]:
    query = sql(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = :name "
        "AND schemaname = 'public' AND indexname NOT IN (SELECT conname FROM pg_constraint "
        "WHERE conrelid = :name ::regclass)"
    )
    found = connection.execute(query, {"name": table.name}).all()
    for name, _ in found:
        connection.execute(sql(f"DROP INDEX {name}"))
    return [definition for _, definition in found]


def _multiply(engine: Engine, table: Table, shape: Shape) -> None:
    """All copies of a table's rows in the order of the slice's, then its keys and indexes."""
    began = time.monotonic()
    keys = _take_constraints(engine, [table], "pu")
    with engine.begin() as connection:
        for setting in _SETTINGS:
            connection.execute(sql(setting))
        indexes = _take_indexes(connection, table)
        connection.execute(sql(f"TRUNCATE {table.name}"))
        connection.execute(
            sql(copies_of.escaped(copies_of.statement(table, shape.whole))),
            {"copies": shape.copies},
        )
        for statement in (*keys, *indexes):
            connection.execute(sql(copies_of.escaped(statement)))
        if "id" in table.c and table.c.id.autoincrement is not False:
            last = f"SELECT setval('{table.name}_id_seq', (SELECT max(id) FROM {table.name}))"
            connection.execute(sql(last))
    print(f"{table.name}: {time.monotonic() - began:.0f} s", file=sys.stderr)


def _run(engine: Engine, statements: list[str]) -> None:
    with engine.begin() as connection:
        for setting in _SETTINGS:
            connection.execute(sql(setting))
        for statement in statements:
            connection.execute(sql(copies_of.escaped(statement)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True, help="of a migrated, empty database")
    parser.add_argument("--rewards", type=int, default=1_000_000)
    parser.add_argument("--slice", type=int, default=SLICE)
    parser.add_argument("--whole", type=float, help="share of copies with bodies")
    options = parser.parse_args()
    began = time.monotonic()
    made = build(create_engine(options.url), options.rewards, options.slice, options.whole)
    print(f"{made:,} rewards in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
