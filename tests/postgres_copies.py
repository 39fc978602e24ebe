"""Empty, migrated PostgreSQL databases, one for each test: used ones are emptied, not remade.

A copy of the template costs a third of a second, emptying the few tables that a test wrote to a
fiftieth of that. A database is as good as new when its schema is untouched, its rows are those of
the template, and its sequences stand at their start; any other is dropped.
"""

from dataclasses import dataclass, field
from uuid import uuid4

import psycopg
from psycopg.sql import SQL, Composed, Identifier, Literal
from sqlalchemy import Engine, make_url, text

END = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"
# Whatever a test changes of the schema, a disabled trigger among it, is a new row version here.
SCHEMA = """
SELECT md5(string_agg(part, ',' ORDER BY part)) FROM (
  SELECT oid || ':' || xmin::text AS part FROM pg_trigger
  UNION ALL SELECT oid || ':' || xmin::text FROM pg_constraint
  UNION ALL SELECT attrelid || '.' || attnum || ':' || a.xmin::text FROM pg_attribute a
    JOIN pg_class c ON c.oid = a.attrelid AND c.relnamespace = 'public'::regnamespace
  UNION ALL SELECT oid || ':' || xmin::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace
  UNION ALL SELECT oid::text FROM pg_class WHERE relnamespace = 'public'::regnamespace
) parts"""
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
RESTART = """
SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)
FROM pg_sequences WHERE last_value IS NOT NULL"""


@dataclass
class PostgresTemplate:
    """A migrated, empty database on a server, and its copies."""

    admin: Engine
    name: str
    _free: list[str] = field(default_factory=list)
    _schemas: dict[str, str] = field(default_factory=dict)
    _tables: list[str] = field(default_factory=list)
    _seeds: dict[str, str] = field(default_factory=dict)  # table -> its first rows, as JSON

    def create(self) -> str:
        """The URL of a database that is as good as new."""
        if self._free:
            return self._free.pop()
        copy = f"test_{uuid4().hex}"
        with self.admin.connect() as connection:
            version = connection.dialect.server_version_info or (0,)
            # Newer servers would otherwise write each copy to their log as well.
            strategy = "STRATEGY file_copy" if version >= (15,) else ""
            connection.execute(text(f"CREATE DATABASE {copy} TEMPLATE {self.name} {strategy}"))
        url = self.url(copy)
        self._remember(url)
        return url

    def release(self, url: str) -> None:
        """Take a database back: emptied for the next test, or dropped."""
        if self._schemas.get(url) and self._empty(url):
            self._free.append(url)
        else:
            self.drop(url)

    def drop(self, url: str) -> None:
        """Drop a copy, its connections ended first: FORCE would sleep until they are."""
        name = make_url(url).database
        with self.admin.connect() as connection:
            for _ in range(200):
                if not connection.execute(text(END), {"name": name}).all():
                    break
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))

    def drop_all(self) -> None:
        for url in self._free:
            self.drop(url)
        self.drop(self.url(self.name))

    def url(self, database: str) -> str:
        return self.admin.url.set(database=database).render_as_string(hide_password=False)

    def _remember(self, url: str) -> None:
        with _connect(url) as connection:
            (self._schemas[url],) = connection.execute(SCHEMA).fetchone() or ("",)
            if not self._tables:
                self._tables = [name for (name,) in connection.execute(TABLES)]
                self._seeds = {
                    name: rows
                    for name in self._filled(connection)
                    for (rows,) in connection.execute(
                        SQL("SELECT json_agg(t)::text FROM {} t").format(Identifier(name))
                    )
                }

    def _empty(self, url: str) -> bool:
        """Whether the database could be emptied; not without a superuser's rights."""
        with self.admin.connect() as admin:
            admin.execute(text(END), {"name": make_url(url).database})
        try:
            with _connect(url) as connection:
                if (self._schemas[url],) != connection.execute(SCHEMA).fetchone():
                    return False
                connection.execute("SET session_replication_role = replica")
                used = self._filled(connection)
                if used:
                    names = SQL(", ").join(Identifier(name) for name in used)
                    connection.execute(SQL("TRUNCATE {} CASCADE").format(names))
                for name, rows in self._seeds.items():
                    table = Identifier(name)
                    connection.execute(SQL("DELETE FROM {}").format(table))
                    connection.execute(SQL(
                        "INSERT INTO {0} SELECT * FROM json_populate_recordset(NULL::{0}, %s)"
                    ).format(table), (rows,))  # fmt: skip
                connection.execute(RESTART)
        except psycopg.Error:
            return False
        return True

    def _filled(self, connection: psycopg.Connection) -> list[str]:
        question = SQL(" UNION ALL ").join(_has_rows(name) for name in self._tables)
        return [name for (name,) in connection.execute(question)]


def _has_rows(table: str) -> Composed:
    found = SQL("SELECT {} WHERE EXISTS (SELECT FROM {})")
    return found.format(Literal(table), Identifier(table))


def _connect(url: str) -> psycopg.Connection:
    parts = make_url(url)
    return psycopg.connect(
        dbname=parts.database, user=parts.username, password=parts.password,
        port=parts.port, host=parts.host or str(parts.query.get("host", "")), autocommit=True,
    )  # fmt: skip
