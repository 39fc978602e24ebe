"""The workbench: payments that found nobody, and conflicts that a person decides."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from flask import url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup, escape
from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.admin.inspect import finding, wording
from rewards_service.admin.inspect.payload import visible
from rewards_service.admin.inspect.wording import DISPUTES, UNMATCHED
from rewards_service.admin.layout import icon, moment, money
from rewards_service.admin.lists import Column, Empty, Filter, ListView
from rewards_service.admin.pages import Pages, show
from rewards_service.admin.places import link_to
from rewards_service.crm import conflicts
from rewards_service.crm.matching import Claim
from rewards_service.crm.models import AttributionConflict, Customer, Deal, Lead
from rewards_service.crm.queries import claims_of_events
from rewards_service.inbox import listing
from rewards_service.inbox.models import ReceivedEvent
from rewards_service.integrations.models import Integration
from rewards_service.kit import ids
from rewards_service.kit.pages import Page, Paging
from rewards_service.kit.web import current_session
from rewards_service.mirror.queries import transactions as mirrored

blueprint = Pages("unmatched_pages", url_prefix="/unmatched")


class Payment(NamedTuple):
    """A payment that found nobody: its event, who paid (None: not understood live), how much."""

    event: ReceivedEvent
    claim: Claim | None
    money: Any


@blueprint.page("", permission="crm:read")
def list_unmatched() -> ResponseReturnValue:
    """Payments without a lead, deal or customer, the newest first."""
    return show("events/list.html", tabs=_tabs(0), **_payments(current_session()).values())


@blueprint.page("/conflicts", permission="crm:read")
def list_conflicts() -> ResponseReturnValue:
    """What the machine must not decide."""
    return show("events/list.html", tabs=_tabs(1), **CONFLICTS.values())


def _tabs(here: int) -> list[tuple[str, str, bool]]:
    pages = (
        ("Payments", url_for("unmatched_pages.list_unmatched")),
        ("Conflicts", url_for("unmatched_pages.list_conflicts", state=conflicts.OPEN)),
    )
    return [(title, address, place == here) for place, (title, address) in enumerate(pages)]


def _fetch(session: Session, paging: Paging, chosen: dict[str, str]) -> Page:
    """A page of each outcome, joined: every one of them by its own index."""
    wanted: dict[str, Any] = {}
    if "integration_id" in chosen:
        wanted["integration_id"] = ids.decode("int", chosen["integration_id"])
    if "q" in chosen:
        wanted["keys"] = finding.find_events(session, chosen["q"])
    outcomes = [chosen["outcome"]] if "outcome" in chosen else UNMATCHED
    pages = [
        listing.list_events(session, paging, {**wanted, "outcome": outcome})
        for outcome in outcomes
    ]  # fmt: skip
    events = sorted((row[0] for page in pages for row in page.rows), key=lambda one: -one.id)
    shown = events[: paging.limit]
    follows = len(events) > paging.limit or any(page.last is not None for page in pages)
    found: Any = _with_money(session, shown)
    return Page(found, shown[-1].id if follows and shown else None)


def _with_money(session: Session, events: Sequence[ReceivedEvent]) -> list[Payment]:
    claims = claims_of_events(session, [event.id for event in events])
    keys = {(one.payer.integration_id, one.transaction_id) for one in claims.values()}
    amounts = mirrored(session, keys)
    found = []
    for event in events:
        claim = claims.get(event.id)
        place = claim and (claim.payer.integration_id, claim.transaction_id)
        found.append(Payment(event, claim, amounts.get(place) if place else None))
    return found


def _payer(line: Payment) -> Markup:
    if line.claim is None:
        return visible(line.event.event_id)
    return visible(line.claim.email or line.claim.name or line.claim.payer.chargebee_id)


def _amount(line: Payment) -> str:
    return money(line.money.amount_minor, line.money.currency) if line.money else "-"


def _why(line: Payment) -> str:
    return wording.OUTCOMES[line.event.outcome or "ignored"].short


def _named(line: Payment) -> Markup:
    return visible(line.claim.name) if line.claim and line.claim.name else Markup("-")


def _link(line: Payment) -> str:
    return url_for("events_pages.choose_owner", event_id=ids.encode("evt", line.event.id))


def _payments(session: Session) -> ListView:
    return ListView(
        title="Unmatched",
        lead="Payments that found no lead, deal or customer. Open one to see what it almost "
        "matched, and give it to somebody.",
        columns=(
            Column("Payer", _payer),
            Column("Amount", _amount, align="end"),
            Column("Why", _why),
            Column("Name", _named, priority=3),
            Column("Paid", lambda line: moment(line.claim.paid_at) if line.claim else "-",
                   priority=2),
            Column("Received", lambda line: moment(line.event.received_at), priority=3),
        ),
        fetch=_fetch,
        row=lambda line: line,
        filters=(
            Filter("q", "Search an e-mail address or id", kind="search"),
            Filter("outcome", "Why", {one: wording.OUTCOMES[one].short for one in UNMATCHED}),
            *finding.site_filter(session),
        ),
        link=_link,
        empty=Empty("circle-check", "Nothing is unmatched.",
                    "Every payment found its customer, or none has come yet.",
                    (("Recorded payments", "transactions_pages.list_transactions", "receipt"),)),
    )  # fmt: skip


class Dispute(NamedTuple):
    """A conflict with the name of what it is about."""

    conflict: AttributionConflict
    name: str | None


_NAMED: dict[str, tuple[Any, str]] = {
    "lead": (Lead, "email"),
    "deal": (Deal, "name"),
    "customer": (Customer, "name"),
    "integration": (Integration, "name"),
}


def subject_names(
    session: Session, found: Sequence[AttributionConflict]
) -> dict[tuple[str, int], str]:  # fmt: skip
    """(kind, key) of what conflicts are about -> its name."""
    names: dict[tuple[str, int], str] = {}
    for kind, (model, name) in _NAMED.items():
        keys = [one.subject_id for one in found if one.subject_kind == kind]
        column = getattr(model, name)
        rows: Any = session.execute(select(model.id, column).where(model.id.in_(keys)))
        names |= {(kind, key): text for key, text in rows if text}
    return names


def _fetch_conflicts(session: Session, paging: Paging, chosen: dict[str, str]) -> Page:
    page = conflicts.list_conflicts(session, paging, chosen)
    rows = [row[0] for row in page.rows]
    names = subject_names(session, rows)
    found: Any = [Dispute(one, names.get((one.subject_kind, one.subject_id))) for one in rows]
    return Page(found, page.last)


def about(conflict: AttributionConflict, name: str | None) -> Markup:
    """What a conflict is about: the thing that it was opened for, and the invoice if it is one."""
    subject = (conflict.subject_kind, conflict.subject_id)
    thing = link_to(*subject, visible(name) if name else None)
    invoice = conflict.candidates.get("chargebee_invoice_id")
    return Markup("invoice {} of {}").format(visible(invoice), thing) if invoice else thing


def _state(line: Dispute) -> Markup:
    is_open = line.conflict.resolved_at is None
    words = ("open", "warning", "alert-triangle") if is_open else ("resolved", "success", "check")
    return Markup('<span class="badge tone-{}">{}{}</span>').format(
        words[1], icon(words[2]), words[0]
    )


CONFLICTS = ListView(
    title="Conflicts",
    lead="What the machine must not decide. Nothing moves until somebody does.",
    columns=(
        Column("Conflict", lambda line: escape(DISPUTES[line.conflict.kind].title)),
        Column("State", _state),
        Column("About", lambda line: about(line.conflict, line.name)),
        Column("Opened", lambda line: moment(line.conflict.opened_at), priority=2),
    ),
    fetch=_fetch_conflicts,
    row=lambda line: line,
    filters=(
        Filter("state", "State", {conflicts.OPEN: "Open", conflicts.RESOLVED: "Resolved"}),
        Filter("kind", "Kind", {kind: one.title for kind, one in DISPUTES.items()}),
    ),
    link=lambda line: url_for(
        "unmatched_pages.show_conflict", conflict_id=ids.encode("cfl", line.conflict.id)
    ),
    empty=Empty("circle-check", "No conflicts.", "Nobody claims what somebody else has."),
)
