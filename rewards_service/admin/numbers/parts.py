"""What cells of these lists are made of: statuses by the same macros, names, foreign text."""

from collections.abc import Iterable
from typing import Any

from flask import get_template_attribute
from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.admin.tones import tone_of, worded
from rewards_service.partners.models import Partner


def status(value: str) -> Markup:
    """A status: a word, an icon, a tone."""
    return badge(worded(value), tone_of(value))


def badge(text: str, tone: str) -> Markup:
    """A word with an icon, in a tone."""
    drawn: Markup = get_template_attribute("admin/macros.html", "badge")(text, tone)
    return drawn


def foreign(text: Any) -> Markup:
    """Text from outside: whatever signs it holds, its neighbours stay where they are."""
    return Markup("<bdi>{}</bdi>").format(text)


def partner_names(session: Session, keys: Iterable[int | None]) -> dict[int, Markup]:
    """Partner -> name, of those that there are."""
    wanted = {key for key in keys if key is not None}
    if not wanted:
        return {}
    rows = session.execute(select(Partner.id, Partner.name).where(Partner.id.in_(wanted)))
    return {key: foreign(name) for key, name in rows}
