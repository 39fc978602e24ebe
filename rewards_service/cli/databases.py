"""The database as commands see it: at the newest schema, or refused in plain words."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from rewards_service.cli.main import Refused
from rewards_service.kit import log
from rewards_service.kit.connecting import connect_args
from rewards_service.kit.db import READ_ONLY
from rewards_service.kit.migrate import (
    AHEAD,
    BEHIND,
    current_revision,
    newest_revision,
    schema_standing,
)
from rewards_service.settings import Settings, load_settings


def start() -> Settings:
    """Settings and log of a command: lines of the log go to stderr, answers to stdout."""
    settings = load_settings()
    log.configure(settings.log_format)
    logging.getLogger("alembic.runtime.migration").setLevel(logging.WARNING)
    return settings


@contextmanager
def open_engine(settings: Settings) -> Iterator[Engine]:
    """An engine that gives up on an absent server soon. Database errors become refusals."""
    url = settings.database_url
    # What is asked for, and so is not shown with an error, is other people's.
    engine = create_engine(url, hide_parameters=True, connect_args=connect_args(url))
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
        current = current_revision(reading(engine))
        if schema_standing(current) == AHEAD:
            raise Refused(
                f"The database is at revision {current}, of a newer release than this program "
                f"({newest_revision()}). Use the new release."
            )
        _refuse_if_behind(current)
        yield engine


def refuse_if_behind(settings: Settings) -> None:
    """Refuse to work on a schema that is older than this code; one that is newer is made to fit.

    A database that does not answer now may do so later: that is no reason not to start.
    """
    engine = create_engine(settings.database_url, connect_args=connect_args(settings.database_url))
    try:
        current = current_revision(reading(engine))
    except SQLAlchemyError:
        return
    finally:
        engine.dispose()
    _refuse_if_behind(current)


def _refuse_if_behind(current: str | None) -> None:
    if schema_standing(current) == BEHIND:
        held = f"is at revision {current}" if current else "has no tables yet"
        needed = newest_revision()
        raise Refused(f"The database {held}; this program needs {needed}. Run: rewards init")


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
