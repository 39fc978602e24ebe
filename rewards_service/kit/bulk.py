"""Many rows in one statement, on both databases.

PostgreSQL gets one statement over arrays in binary form: the gain of a batch is fewer statements,
not fewer commits. SQLite gets the driver's own executemany, which costs no round trips.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from psycopg.rows import namedtuple_row
from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Date,
    DateTime,
    Dialect,
    Integer,
    LargeBinary,
    Numeric,
    Select,
    Table,
    bindparam,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

WORTH_A_COPY = 20  # rows; below, one statement is less work than opening a COPY
Row = dict[str, Any]
_Convert = Callable[[Any], Any] | None
_POSTGRES_TYPES: tuple[tuple[type[TypeEngine[Any]], str], ...] = (
    (BigInteger, "int8"),
    (Integer, "int4"),
    (Boolean, "bool"),
    (DateTime, "timestamptz"),
    (Date, "date"),
    (LargeBinary, "bytea"),
    (Numeric, "numeric"),
)


def among(session: Session, column: Any, values: Sequence[Any]) -> ColumnElement[bool]:
    """`column IN (values)`; on PostgreSQL one array parameter, so that the text stays."""
    if session.get_bind().dialect.name == "postgresql":
        array = bindparam(None, list(values), type_=ARRAY(column.type), unique=True)
        return column == array.any_()  # type: ignore[no-any-return]
    return column.in_(values)  # type: ignore[no-any-return]


def among_given(column: Any, name: str, is_postgresql: bool) -> ColumnElement[bool]:
    """`among` for a statement that is put together once; the values are its parameter `name`."""
    if is_postgresql:
        array = bindparam(name, type_=ARRAY(column.type))
        return column == array.any_()  # type: ignore[no-any-return]
    return column.in_(bindparam(name, expanding=True))  # type: ignore[no-any-return]


def fetch_binary(session: Session, query: Select[*tuple[Any, ...]]) -> list[Any]:
    """Rows of a query over plain columns, as named tuples, for long byte values.

    PostgreSQL sends them as they are: by default it spells each byte with two letters.
    """
    if session.get_bind().dialect.name != "postgresql":
        return list(session.connection().execute(query).all())
    compiled = query.compile(dialect=session.get_bind().dialect)
    connection = session.connection().connection.driver_connection
    if connection is None:
        raise RuntimeError("The session has no database connection.")
    with connection.cursor(binary=True, row_factory=namedtuple_row) as cursor:
        cursor.execute(str(compiled), compiled.params)
        rows: list[Any] = cursor.fetchall()
    return rows


def insert_rows(session: Session, table: Table, rows: Sequence[Row], conflict: str = "") -> None:
    """Insert rows that all carry the same columns; `conflict` is an ON CONFLICT clause."""
    if not rows:
        return
    names = list(rows[0])
    head = f"INSERT INTO {table.name} ({', '.join(names)})"
    if session.get_bind().dialect.name == "postgresql":
        if not conflict and len(rows) >= WORTH_A_COPY:
            _copy(session, table, names, rows)
            return
        values, source, parameters = _arrays(table, names, rows, _dialect(session))
        sql = f"{head} SELECT {', '.join(values.values())} {source} {conflict}"
        _execute(session, sql, parameters)
        return
    marks = ", ".join("?" * len(names))
    sql = f"{head} VALUES ({marks}) {conflict}"
    _execute_many(session, sql, _tuples(table, names, rows, _dialect(session)))


def update_rows(session: Session, table: Table, rows: Sequence[Row], key: str) -> None:
    """Set the columns that rows carry on the row each names by `key`."""
    if not rows:
        return
    names = [*(name for name in rows[0] if name != key), key]
    if session.get_bind().dialect.name == "postgresql":
        values, source, parameters = _arrays(table, names, rows, _dialect(session), keep=key)
        sets = ", ".join(f"{name} = {values[name]}" for name in names if name != key)
        where = f"{table.name}.{key} = {values[key]}"
        sql = f"UPDATE {table.name} SET {sets} {source} WHERE {where}"  # noqa: S608
        _execute(session, sql, parameters)
        return
    sets = ", ".join(f"{name} = ?" for name in names if name != key)
    sql = f"UPDATE {table.name} SET {sets} WHERE {key} = ?"  # noqa: S608
    _execute_many(session, sql, _tuples(table, names, rows, _dialect(session)))


def _dialect(session: Session) -> Dialect:
    return session.get_bind().dialect


def _execute(session: Session, sql: str, parameters: list[Any]) -> None:
    connection = session.connection().connection.driver_connection
    if connection is None:
        raise RuntimeError("The session has no database connection.")
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)


def _copy(session: Session, table: Table, names: list[str], rows: Sequence[Row]) -> None:
    connection = session.connection().connection.driver_connection
    if connection is None:
        raise RuntimeError("The session has no database connection.")
    values = _told(table, names, rows, _dialect(session))
    sql = f"COPY {table.name} ({', '.join(values)}) FROM STDIN"
    with connection.cursor() as cursor, cursor.copy(sql) as copy:
        for row in zip(*values.values(), strict=True):
            copy.write_row(row)


def _told(
    table: Table, names: list[str], rows: Sequence[Row], dialect: Dialect
) -> dict[str, list[Any]]:
    """The values by column, without columns that are NULL in every row and so by themselves."""
    converters = _converters(table, dialect)
    found = {}
    for name in names:
        values = _converted(rows, name, converters[name])
        by_itself = table.columns[name].server_default is None
        if not by_itself or any(value is not None for value in values):
            found[name] = values
    return found


def _execute_many(session: Session, sql: str, rows: list[tuple[Any, ...]]) -> None:
    session.connection().exec_driver_sql(sql, rows)


def _arrays(
    table: Table, names: list[str], rows: Sequence[Row], dialect: Dialect, keep: str | None = None
) -> tuple[dict[str, str], str, list[Any]]:
    """(expression by column, FROM clause, parameters). A column with one value is no array."""
    converters = _converters(table, dialect)
    expressions: dict[str, str] = {}
    scalars: list[Any] = []
    arrays: list[Any] = []
    casts: list[str] = []
    for name in names:
        values = _converted(rows, name, converters[name])
        if name == keep or not _is_constant(values):
            expressions[name] = f"v.c{len(arrays)}"
            arrays.append(values)
            casts.append(f"%b::{_type_name(table, name)}[]")
    for name in names:
        if name not in expressions:
            expressions[name] = f"%s::{_type_name(table, name)}"
            scalars.append(_converted(rows[:1], name, converters[name])[0])
    ordered = {name: expressions[name] for name in names}
    if not arrays:
        return ordered, "", scalars
    columns = ", ".join(f"c{number}" for number in range(len(arrays)))
    return ordered, f"FROM unnest({', '.join(casts)}) AS v({columns})", scalars + arrays


def _is_constant(values: list[Any]) -> bool:
    first = values[0]
    return all(value is first or value == first for value in values)


def _converted(rows: Sequence[Row], name: str, convert: _Convert) -> list[Any]:
    if convert is None:
        return [row[name] for row in rows]
    # Most of some columns is NULL, whatever its type, and need not be converted.
    values = [row[name] for row in rows]
    return [None if value is None else convert(value) for value in values]


def _tuples(
    table: Table, names: list[str], rows: Sequence[Row], dialect: Dialect
) -> list[tuple[Any, ...]]:
    converters = _converters(table, dialect)
    columns = [_converted(rows, name, converters[name]) for name in names]
    return list(zip(*columns, strict=True))


@lru_cache(maxsize=256)
def _converters(table: Table, dialect: Dialect) -> dict[str, _Convert]:
    return {
        column.name: column.type.dialect_impl(dialect).bind_processor(dialect)
        for column in table.columns
    }


def _type_name(table: Table, name: str) -> str:
    column_type = table.columns[name].type
    impl = getattr(column_type, "impl_instance", column_type)
    for base, text in _POSTGRES_TYPES:
        if isinstance(impl, base):
            return text
    return "text"
