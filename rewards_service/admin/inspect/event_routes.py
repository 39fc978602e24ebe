"""Events: the list, and the inspector of a single one."""

from datetime import date, datetime
from typing import Any

from flask import redirect, url_for
from flask.typing import ResponseReturnValue
from marshmallow import ValidationError
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rewards_service.admin import doing
from rewards_service.admin.inspect import finding, showing, wording
from rewards_service.admin.inspect.payload import read_tree, visible
from rewards_service.admin.layout import moment, number
from rewards_service.admin.lists import Column, Empty, Filter, ListView
from rewards_service.admin.pages import Pages, actor, show
from rewards_service.inbox import listing, verification
from rewards_service.inbox.models import DEAD, PENDING, QUARANTINED, ReceivedEvent
from rewards_service.kit import bells, ids
from rewards_service.kit.clock import instant
from rewards_service.kit.fields import parse_instant
from rewards_service.kit.pages import Page, Paging
from rewards_service.kit.queue import VERIFICATIONS
from rewards_service.kit.web import current_session, current_settings, path_key

blueprint = Pages("events_pages")
blueprint.add_app_template_filter(visible, "foreign")
FROM, BEFORE = "received_at[gte]", "received_at[lt]"
# Tabs of the list: title, the state they choose.
TABS = (("All", ""), ("Failed", DEAD), ("Set aside", QUARANTINED), ("Waiting", PENDING))
COUNTED = 1_000  # more than that are not counted on each look at the list


@blueprint.page("/events", permission="events:read")
def list_events() -> ResponseReturnValue:
    """The newest first."""
    values = _view(current_session()).values()
    return show("events/list.html", tabs=_tabs(values["chosen"].get("state", "")), **values)


@blueprint.page("/events/<event_id>", permission="events:read")
def show_event(event_id: str) -> ResponseReturnValue:
    """What became of one event, and what it said."""
    session = current_session()
    event = listing.get_event(session, path_key("evt", event_id))
    base = f"{current_settings().base_url}/api/v1/events/{event_id}"
    return show(
        "events/event.html",
        **showing.told(session, event),
        tree=read_tree(event.body),
        curl=f'curl -H "Authorization: Bearer $REWARDS_API_KEY" {base}',
    )


@blueprint.page("/events/<event_id>/verify", permission="events:replay", methods=("POST",))
def verify_event(event_id: str) -> ResponseReturnValue:
    """Ask Chargebee once more about an event that was refused."""
    key = path_key("evt", event_id)
    asked = doing.attempt(
        lambda: verification.ask_again(current_session(), key, actor()),
        "Chargebee is asked again; the event is handled with its answer.",
    )
    if asked:
        bells.ring(VERIFICATIONS)
    return redirect(url_for("events_pages.show_event", event_id=event_id), 303)


def _fetch(session: Session, paging: Paging, chosen: dict[str, str]) -> Page:
    wanted: dict[str, Any] = {
        name: chosen[name] for name in (*listing.FILTERS, "state") if name in chosen
    }  # fmt: skip
    if "integration_id" in wanted:
        wanted["integration_id"] = ids.decode("int", wanted["integration_id"])
    for name, member in ((FROM, "received_from"), (BEFORE, "received_before")):
        at = _instant(chosen.get(name))
        if at is not None:
            wanted[member] = at
    if "q" in chosen:
        wanted["keys"] = finding.find_events(session, chosen["q"])
    return listing.list_events(session, paging, wanted)


def _instant(text: str | None) -> datetime | None:
    """A day or an RFC 3339 time; None when the text is neither, or nothing."""
    if not text:
        return None
    try:
        return instant(date.fromisoformat(text), "UTC")
    except ValueError:
        pass
    try:
        return parse_instant(text)
    except ValidationError:
        return None


def _tabs(chosen: str) -> list[tuple[str, str, bool]]:
    session, here = current_session(), url_for("events_pages.list_events")
    return [
        (title + _count(session, state), f"{here}?state={state}" if state else here,
         state == chosen)
        for title, state in TABS
    ]  # fmt: skip


def _count(session: Session, state: str) -> str:
    """How many there are, as far as counting is cheap: " (3)", " (999+)"."""
    if not state:
        return ""
    some = select(ReceivedEvent.id).where(listing.in_state(state)).limit(COUNTED)
    counted = session.scalars(select(func.count()).select_from(some.subquery())).one()
    if counted == 0:
        return ""
    return f" ({number(COUNTED - 1)}+)" if counted == COUNTED else f" ({counted})"


def _view(session: Session) -> ListView:
    return ListView(
        title="Events",
        lead="Everything that Chargebee sent, and what became of it.",
        columns=(
            Column("Event", lambda event: visible(event.event_type)),
            Column("Result", showing.badge),
            Column("Received", lambda event: moment(event.received_at)),
            Column("Chargebee id", lambda event: visible(event.event_id), priority=2),
            Column("By", lambda event: wording.SOURCES[event.source], priority=3),
            Column("Tries", lambda event: number(showing.tries(event)), priority=3, align="end"),
        ),
        fetch=_fetch,
        filters=(
            Filter("q", "Search an id or e-mail address", kind="search"),
            Filter("event_type", "Type"),
            Filter("state", "State", wording.STATES),
            Filter("outcome", "Outcome", {
                outcome: f"{meaning.word}: {meaning.short}"
                for outcome, meaning in wording.OUTCOMES.items()
            }),
            *finding.site_filter(session),
            Filter("source", "Came by", wording.SOURCES),
            Filter(FROM, "Received from", kind="date"),
            Filter(BEFORE, "Received before", kind="date"),
        ),
        link=lambda event: url_for("events_pages.show_event", event_id=ids.encode("evt", event.id)),
        export="/files/events",
        empty=Empty("webhook", "No events yet.",
                    "They appear here as soon as Chargebee's webhook is heard.",
                    (("Look at the webhook", "integrations_pages.list_integrations", "plug"),),
                    by_payments=True),
    )  # fmt: skip
