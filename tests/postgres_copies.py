"""Empty, migrated PostgreSQL databases, one for each test: used ones are emptied, not remade.

A copy of the template costs many times what emptying the few tables costs that a test wrote to. A
database is as good as new when its schema is untouched, its rows are those of the template, and
its sequences stand at their start; any other is dropped.
"""

from dataclasses import dataclass, field
from uuid import uuid4

import psycopg
from psycopg.sql import SQL, Composable, Composed, Identifier, Literal
from sqlalchemy import Engine, make_url, text

END = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"
END_OTHERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()"""
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
# Rows are deleted: to truncate makes new files for a table and each of its indexes, and is worth it
# for large ones only.
MOST_BYTES_LEFT = 256 * 1024


@dataclass
class PostgresTemplate:
    """A migrated, empty database on a server, and its copies."""

    admin: Engine
    name: str
    _free: list[str] = field(default_factory=list)
    _schemas: dict[str, str] = field(default_factory=dict)
    # One connection to each copy stays open: it has read the catalogue, which takes a new one long.
    _keepers: dict[str, psycopg.Connection] = field(default_factory=dict)
    _filled: str = ""  # asks which tables have rows, and whether they leave much behind
    _seed: str = ""  # brings back the first rows

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
        keeper = self._keepers.pop(url, None)
        if keeper is not None:
            keeper.close()
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
        keeper = self._keepers[url] = _connect(url)
        (self._schemas[url],) = keeper.execute(SCHEMA).fetchone() or ("",)
        if not self._filled:
            tables = [name for (name,) in keeper.execute(TABLES)]
            self._filled = SQL(" UNION ALL ").join(map(_has_rows, tables)).as_string(keeper)
            seeded = [name for name, _ in keeper.execute(self._filled)]
            self._seed = "; ".join(_bringing_back(keeper, name) for name in seeded)

    def _empty(self, url: str) -> bool:
        """Whether the database could be emptied; not without a superuser's rights."""
        keeper = self._keepers[url]
        try:
            keeper.execute(END_OTHERS)
            if (self._schemas[url],) != keeper.execute(SCHEMA).fetchone():
                return False
            used = keeper.execute(self._filled).fetchall()
            emptying = [_emptying(name, much).as_string(keeper) for name, much in used]
            keeper.execute("; ".join(["SET session_replication_role = replica", *emptying]))
            if used:
                keeper.execute(_vacuum([name for name, _ in used]))
            keeper.execute("; ".join([self._seed, RESTART]))
        except psycopg.Error:
            return False
        return True


def _has_rows(table: str) -> Composable:
    found = SQL("SELECT {}, pg_relation_size({}) > {} WHERE EXISTS (SELECT FROM {})")
    name = Identifier(table)
    size = Literal(name.as_string())
    return found.format(Literal(table), size, MOST_BYTES_LEFT, name)


def _emptying(table: str, much: bool) -> Composable:
    statement = "TRUNCATE {} CASCADE" if much else "DELETE FROM {}"
    return SQL(statement).format(Identifier(table))


def _vacuum(tables: list[str]) -> SQL | Composed:
    """Rows of the next test lie in the order in which they come, not in gaps of this one's."""
    return SQL("VACUUM {}").format(SQL(", ").join([Identifier(name) for name in tables]))


def _bringing_back(connection: psycopg.Connection, table: str) -> str:
    name = Identifier(table)
    query = SQL("SELECT json_agg(t)::text FROM {} t").format(name)
    (rows,) = connection.execute(query).fetchone() or ("[]",)
    put = SQL("INSERT INTO {0} SELECT * FROM json_populate_recordset(NULL::{0}, {1})")
    return put.format(name, Literal(rows)).as_string(connection)


def _connect(url: str) -> psycopg.Connection:
    parts = make_url(url)
    return psycopg.connect(
        dbname=parts.database, user=parts.username, password=parts.password,
        port=parts.port, host=parts.host or str(parts.query.get("host", "")), autocommit=True,
    )  # fmt: skip
