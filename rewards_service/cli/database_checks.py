"""What `rewards doctor` asks the database about itself."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from rewards_service.cli.databases import reading, unusable
from rewards_service.connections.checks import Check
from rewards_service.kit import partitions
from rewards_service.kit import partitions_ahead as ahead
from rewards_service.kit.migrate import (
    AHEAD,
    BEHIND,
    current_revision,
    newest_revision,
    schema_standing,
)
from rewards_service.kit.partitions import Part

CLOCK_SECONDS = 2.0


def check_schema(engine: Engine) -> Check:
    """Whether the database answers, and whether its schema is that of this release."""
    try:
        current = current_revision(reading(engine))
    except SQLAlchemyError as error:
        return Check("database", False, unusable(error), "Start it, or correct DATABASE_URL.")
    standing, newest = schema_standing(current), newest_revision()
    if standing == BEHIND:
        detail = f"The schema is at {current or 'nothing'}, the newest is {newest}."
        return Check("database", False, detail, "Run: rewards init")
    if standing == AHEAD:
        detail = (
            f"The schema is at {current}, this release knows {newest}: an upgrade is under way."
        )
        remedy = "Bring the other processes to the new release, too."
        return Check("database", True, detail, remedy, warning=True)
    return Check("database", True, f"{engine.dialect.name} answers, its schema is the newest.")


def check_database(engine: Engine) -> Iterator[Check]:
    """What a database that answers must be besides: durable, on time, with room for each month."""
    if engine.dialect.name != "postgresql":
        yield Check("durability", True, "SQLite writes every commit to disk.")
        return
    with engine.connect() as connection:
        commit = str(connection.execute(text("SHOW synchronous_commit")).scalar_one())
        before = datetime.now(UTC)
        theirs = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
        after = datetime.now(UTC)
        parts, missing = partitions.parts(connection), ahead.missing(connection, 1)
    yield _durability(commit)
    yield _clock(theirs - (before + (after - before) / 2))
    yield _partitions(parts, missing)


def _partitions(parts: Sequence[Part], missing: Sequence[str]) -> Check:
    """Rows without a part of their own go on being written, but cannot be taken off."""
    remedy = "Run: rewards partitions make. Is a scheduler running, and a worker?"
    strays = sum(part.rows for part in parts if part.is_net)
    if missing:
        return Check("partitions", False, f"Not there: {', '.join(missing)}.", remedy)
    if strays:
        detail = f"{strays} rows of the audit log lie in no month that has a part."
        return Check("partitions", False, detail, remedy)
    return Check("partitions", True, "The months of the audit log are there, the net is empty.")


def _durability(commit: str) -> Check:
    detail = f"synchronous_commit is {commit}."
    if commit in ("off", "local"):
        remedy = "Set synchronous_commit = on for this database: an answered event must survive."
        return Check("durability", commit != "off", detail, remedy, warning=commit != "off")
    return Check("durability", True, detail)


def _clock(difference: timedelta) -> Check:
    seconds = difference.total_seconds()
    detail = f"The database's clock differs by {seconds:+.3f} s."
    if abs(seconds) > CLOCK_SECONDS:
        return Check("clock", False, detail, "Let both machines follow a time server (NTP).")
    return Check("clock", True, detail)
