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

from sqlalchemy import Connection, Engine, LargeBinary, String, Table, create_engine
from sqlalchemy import text as sql
from sqlalchemy.orm import Session

from bench import scale_slice
from bench.scale_slice import MARK, PARTNERS
from rewards_service.audit.chain import GENESIS
from rewards_service.kit.db import Base, Json
from rewards_service.rewards import months
from rewards_service.rewards.models import RewardMonth

__all__ = ("PARTNERS", "build", "grow")

SLICE = 25_000  # rewards that the service itself makes
ALL_WHOLE = 250_000  # rewards up to which all copies have bodies
# Held once, whatever there is of business.
SHARED = frozenset((
    "alembic_version", "audit_entries", "audit_head", "integrations", "integration_options",
    "partner_enrolments", "partner_statuses", "partners", "programs", "property_definitions",
    "reward_months", "reward_rule_versions", "reward_rules",
))  # fmt: skip
# Whole numbers that name rows which are multiplied; everything else is as in the slice.
KEYS = frozenset((
    "id", "received_event_id", "customer_id", "transaction_id", "reward_id", "entry_id",
    "payout_id", "cause_event_id", "subject_id", "source_lead_id", "source_deal_id",
))  # fmt: skip
MIRROR = {
    "chargebee_customers": "customer", "chargebee_invoices": "invoice",
    "chargebee_transactions": "transaction",
}  # fmt: skip
THREADS = 2
_SETTINGS = (
    "SET session_replication_role = replica",  # rows meet constraints by the way they are made
    "SET synchronous_commit = off",
    "SET maintenance_work_mem = '512MB'",
    "SET work_mem = '128MB'",
)
_BUILDING = {"max_wal_size": "16GB", "checkpoint_timeout": "30min", "autovacuum": "off"}
_KEY = "(({0} - 1) * :copies + k + 1)"
_TEXT = f"replace({{0}}, '{MARK}', '-' || lpad(k::text, 4, '0') || '-')"
_BODY = "convert_to(" + _TEXT.format("convert_from({0}, 'UTF8')") + ", 'UTF8')"
_PARTS = 4  # numbers in what an event came to, at most


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
        # Of the versions first: rows of the mirror look up their bodies there.
        versions_first = sorted(tables, key=lambda table: table.name != "chargebee_versions")
        _run(engine, [_taken(table) for table in versions_first])
        others = _take_constraints(engine, tables, "f")
        list(threads.map(lambda table: _multiply(engine, table, shape), tables))
        list(threads.map(lambda one: _run(engine, [one]), others))
        _run(engine, [*_ends(copies), "DROP SCHEMA slice CASCADE"])
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
            if table.name in SHARED:
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
        connection.execute(sql(_escaped(_statement(table, shape.whole))), {"copies": shape.copies})
        for statement in (*keys, *indexes):
            connection.execute(sql(_escaped(statement)))
        if "id" in table.c and table.c.id.autoincrement is not False:
            last = f"SELECT setval('{table.name}_id_seq', (SELECT max(id) FROM {table.name}))"
            connection.execute(sql(last))
    print(f"{table.name}: {time.monotonic() - began:.0f} s", file=sys.stderr)


def _taken(table: Table) -> str:
    """The slice's rows, numbered in their order, with what their copies are computed from."""
    order = "t.id" if "id" in table.c else "t.ctid"
    if table.name in MIRROR:
        more = f""", (SELECT v.body FROM slice.chargebee_versions v WHERE v.kind =
            '{MIRROR[table.name]}' AND v.external_id = t.external_id
            AND v.body_sha256 = t.body_sha256) AS its_body"""
    elif "results" in table.c:
        more = """, regexp_split_to_array(results, '[0-9]+') AS words,
            (SELECT array_agg(m[1]::bigint) FROM regexp_matches(results, '([0-9]+)', 'g') m)
            AS numbers"""
    else:
        more = ""
    return f"""CREATE UNLOGGED TABLE slice.{table.name} AS
        SELECT row_number() OVER (ORDER BY {order}) AS n, t.*{more} FROM {table.name} t
        """


def _statement(table: Table, whole: int) -> str:
    columns = [column for column in table.columns if column.computed is None]
    values = ", ".join(_value(table, column.name, whole) for column in columns)
    names = ", ".join(column.name for column in columns)
    # By n, so that rows of one time lie together: the series depends on it.
    return f"""INSERT INTO {table.name} ({names}) SELECT {values}
        FROM (SELECT * FROM slice.{table.name} ORDER BY n) s,
        LATERAL generate_series(0, :copies - 1 + 0 * s.n) k"""


def _value(table: Table, name: str, whole: int) -> str:
    """The value of one column of copy `k`."""
    column, own = table.c[name], f"s.{name}"
    is_text = isinstance(column.type, (String, Json)) and not isinstance(column.type, LargeBinary)
    if name in KEYS and not is_text:
        return _KEY.format(own)
    if name == "results":
        return _results()
    is_whole = f"k < {whole}"
    if name == "body":
        return f"CASE WHEN {is_whole} THEN {_BODY.format(own)} ELSE '{{}}' END"
    if name == "body_sha256":
        body = _BODY.format("s.its_body" if table.name in MIRROR else "s.body")
        return f"CASE WHEN {is_whole} THEN sha256({body}) ELSE {own} END"
    return _TEXT.format(own) if is_text else own


def _results() -> str:
    """What an event came to: a text with keys in it."""
    parts = ["s.words[1]"]
    for number in range(1, _PARTS + 1):
        key = _KEY.format(f"s.numbers[{number}]")
        parts.append(f"coalesce({key} || s.words[{number + 1}], '')")
    return " || ".join(parts)


def _ends(copies: int) -> Iterator[str]:
    """What is not simply repeated."""
    sums = ", ".join(f"{name} = {name} * {copies}" for name in months.COLUMNS)
    yield f"UPDATE {RewardMonth.__tablename__} SET {sums}"
    yield "TRUNCATE audit_entries"
    yield f"UPDATE audit_head SET last_id = 0, hash = '\\x{GENESIS.hex()}'"
    yield "SELECT setval('audit_entries_id_seq', 1, false)"
    yield """UPDATE payouts SET ledger_sha256 = d.digest FROM (
        SELECT payout_id, encode(sha256(convert_to('[' || string_agg(
            '[' || reward_id || ',[' || entries || ']]', ',' ORDER BY reward_id) || ']',
            'UTF8')), 'hex') AS digest
        FROM (SELECT l.payout_id, l.reward_id,
            string_agg('[' || e.id || ',' || e.amount_minor || ']', ',' ORDER BY e.id) AS entries
          FROM payout_lines l JOIN ledger_entries e
            ON e.reward_id = l.reward_id AND e.amount_minor <> 0
          GROUP BY l.payout_id, l.reward_id) lines
        GROUP BY payout_id) d WHERE d.payout_id = payouts.id"""


def _run(engine: Engine, statements: list[str]) -> None:
    with engine.begin() as connection:
        for setting in _SETTINGS:
            connection.execute(sql(setting))
        for statement in statements:
            connection.execute(sql(_escaped(statement)))


def _escaped(statement: str) -> str:
    """Casts are no parameters."""
    return statement.replace("::", "\\:\\:")


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
