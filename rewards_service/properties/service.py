"""Define properties, give them values, find things by them."""

from collections.abc import Iterable, Sequence

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from rewards_service.kit.bulk import among
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import chunks, columns, fetch_rows, insert_many, insert_missing
from rewards_service.properties.models import PropertyDefinition, PropertyValue
from rewards_service.properties.names import CHARGEBEE_PROPERTIES


def define_chargebee_properties(session: Session) -> None:
    """Add the three standard properties; turning on a second integration changes nothing."""
    now = utc_now()
    rows = [{**item._asdict(), "created_at": now} for item in CHARGEBEE_PROPERTIES]
    insert_missing(session, PropertyDefinition, rows)


def definition_ids(session: Session) -> dict[str, int]:
    """Property key -> id of its definition."""
    rows = session.execute(select(PropertyDefinition.key, PropertyDefinition.id)).all()
    return {row.key: row.id for row in rows}


def find_subjects(
    session: Session, definition_id: int, integration_id: int, values: Iterable[str]
) -> dict[str, int]:
    """Value -> key of the thing that carries it, through the unique index."""
    found: dict[str, int] = {}
    for some in chunks(sorted(set(values))):
        query = select(*columns(PropertyValue, "value", "subject_id")).where(
            PropertyValue.definition_id == definition_id,
            PropertyValue.integration_id == integration_id,
            PropertyValue.is_unique,
            among(session, PropertyValue.value, some),
        )
        for value, subject_id in fetch_rows(session, query):
            found[value] = subject_id
    return found


def values_of(
    session: Session, definition_id: int, subject_ids: Sequence[int]
) -> list[tuple[int, int, str]]:
    """(subject key, integration key, value) of one property, oldest site and position first."""
    found: list[tuple[int, int, str]] = []
    for some in chunks(subject_ids):
        query = (
            select(*columns(PropertyValue, "subject_id", "integration_id", "value"))
            .where(
                PropertyValue.definition_id == definition_id,
                among(session, PropertyValue.subject_id, some),
            )
            .order_by(
                PropertyValue.subject_id, PropertyValue.integration_id, PropertyValue.position
            )
        )
        found.extend(
            (row.subject_id, row.integration_id, row.value) for row in fetch_rows(session, query)
        )
    return found


def add_values(
    session: Session, definition_id: int, is_unique: bool, rows: Iterable[tuple[int, int, int, str]]
) -> None:
    """Give values: rows of (subject key, integration key, position, value)."""
    insert_many(
        session,
        PropertyValue,
        [
            {
                "subject_id": subject_id,
                "definition_id": definition_id,
                "integration_id": integration_id,
                "position": position,
                "value": value,
                "is_unique": is_unique,
            }
            for subject_id, integration_id, position, value in rows
        ],
    )


def remove_values(session: Session, definition_id: int, subject_ids: Iterable[int]) -> None:
    """Take a property away from things altogether."""
    for some in chunks(sorted(set(subject_ids))):
        session.execute(
            delete(PropertyValue).where(
                PropertyValue.definition_id == definition_id,
                among(session, PropertyValue.subject_id, some),
            )
        )
