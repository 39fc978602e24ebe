"""Bring a database to the newest schema; migrations lie beside the package, or inside a wheel."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine

_PACKAGE = Path(__file__).resolve().parent.parent


def script_location() -> Path:
    """`migrations/` of a checkout, `_migrations/` of an installed wheel."""
    beside = _PACKAGE.parent / "migrations"
    return beside if (beside / "env.py").exists() else _PACKAGE / "_migrations"


def alembic_config(database_url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(script_location()))
    config.attributes["database_url"] = database_url
    return config


def upgrade(database_url: str) -> None:
    """Apply every migration that is missing; does nothing on a database at the head."""
    command.upgrade(alembic_config(database_url), "head")


def downgrade(database_url: str, revision: str = "base") -> None:
    command.downgrade(alembic_config(database_url), revision)


def heads(database_url: str) -> tuple[str | None, str | None]:
    """(revision of the database, newest revision of the code)."""
    engine = create_engine(database_url)
    try:
        return current_revision(engine), newest_revision()
    finally:
        engine.dispose()


def current_revision(engine: Engine) -> str | None:
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def newest_revision() -> str | None:
    return ScriptDirectory(str(script_location())).get_current_head()
