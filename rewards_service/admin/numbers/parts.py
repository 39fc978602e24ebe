"""Names of others in cells of these lists."""

from collections.abc import Iterable

from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.admin.cells import foreign
from rewards_service.partners.models import Partner


def partner_names(session: Session, keys: Iterable[int | None]) -> dict[int, Markup]:
    """Partner -> name, of those that there are."""
    wanted = {key for key in keys if key is not None}
    if not wanted:
        return {}
    rows = session.execute(select(Partner.id, Partner.name).where(Partner.id.in_(wanted)))
    return {key: foreign(name) for key, name in rows}
