"""Comparisons with Chargebee in words and cells."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from markupsafe import Markup

from rewards_service.admin.layout import day, icon, number
from rewards_service.admin.tones import tone_of, worded
from rewards_service.reconciliation.reasons import (
    BACKFILL,
    DIFFERENT,
    FETCH,
    LOOK,
    MISSING_HERE,
    MISSING_THERE,
    NOTHING,
    POLL,
    REPLAY,
    WAIT,
    words,
)

COUNTED = (MISSING_HERE, MISSING_THERE, DIFFERENT)
LINES = {
    "payments": "Payments", "refunds": "Refunds", "reversals": "Chargebacks and reversals",
    "adjustment_notes": "Adjustment notes", "refundable_notes": "Refundable notes",
}  # fmt: skip
REPAIRS = {
    POLL: "Read its event again", FETCH: "Ask for it by its id", REPLAY: "Handle its event again",
    BACKFILL: "Import the history", WAIT: "Wait", LOOK: "Somebody must look",
    NOTHING: "Nothing to do",
}  # fmt: skip
_ICONS = {"success": "circle-check", "warning": "alert-triangle", "danger": "alert-circle",
          "info": "clock"}  # fmt: skip
_DAY = timedelta(days=1)


def status_badge(status: str) -> Markup:
    """A status by word, icon and tone, for a cell."""
    tone = "warning" if status in COUNTED else tone_of(status)
    picture = icon(_ICONS.get(tone, "info-circle"))
    return Markup('<span class="badge tone-{}">{}{}</span>').format(tone, picture, worded(status))


def period(one: Mapping[str, Any]) -> str:
    """The days of a comparison, both included."""
    first, after = one["from_at"], one["before_at"]
    if first is None and after is None:
        return "everything"
    begins = "the beginning" if first is None else day(first)
    return f"{begins} to {'today' if after is None else day(after - _DAY)}"


def outcome(one: Mapping[str, Any]) -> str:
    """What came of a comparison."""
    if one["ok"] is None:
        return "-"
    if one["ok"]:
        return "no difference"
    found = sum(one["counts"].get(name, 0) for name in COUNTED)
    return "1 difference" if found == 1 else f"{number(found)} differences"


def note_words(reason: str) -> str:
    """Why something that is equal is worth a word."""
    return words(reason)


def named(kind: str, external_id: str) -> Markup:
    """What it is, and its id at Chargebee."""
    return Markup('<div>{}<br><bdi class="font-monospace small">{}</bdi></div>').format(
        worded(kind).capitalize(), external_id
    )


def difference(one: Mapping[str, Any]) -> Markup:
    """A fact in which both sides differ."""
    return Markup("<li>{}: <bdi>{}</bdi> there, <bdi>{}</bdi> here</li>").format(
        worded(one["field"]), one["there"], one["here"]
    )
