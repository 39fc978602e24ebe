"""Find API keys."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.accounts.models import ApiKey
from rewards_service.kit.pages import Page, Paging, fetch


def by_public_part(session: Session, public_part: str) -> ApiKey | None:
    return session.scalar(select(ApiKey).where(ApiKey.public_part == public_part))


def list_keys(session: Session, paging: Paging) -> Page:
    return fetch(session, select(ApiKey), ApiKey.id, paging)
