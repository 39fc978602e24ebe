"""What the mirror holds of one site, without what depends on who came first."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.chargebee.events import read_event
from rewards_service.kit.db import table_of
from rewards_service.mirror import service
from rewards_service.mirror.children import Received
from rewards_service.mirror.kinds import MODELS, PARTS
from rewards_service.mirror.models import ChargebeeVersion
from rewards_service.mirror.service import Changed
from tests.builders.chargebee import Json, at

_OF_ARRIVAL = ("integration_id", "received_event_id")
PART_TABLES = {model for parts in PARTS.values() for model, _ in parts.values()}


def tell(session: Session, site: int, *events: Json) -> Changed:
    """Keep what events carry, all in one batch; their keys follow the order of arrival."""
    received = [
        Received(site, number, at((event["occurred_at"] - at(0).timestamp()) / 86_400), item)
        for number, event in enumerate(events)
        for item in read_event(event["event_type"], event, 1).objects
    ]
    return service.store(session, received)


def rows_of(session: Session, site: int, model: Any) -> list[dict[str, Any]]:
    table = table_of(model)
    query = select(table).where(table.c.integration_id == site)
    rows = [
        {name: value for name, value in row._asdict().items() if name not in _OF_ARRIVAL}
        for row in session.connection().execute(query)
    ]
    return sorted(rows, key=repr)


def dump(session: Session, site: int) -> dict[str, list[dict[str, Any]]]:
    """Table -> rows, of everything but the versions."""
    models = {*MODELS.values(), *PART_TABLES}
    return {model.__tablename__: rows_of(session, site, model) for model in models}


def bodies(session: Session, site: int) -> set[tuple[str, str, bytes]]:
    """(kind, id, body) of every version."""
    return {
        (row["kind"], row["external_id"], row["body"])
        for row in rows_of(session, site, ChargebeeVersion)
    }
