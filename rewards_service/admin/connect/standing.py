"""How a connected site stands, in words for those who look after it (pure)."""

from collections.abc import Mapping
from typing import Any, NamedTuple

OLD_SECONDS = 300  # an event that waits longer than this is worth a look
LEVELS = ("danger", "warning", "info")


class Finding(NamedTuple):
    """Something to know. `word` is for a badge; `tab` the page of the site that helps."""

    level: str
    word: str
    title: str
    detail: str
    tab: str | None = None


def findings(one: Mapping[str, Any]) -> list[Finding]:
    """What is to be said of a site, the worst first. one: as the API shows an integration."""
    health = one["health"]
    found = [*_webhook(one, health), *_events(health), *_polling(health)]
    found += [
        Finding("warning", "look at it", "Something is set wrong", warning["detail"],
                "show_webhook")
        for warning in one["warnings"]
    ]  # fmt: skip
    return sorted(found, key=lambda item: LEVELS.index(item.level))


def standing(one: Mapping[str, Any]) -> tuple[str, str]:
    """A word and a tone for a badge."""
    if one["mode"] == "off":
        return "off", "neutral"
    found = findings(one)
    if found and found[0].level != "info":
        return found[0].word, found[0].level
    if one["mode"] == "observe":
        return "observing", "info"
    return (found[0].word, "info") if found else ("working", "success")


def _webhook(one: Mapping[str, Any], health: Mapping[str, Any]) -> list[Finding]:
    if health["webhook"]["silent_since"] is not None:
        return [Finding(
            "danger", "webhook silent", "The webhook is silent",
            "Chargebee has events that it did not bring. They were read from the event log "
            "instead, so nothing is lost; see why Chargebee cannot deliver.", "show_webhook",
        )]  # fmt: skip
    if health["last_event_at"] is None:
        return [Finding(
            "info", "waits for events", "Nothing has come from Chargebee yet",
            "Paste address, user name and password into Chargebee, then send a test event.",
            "show_webhook",
        )]  # fmt: skip
    return []


def _events(health: Mapping[str, Any]) -> list[Finding]:
    found = []
    if failed := health["failed_24h"]:
        found.append(Finding(
            "warning", "events failed",
            "One event failed" if failed == 1 else f"{failed} events failed",
            "Set aside or given up in the last 24 hours: see why, then replay.",
        ))  # fmt: skip
    waits = health["oldest_pending_s"]
    if waits is not None and waits > OLD_SECONDS:
        found.append(Finding(
            "warning", "events wait", f"An event waits for {waits // 60} minutes",
            "See that a worker runs, and that the queue is worked off.",
        ))  # fmt: skip
    return found


def _polling(health: Mapping[str, Any]) -> list[Finding]:
    problem = health["polling"]["problem"]
    if problem is None or health["polling"]["state"] == "no_api_key":
        return []
    return [Finding(
        "warning", "cannot be read", "Chargebee's event log cannot be read", problem["detail"],
        "show_polling",
    )]  # fmt: skip
