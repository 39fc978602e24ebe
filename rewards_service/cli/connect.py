"""`rewards connect`: make, look at, mend and withdraw the webhooks of Chargebee sites."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import click
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from rewards_service.cli.answers import answer, as_json_option
from rewards_service.cli.databases import migrated, reading, start
from rewards_service.cli.doctor import lines
from rewards_service.cli.integrations import find_integration
from rewards_service.connections.checks import Report
from rewards_service.connections.upkeep import GRACE_HOURS, Upkeep
from rewards_service.integrations import schemas
from rewards_service.integrations.handover import keep_untold
from rewards_service.integrations.models import Integration
from rewards_service.integrations.service import change_integration, create_integration
from rewards_service.kit import ids
from rewards_service.kit.db import transaction
from rewards_service.settings import Settings

ACTOR = "cli"
integration_option = click.option(
    "--integration", required=True, metavar="ID", help="Its id (int_...) or its site."
)


@click.group()
def connect() -> None:
    """Look after the webhooks of Chargebee sites, through their API keys."""


def _site(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    if not schemas.is_site(value):
        raise click.BadParameter("It is the first part of yourcompany.chargebee.com.")
    return value


@connect.command()
@click.option("--site", required=True, callback=_site, help="Of yourcompany.chargebee.com.")
@click.option("--name", help="What to call the integration. Left out: as its site.")
@click.option("--api-key-stdin", is_flag=True, help="Read the API key from standard input.")
@click.option(
    "--requests-per-minute",
    type=click.IntRange(schemas.LEAST_REQUESTS, schemas.MOST_REQUESTS),
    help="What Chargebee allows the site. Left out: CHARGEBEE_REQUESTS_PER_MINUTE.",
)
@as_json_option
def make(api_key_stdin: bool, as_json: bool, **wanted: Any) -> None:
    """Connect a site: make its integration, and its webhook in Chargebee.

    An integration that is there already gets the API key that is given, and a webhook that is
    there is put right: run again it brings to its end what broke off.
    """
    given = {name: value for name, value in wanted.items() if value is not None}
    with _database() as (settings, engine):
        known = _known(engine, given["site"])
        if api_key_stdin or known is None or not known.has_key:
            given["api_key"] = _ask_for_key(api_key_stdin)
        key = _kept(engine, settings, known, given)
        report, _ = Upkeep(settings, engine, ACTOR).repair(key)
    _tell(as_json, key, report)


def _ask_for_key(from_stdin: bool) -> str:
    """Never an argument: those are for everybody to see who may list processes."""
    text = sys.stdin.readline() if from_stdin else click.prompt("API key", hide_input=True)
    if not text.strip():
        raise click.UsageError("The API key is empty.")
    return str(text).strip()


class Known(NamedTuple):
    """An integration that is there already, and whether it has an API key."""

    id: int
    has_key: bool


def _known(engine: Engine, site: str) -> Known | None:
    query = select(Integration.id, Integration.api_key_encrypted.is_not(None)).where(
        Integration.site == site, Integration.deleted_at.is_(None)
    )
    with Session(reading(engine)) as session:
        row = session.execute(query).first()
    return None if row is None else Known(*row)


def _kept(engine: Engine, settings: Settings, known: Known | None, given: dict[str, Any]) -> int:
    """The key of the integration, made or changed, and committed."""
    with transaction(engine) as session:
        if known is None:
            integration, credentials = create_integration(session, settings, given, ACTOR)
            keep_untold(settings, integration, credentials)
            return integration.id
        changes = {name: value for name, value in given.items() if name != "site"}
        if changes:
            change_integration(session, settings, known.id, changes, ACTOR)
        return known.id


@connect.command()
@integration_option
@as_json_option
def show(integration: str, as_json: bool) -> None:
    """Ask Chargebee how the webhook stands. Exit status 1 when something is wrong with it."""
    with _upkeep(integration) as (upkeep, key):
        report = upkeep.examine(key)
    _tell(as_json, key, report)


@connect.command()
@integration_option
@as_json_option
def repair(integration: str, as_json: bool) -> None:
    """Make the webhook, or put right what is wrong with it. Repeating does no harm."""
    with _upkeep(integration) as (upkeep, key):
        report, _ = upkeep.repair(key)
    _tell(as_json, key, report)


@connect.command()
@integration_option
@click.option(
    "--grace-hours",
    type=click.IntRange(0, schemas.LONGEST_GRACE_HOURS),
    default=GRACE_HOURS,
    show_default=True,
    help="How long the old password stays good when the new one is not seen.",
)
@as_json_option
def rotate(integration: str, grace_hours: int, as_json: bool) -> None:
    """Give the webhook a new password, here and in Chargebee. No delivery is refused."""
    with _upkeep(integration) as (upkeep, key):
        report, _ = upkeep.repair(key, new_password=True, grace_hours=grace_hours)
    _tell(as_json, key, report)


@connect.command()
@integration_option
@as_json_option
def remove(integration: str, as_json: bool) -> None:
    """Delete the webhook in Chargebee. The integration and all that it received stay."""
    with _upkeep(integration) as (upkeep, key):
        removed = upkeep.remove(key)
    said = f"Deleted in Chargebee: {', '.join(removed)}." if removed else "There was none."
    answer(as_json, {"removed": removed}, [said])


@contextmanager
def _database() -> Iterator[tuple[Settings, Engine]]:
    settings = start()
    with migrated(settings) as engine:
        yield settings, engine


@contextmanager
def _upkeep(integration: str) -> Iterator[tuple[Upkeep, int]]:
    with _database() as (settings, engine):
        with Session(reading(engine)) as session:
            key = find_integration(session, integration).id
        yield Upkeep(settings, engine, ACTOR), key


def _tell(as_json: bool, key: int, report: Report) -> None:
    shown = {"integration_id": ids.encode("int", key), **report.shown()}
    answer(as_json, shown, lines(report.checks))
    if not report.ok:
        sys.exit(1)
