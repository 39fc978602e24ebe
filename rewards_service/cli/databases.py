"""The database as commands see it: at the newest schema, or refused in plain words."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from rewards_service.cli.main import Refused
from rewards_service.kit import log
from rewards_service.kit.db import READ_ONLY
from rewards_service.kit.migrate import current_revision, newest_revision
from rewards_service.settings import Settings, load_settings

TIMEOUT_SECONDS = 5


def start() -> Settings:
    """Settings and log of a command: lines of the log go to stderr, answers to stdout."""
    settings = load_settings()
    log.configure(settings.log_format)
    logging.getLogger("alembic.runtime.migration").setLevel(logging.WARNING)
    return settings


@contextmanager
def open_engine(settings: Settings) -> Iterator[Engine]:
    """An engine that gives up on an absent server soon. Database errors become refusals."""
    options: dict[str, Any] = {"hide_parameters": True}  # they are other people's
    if not settings.database_url.startswith("sqlite"):
        options["connect_args"] = {"connect_timeout": TIMEOUT_SECONDS}
    engine = create_engine(settings.database_url, **options)
    try:
        yield engine
    except SQLAlchemyError as error:
        raise Refused(unusable(error)) from error
    finally:
        engine.dispose()


def unusable(error: SQLAlchemyError) -> str:
    """What to tell a person when the database did not do what was asked."""
    cause = getattr(error, "orig", None) or error
    lines = str(cause).strip().splitlines() or [type(cause).__name__]
    return (
        f"The database cannot be used ({lines[0]}). Check DATABASE_URL, that the server runs, and "
        "that this user may connect and write."
    )


@contextmanager
def migrated(settings: Settings) -> Iterator[Engine]:
    """As `open_engine`, for a database at the newest schema; another one is refused."""
    with open_engine(settings) as engine:
        current, newest = current_revision(reading(engine)), newest_revision()
        if current != newest:
            held = f"is at revision {current}" if current else "has no tables yet"
            raise Refused(f"The database {held}; this program needs {newest}. Run: rewards init")
        yield engine


@contextmanager
def snapshot(settings: Settings) -> Iterator[Session]:
    """A session that reads one state of a migrated database, whatever is written meanwhile."""
    with migrated(settings) as engine, Session(reading(engine)) as session:
        yield session


def reading(engine: Engine) -> Engine:
    """The engine for reading only: no write lock on SQLite, one snapshot on PostgreSQL."""
    if engine.dialect.name == "postgresql":
        return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return engine.execution_options(**{READ_ONLY: True})
