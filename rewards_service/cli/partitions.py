"""`rewards partitions`: the parts in which PostgreSQL holds the audit log, month by month."""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import click
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from rewards_service.audit import archiving
from rewards_service.audit.archiving import Run
from rewards_service.cli.answers import answer, as_json_option
from rewards_service.cli.databases import migrated, start
from rewards_service.cli.main import Refused
from rewards_service.kit import partitions as parted
from rewards_service.kit import partitions_ahead as ahead
from rewards_service.kit.db import rehearsal, transaction
from rewards_service.kit.partitions import Part

ATTEMPTS = 10  # to have a table alone for a moment, two seconds each
T = TypeVar("T")

dry_run_option = click.option(
    "--dry-run", is_flag=True, help="Say what would be done, and do nothing."
)


@click.group()
def partitions() -> None:
    """The parts in which PostgreSQL holds the audit log, one for each month.

    Those of the next three months are made by the service itself. SQLite holds each table in one
    piece.
    """


@partitions.command("list")
@as_json_option
def list_parts(as_json: bool) -> None:
    """Show all parts, those that were taken off too. Rows are estimates, but for the net's."""
    with migrated(start()) as engine, engine.connect() as connection:
        found = parted.parts(connection)
    answer(as_json, {"partitions": [_rendered(part) for part in found]}, _lines(found))


@partitions.command()
@dry_run_option
@as_json_option
def make(dry_run: bool, as_json: bool) -> None:
    """Make the parts of this month and the next three, and empty the net as far as it goes.

    The service does so by itself: this is for when `rewards doctor` says that it did not.
    """
    made = _do(lambda session: ahead.make(session.connection()), dry_run)
    verb = "would be made" if dry_run else "made"
    lines = [f"{name} {verb}." for name in made] or ["Nothing is missing."]
    answer(as_json, {"made": made, "dry_run": dry_run}, lines)


@partitions.command()
@click.argument("name")
@dry_run_option
@as_json_option
def detach(name: str, dry_run: bool, as_json: bool) -> None:
    """Take the oldest part, NAME, off the audit log: it is a table of its own then.

    Keep it with pg_dump and drop it, or leave it there. Entries in it are no longer found, and a
    replay does not know of them.
    """
    run = _do(lambda session: archiving.detach(session, name), dry_run)
    _tell(as_json, name, run, dry_run, "taken off")


@partitions.command()
@click.argument("name")
@dry_run_option
@as_json_option
def attach(name: str, dry_run: bool, as_json: bool) -> None:
    """Put NAME, the part that was taken off last, back into the audit log."""
    if not dry_run:
        _do(lambda session: parted.vouch(session.connection(), name), dry_run=False)
    run = _do(lambda session: archiving.attach(session, name), dry_run)
    _tell(as_json, name, run, dry_run, "put back")


def _do(work: Callable[[Session], T], dry_run: bool) -> T:
    """Do it in one transaction; try again while somebody who reads for long is in the way."""
    with migrated(start()) as engine:
        if engine.dialect.name != "postgresql":
            raise Refused("SQLite holds each table in one piece: there are no parts.")
        for _ in range(ATTEMPTS - 1):
            try:
                return _once(engine, work, dry_run)
            except OperationalError as error:
                if "lock timeout" not in str(error.orig):
                    raise
        return _once(engine, work, dry_run)


def _once(engine: Engine, work: Callable[[Session], T], dry_run: bool) -> T:
    with transaction(engine) as session:
        parted.be_quick(session.connection())
        if not dry_run:
            return work(session)
        with rehearsal(session):
            return work(session)


def _rendered(part: Part) -> dict[str, Any]:
    return {
        "table": part.table,
        "name": part.name,
        "from": part.from_on and part.from_on.isoformat(),
        "before": part.before_on and part.before_on.isoformat(),
        "attached": part.is_attached,
        "net": part.is_net,
        "rows": part.rows,
        "size_bytes": part.size_bytes,
    }


def _lines(found: list[Part]) -> Iterator[str]:
    for part in found:
        months = f"{part.from_on or 'the beginning'} to {part.before_on}"
        place = "the net" if part.is_net else months
        state = "" if part.is_attached else "  taken off"
        size = part.size_bytes / 2**20
        yield f"{part.name:<32} {place:<28} {part.rows:>12,} rows {size:>10,.1f} MiB{state}"
    if not found:
        yield "Each table is in one piece: this is SQLite."


def _tell(as_json: bool, name: str, run: Run, dry_run: bool, done: str) -> None:
    value = {
        "name": name, "entries": run.entries, "first_id": run.first_id, "last_id": run.last_id,
        "dry_run": dry_run,
    }  # fmt: skip
    which = f", {run.first_id} to {run.last_id}" if run.entries else ""
    verb = f"would be {done}" if dry_run else done
    answer(as_json, value, [f"{name} {verb}: {run.entries} entries{which}."])
