"""Statements that are put together once for all the databases of the tests.

SQLAlchemy keeps what it has compiled by engine. Tests open thousands of databases of one schema,
each with an engine of its own, and would spend a third of their time on compiling the same again.
"""

from typing import Any

from sqlalchemy import Engine
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache

_DIALECTS: tuple[Any, ...] = (SQLiteDialect_pysqlite, PGDialect_psycopg)
_known: LRUCache[Any, Any] = LRUCache(10_000)


def share_compiled() -> None:
    """From now on engines of one kind of server share what they have compiled."""
    for dialect in _DIALECTS:
        dialect.__eq__ = _is_alike
        dialect.__hash__ = _hash
    Engine._compiled_cache = property(lambda _engine: _known, _leave)  # type: ignore[assignment]


def _leave(_engine: Engine, _cache: Any) -> None:
    """What an engine would keep for itself."""


def _is_alike(one: Any, other: object) -> bool:
    return type(one) is type(other) and _version(one) == _version(other)


def _hash(one: Any) -> int:
    return hash(type(one))


def _version(dialect: Any) -> Any:
    return getattr(dialect, "server_version_info", None)
