"""`rewards backup` and `rewards restore`: SQLite's file, copied whole while it is in use."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import click
from sqlalchemy import make_url

from rewards_service.cli.answers import answer, as_json_option
from rewards_service.cli.databases import start
from rewards_service.cli.main import Refused
from rewards_service.kit import migrate
from rewards_service.kit.migrate import AHEAD, newest_revision, schema_standing
from rewards_service.settings import Settings

KEYS = ("secret_key", "encryption_keys")
_BUSY_S = 15.0
_DUMP = 'pg_dump --format=custom --file {file} "$DATABASE_URL"'
_LOAD = 'pg_restore --clean --if-exists --no-owner --dbname "$DATABASE_URL" {file}'


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@as_json_option
def backup(file: Path, as_json: bool) -> None:
    """Copy the SQLite database to FILE, also while the service runs.

    The copy is of one moment, looked through, and complete in itself. FILE must not exist. For
    PostgreSQL it names the command to use.
    """
    settings = start()
    source = _database_file(settings, _DUMP, file)
    if not source.exists():
        raise Refused(f"There is no database at {source}.")
    if file.exists():
        raise Refused(f"{file} exists. Choose another name: a backup is never written over.")
    draft = file.with_name(f"{file.name}.part")
    draft.unlink(missing_ok=True)
    with _reported(file):
        os.close(os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600))
        with _opened(source) as live, _opened(draft) as copy:
            live.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, nothing beside it
            revision = _sound(copy, draft)
        with draft.open("rb+") as written:
            os.fsync(written.fileno())
        draft.rename(file)
    keep = [str(settings.var_dir / name) for name in KEYS if (settings.var_dir / name).exists()]
    value = {"file": str(file), "bytes": file.stat().st_size, "revision": revision, "keep": keep}
    answer(as_json, value, _told(value, keep))


def _told(value: dict[str, Any], keep: list[str]) -> Iterator[str]:
    yield f"{value['file']} holds the database ({value['bytes']} bytes, {value['revision']})."
    kept = " and ".join(keep) if keep else "SECRET_KEY and ENCRYPTION_KEYS"
    yield f"Keep as well, at another place: {kept}. Without them what is sealed in it is lost."


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--replace", is_flag=True, help="Give up the database that is there.")
@as_json_option
def restore(file: Path, replace: bool, as_json: bool) -> None:
    """Bring back the SQLite database from FILE, and its schema to this release.

    Stop the service first. Afterwards fetch what happened since, with `rewards poll --since`: the
    answer says from when on. For PostgreSQL it names the command to use.
    """
    settings = start()
    target = _database_file(settings, _LOAD, file)
    if target.exists() and not replace:
        raise Refused(f"{target} exists. To give it up for {file}, say --replace.")
    with _reported(file), _opened(file) as copy:
        revision = _sound(copy, file)
        if schema_standing(revision) == AHEAD:
            raise Refused(
                f"{file} is of a newer release ({revision}; this is {newest_revision()})."
            )
        last = copy.execute("SELECT max(received_at) FROM received_events").fetchone()[0]
        with _opened(target) as live:
            copy.backup(live)
    migrate.upgrade(settings.database_url)
    since = None if last is None else f"{last.replace(' ', 'T').partition('.')[0]}Z"
    lines = [f"{target} is as it was in {file}."]
    if since:
        lines.append(f"Its last event came {since}. Fetch those since then, for each integration:")
        lines.append(f"  rewards poll --since {since} --integration ID")
    answer(as_json, {"file": str(target), "revision": newest_revision(), "since": since}, lines)


def _database_file(settings: Settings, command: str, file: Path) -> Path:
    url = make_url(settings.database_url)
    if url.get_backend_name() != "sqlite" or not url.database:
        raise Refused(f"This is for SQLite. For PostgreSQL: {command.format(file=file)}")
    return Path(url.database)


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, timeout=_BUSY_S)) as connection:
        yield connection


@contextmanager
def _reported(file: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise click.ClickException(f"{file} cannot be used as a backup ({error}).") from error


def _sound(connection: sqlite3.Connection, path: Path) -> str:
    """The revision of a database that is whole and ours; a ClickException when it is not."""
    (verdict,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if verdict != "ok":
        raise click.ClickException(f"{path} is damaged: {verdict}")
    return str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])
