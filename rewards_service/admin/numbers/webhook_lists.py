"""Webhook endpoints and deliveries as lists."""

from typing import Any

from flask import url_for
from markupsafe import Markup, escape
from sqlalchemy.orm import Session

from rewards_service.admin.cells import badge, foreign, status
from rewards_service.admin.layout import moment, number
from rewards_service.admin.lists import Column, Empty, Filter, ListView
from rewards_service.admin.places import link_to
from rewards_service.kit import ids, outward
from rewards_service.kit.pages import Page, Paging
from rewards_service.outbound import queries
from rewards_service.outbound.models import STATES, WebhookDelivery, WebhookEndpoint
from rewards_service.outbound.routes import show_endpoints

State = tuple[str, str]  # words, tone
# Why no answer came, and what that means for an endpoint, as people say it.
NO_ANSWERS = {
    outward.REFUSED: "address not allowed",
    outward.UNRESOLVED: "host not found",
    outward.UNREACHABLE: "host not reached",
    outward.TIMED_OUT: "too slow",
    outward.BAD_CERTIFICATE: "certificate not valid",
    outward.CUT_OFF: "connection cut off",
}
_WARNINGS = {
    "gone": "It answered 410 Gone, so it was switched off. Put it right, then switch it on.",
    "failing": "Every try of {days} days failed, so it was switched off. Put it right, then switch "
    "it on: what waits is sent, what happened in between is not.",
    None: "Every try since {since} failed: the deliveries below say why. After {days} days of that "
    "it is switched off.",
}


def public(prefix: str, key: int) -> str:
    return ids.encode(prefix, key)


def state_of(endpoint: WebhookEndpoint) -> State:
    """How an endpoint is, in words."""
    if not endpoint.enabled:
        why = {"gone": "switched off: gone", "failing": "switched off: failing"}
        if endpoint.disabled_reason is None:
            return "switched off", "neutral"
        return why[endpoint.disabled_reason], "danger"
    if endpoint.failing_since_at is not None:
        return "failing", "danger"
    return ("delivering", "success") if endpoint.last_success_at else ("not used yet", "info")


def warning_of(endpoint: WebhookEndpoint, days: int) -> Markup | None:
    """What somebody should do about it; None where all is well. `days` is the patience with it."""
    if endpoint.disabled_reason is None and endpoint.failing_since_at is None:
        return None
    words = escape(_WARNINGS[endpoint.disabled_reason])
    return words.format(days=days, since=moment(endpoint.failing_since_at))


def subject(delivery: WebhookDelivery) -> Any:
    """What an event is about, as a link where there is a page for it."""
    return link_to(delivery.subject_kind, delivery.subject_id)


def _state(line: Any) -> Markup:
    return badge(*state_of(line[0]))


def _events(line: Any) -> str:
    names = line[0].events
    return "everything" if "*" in names else ", ".join(names)


def _fetch(session: Session, paging: Paging, _chosen: dict[str, str]) -> Page:
    page = queries.list_endpoints(session, paging)
    found = [row[0] for row in page.rows]
    lines: Any = list(zip(found, show_endpoints(found), strict=True))
    return Page(lines, page.last)


def _where(line: Any) -> str:
    return url_for("webhooks_pages.show_endpoint", endpoint_id=public("whe", line[0].id))


def _answer(line: Any) -> Markup | str:
    """What came of the last try."""
    log = line[1]["log"]
    if not log:
        return "not tried yet"
    last = log[-1]
    said = last["status"] if last["status"] is not None else NO_ANSWERS[last["error"]]
    return Markup('{} <span class="text-secondary">in {} ms</span>').format(
        said, number(last["duration_ms"])
    )


def _when(line: Any) -> Markup | str:
    shown = line[1]
    if shown["next_attempt_at"] is not None:
        return Markup("next try {}").format(moment(shown["next_attempt_at"]))
    return moment(shown["finished_at"]) if shown["finished_at"] else "waits"


ENDPOINTS = ListView(
    title="Webhooks",
    lead="Addresses of yours that are told of what happens here, signed, until they take it.",
    columns=(
        Column("Address", lambda line: foreign(line[0].url)),
        Column("State", _state),
        Column("What for", lambda line: foreign(line[0].description or "-"), priority=2),
        Column("Told about", _events, priority=3),
        Column("Waiting", lambda line: number(line[1]["health"]["pending"]), align="end"),
        Column("Last success", lambda line: moment(line[0].last_success_at), priority=2),
    ),
    fetch=_fetch,
    row=lambda line: line,
    link=_where,
    export="/files/webhook-endpoints",
    empty=Empty("webhook", "Nobody is told yet.",
                "Add an address, and it hears of rewards and payouts as they happen."),
)  # fmt: skip
DELIVERIES = ListView(
    title="Deliveries",
    columns=(
        Column("Event", lambda line: escape(line[0].event_type)),
        Column("About", lambda line: subject(line[0]), priority=2),
        Column("State", lambda line: status(line[0].state)),
        Column("Tries", lambda line: number(line[0].attempts), priority=2, align="end"),
        Column("Last answer", _answer),
        Column("Next, or done", _when, priority=2),
        Column("Happened", lambda line: moment(line[0].created_at), priority=3),
    ),
    fetch=_fetch,
    row=lambda line: line,
    filters=(Filter("state", "State", {state: state for state in STATES}),),
    empty=Empty("webhook", "Nothing was sent to it yet.",
                "Send a test event to see that it works."),
)  # fmt: skip
