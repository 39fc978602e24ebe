"""What cells of tables are made of outside of templates: by the same macros, harmless."""

from typing import Any

from flask import get_template_attribute
from markupsafe import Markup

from rewards_service.admin.tones import tone_of, worded


def status(value: str) -> Markup:
    """A status: a word, an icon, a tone."""
    return badge(worded(value), tone_of(value))


def badge(text: Any, tone: str) -> Markup:
    """A word with an icon, in a tone."""
    drawn: Markup = get_template_attribute("admin/macros.html", "badge")(text, tone)
    return drawn


def foreign(text: Any) -> Markup:
    """A text from outside: whatever signs it holds, its neighbours stay where they are."""
    return Markup("<bdi>{}</bdi>").format(text)
