"""Find API keys."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.accounts.models import ApiKey
from rewards_service.kit.db import Base
from rewards_service.kit.pages import Page, Paging, fetch


def by_public_part(session: Session, public_part: str) -> ApiKey | None:
    return session.scalar(select(ApiKey).where(ApiKey.public_part == public_part))


def list_keys(session: Session, paging: Paging, partner_id: int | None = None) -> Page:
    """A page of keys, revoked ones too. partner_id: of those that are bound to this partner."""
    query = select(ApiKey)
    if partner_id is not None:
        query = query.where(ApiKey.partner_id == partner_id)
    return fetch(session, query, ApiKey.id, paging)


def partner_status(session: Session, partner_id: int) -> str | None:
    """None: there is no such partner. They live above, hence by name."""
    partners = Base.metadata.tables["partners"].c
    return session.scalar(select(partners.status).where(partners.id == partner_id))
