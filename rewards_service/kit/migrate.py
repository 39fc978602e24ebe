"""Bring a database to the newest schema; migrations lie beside the package, or inside a wheel.

Old and new code run side by side while a release is rolled out, so a schema may be ahead of the
code that works on it: the rules for that are in docs/upgrading.md.
"""

import logging
import re
from functools import cache
from pathlib import Path

import psycopg.errors
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import OperationalError
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    wait_random_exponential,
)

from rewards_service.kit.connecting import connect_args

logger = logging.getLogger(__name__)

_PACKAGE = Path(__file__).resolve().parent.parent
NEWEST, AHEAD, BEHIND = "newest", "ahead", "behind"
MOST_TRIES = 12  # of a migration that waits for a table in use; about two minutes


def script_location() -> Path:
    """`migrations/` of a checkout, `_migrations/` of an installed wheel."""
    beside = _PACKAGE.parent / "migrations"
    return beside if (beside / "env.py").exists() else _PACKAGE / "_migrations"


def alembic_config(database_url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(script_location()))
    config.attributes["database_url"] = database_url
    return config


def upgrade(database_url: str, revision: str = "head") -> None:
    """Apply every migration that is missing, each in a transaction of its own.

    Does nothing on a database at the head or ahead of it. A migration that cannot have its lock
    within seconds lets the writers behind it go on, and tries again. Raises OperationalError.
    """
    current, _ = heads(database_url)
    if schema_standing(current) == AHEAD:
        return
    config = alembic_config(database_url)
    Retrying(
        retry=retry_if_exception(_waits_for_others),
        stop=stop_after_attempt(MOST_TRIES),
        wait=wait_random_exponential(multiplier=1, max=15),
        before_sleep=_tell,
        reraise=True,
    )(command.upgrade, config, revision)


def _waits_for_others(error: BaseException) -> bool:
    return isinstance(error, OperationalError) and isinstance(
        error.orig, psycopg.errors.LockNotAvailable
    )


def _tell(state: RetryCallState) -> None:
    logger.warning("A table is in use; the migration tries again (%d)", state.attempt_number)


def downgrade(database_url: str, revision: str = "base") -> None:
    command.downgrade(alembic_config(database_url), revision)


def heads(database_url: str) -> tuple[str | None, str | None]:
    """(revision of the database, newest revision of the code)."""
    engine = create_engine(database_url, connect_args=connect_args(database_url))
    try:
        return current_revision(engine), newest_revision()
    finally:
        engine.dispose()


def current_revision(engine: Engine) -> str | None:
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


@cache
def newest_revision() -> str | None:
    """Of this code, also when the files on the disk are those of another release by now."""
    return ScriptDirectory(str(script_location())).get_current_head()


def schema_standing(current: str | None) -> str:
    """NEWEST, AHEAD (a newer release has migrated already) or BEHIND, for a database's revision."""
    newest = newest_revision()
    if current == newest:
        return NEWEST
    is_ours = current is not None and newest is not None and re.fullmatch(r"\d{4}", current)
    return AHEAD if is_ours and current > newest else BEHIND  # type: ignore[operator]
