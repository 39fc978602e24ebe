"""Look at properties and some of their values."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.properties.models import PropertyDefinition, PropertyValue

_LOOKED_AT = 500  # things, of which another site may have brought most


def definitions(session: Session) -> Sequence[PropertyDefinition]:
    """Every property that there is, in the order in which they were made."""
    return session.scalars(select(PropertyDefinition).order_by(PropertyDefinition.id)).all()


def examples(
    session: Session, definition_id: int, integration_id: int, newest: int, most: int = 3
) -> list[tuple[int, str]]:
    """(subject key, value) of one property at one site, of its newest things; `newest` is the key
    of the newest of all. It costs the same however many there are."""
    value = PropertyValue
    query = (
        select(value.subject_id, value.value)
        .where(
            value.definition_id == definition_id,
            value.integration_id == integration_id,
            value.subject_id > newest - _LOOKED_AT,
        )
        .order_by(value.subject_id.desc(), value.position)
        .limit(most)
    )
    return [(row.subject_id, row.value) for row in session.execute(query)]
