"""Find API keys."""

from typing import Any

from sqlalchemy import Row, bindparam, select
from sqlalchemy.orm import Session

from rewards_service.accounts.models import ApiKey
from rewards_service.kit.db import Base, columns, table_of
from rewards_service.kit.pages import Page, Paging, fetch

_BY_PUBLIC_PART = select(
    *columns(
        ApiKey, "id", "secret_digest", "scopes", "partner_id", "expires_at", "revoked_at",
        "last_used_at",
    )
).where(table_of(ApiKey).c.public_part == bindparam("public_part"))  # fmt: skip


def by_public_part(session: Session, public_part: str) -> Row[Any] | None:
    """What every request asks for, and so a row: an object would take three times as long."""
    found = session.connection().execute(_BY_PUBLIC_PART, {"public_part": public_part})
    return found.one_or_none()


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
