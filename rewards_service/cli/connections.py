"""The part of `rewards doctor` that asks Chargebee: how the webhook of each integration stands."""

from collections.abc import Iterator

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from rewards_service.cli.databases import reading
from rewards_service.connections.checks import Check
from rewards_service.connections.upkeep import Upkeep
from rewards_service.integrations.models import Integration
from rewards_service.kit import ids
from rewards_service.kit.http import Patience
from rewards_service.settings import Settings

# Somebody waits, and one site that does not answer must not hide what is wrong with the others.
PATIENCE = Patience(connect_seconds=5.0, read_seconds=10.0, total_seconds=12.0, attempts=2)


def connections(engine: Engine, settings: Settings) -> Iterator[Check]:
    """The checks of every integration that has an API key, each under its site's name."""
    query = (
        select(Integration.id, Integration.site)
        .where(Integration.deleted_at.is_(None), Integration.api_key_encrypted.is_not(None))
        .order_by(Integration.id)
    )
    with Session(reading(engine)) as session:
        sites = session.execute(query).all()
    upkeep = Upkeep(settings, engine, "cli", PATIENCE)
    for key, site in sites:
        for check in upkeep.examine(key).checks:
            detail = f"{site} ({ids.encode('int', key)}): {check.detail}"
            yield check._replace(detail=detail)
