"""One event as people read it: what it led to, when what happened, what can be done about it."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from markupsafe import Markup, escape
from sqlalchemy import func, select
from sqlalchemy.orm import Session, undefer

from rewards_service.admin.activity import activity_of
from rewards_service.admin.inspect import led, timeline
from rewards_service.admin.inspect.led import Led
from rewards_service.admin.inspect.payload import Difference, differences, visible
from rewards_service.admin.inspect.wording import SOURCES, Meaning, meaning_of
from rewards_service.admin.layout import icon, moment, money, number
from rewards_service.admin.pages import may
from rewards_service.admin.places import link_to
from rewards_service.chargebee.event_types import PAYMENT_SUCCEEDED
from rewards_service.crm import deciding
from rewards_service.crm.queries import claims_of_events
from rewards_service.inbox import verification
from rewards_service.inbox.models import PENDING, OtherDelivery, ReceivedEvent
from rewards_service.integrations.models import Integration, IntegrationOptions
from rewards_service.kit import ids
from rewards_service.kit.money import is_currency
from rewards_service.rewards import reasons

TONES = {
    "success": "circle-check", "warning": "alert-triangle", "danger": "alert-circle",
    "info": "clock", "neutral": "info-circle",
}  # fmt: skip


class Repeated(NamedTuple):
    """A delivery under the same event id with other bytes."""

    delivery: OtherDelivery
    differences: Sequence[Difference]


def meaning(event: ReceivedEvent) -> Meaning:
    return meaning_of(event.state, event.outcome, event.verification, event.attempts)


def badge(event: ReceivedEvent) -> Markup:
    """The result as a badge, and a few words beside it."""
    found = meaning(event)
    text = Markup('<span class="event-result"><span class="badge tone-{}">{}{}</span> {}</span>')
    words = Markup('<span class="result-words">{}</span>').format(found.short)
    return text.format(found.tone, icon(TONES[found.tone]), found.word, words)


def tries(event: ReceivedEvent) -> int:
    """How often it was tried: a first try among others is not counted where it succeeded."""
    return event.attempts or (1 if event.finished_at else 0)


def told(session: Session, event: ReceivedEvent) -> dict[str, Any]:
    """Everything but the payload, for the template."""
    found, claim = led.load(session, event), claims_of_events(session, [event.id]).get(event.id)
    owner = deciding.owner_of(session, claim.payer) if claim else None
    lines = activity_of(session, "event", event.id)
    is_over = event.state != PENDING
    return {
        "event": event, "id": ids.encode("evt", event.id), "meaning": meaning(event),
        "badge": badge(event), "chain": _chain(event, found), "led": found,
        "reason": found.transaction and reasons.of_payment(found.transaction.reason),
        "steps": timeline.steps(session, event, found, claim, lines),
        "facts": _facts(session, event), "others": _others(session, event),
        "observed": _observed(event), "claim": claim,
        "may_replay": is_over and may("events:replay"),
        "may_ask": event.outcome == verification.FAILED and may("events:replay"),
        "may_attach": is_over and claim is not None and owner is None and may("crm:write"),
    }  # fmt: skip


def _chain(event: ReceivedEvent, found: Led) -> list[tuple[str, Any, str, bool]]:
    """What came from what: title, link, a few words, whether it is there. Of payments only."""
    if event.event_type != PAYMENT_SUCCEEDED and not found.transaction:
        return []
    paid, customer = found.transaction, found.customer
    links: list[tuple[str, Any, str, bool]] = [("Event", SOURCES[event.source], "", True)]
    if found.lead or not found.deals:
        lead = found.lead
        links.append(("Lead", link_to("lead", lead.id, visible(lead.email)) if lead else "none",
                      lead.status if lead else "", lead is not None))  # fmt: skip
    links += [("Deal", link_to("deal", deal.id, visible(deal.name)), deal.stage, True)
              for deal in found.deals]  # fmt: skip
    name = customer and (customer.name or customer.email)
    links.append((
        "Customer",
        link_to("customer", customer.id, visible(name) if name else None) if customer else "none",
        "", customer is not None,
    ))  # fmt: skip
    links.append((
        "Transaction",
        link_to("transaction", paid.id, money(paid.amount_minor, paid.currency)) if paid
        else "none", paid.status.replace("_", " ") if paid else "", paid is not None,
    ))  # fmt: skip
    for one in found.rewards:
        amount = money(one.amount_minor, one.reward.currency)
        words = f"{one.partner}, {one.reward.status.replace('_', ' ')}"
        links.append(("Reward", link_to("reward", one.reward.id, amount), words, True))
    if not found.rewards:
        links.append(("Reward", "none", "", False))
    return links


def _facts(session: Session, event: ReceivedEvent) -> list[tuple[str, Any]]:
    site = session.get(Integration, event.integration_id)
    options = session.get(IntegrationOptions, event.options_id)
    size = session.scalar(
        select(func.length(ReceivedEvent.body)).where(ReceivedEvent.id == event.id)
    )
    return [
        ("Our id", Markup("<code>{}</code>").format(ids.encode("evt", event.id))),
        ("Chargebee id", Markup("<code>{}</code>").format(visible(event.event_id))),
        ("Integration", link_to("integration", site.id, site.name) if site else "-"),
        ("Received", moment(event.received_at)),
        ("Tries", number(tries(event))),
        ("Options it met", _options(options)),
        ("Payload", f"{number(size or 0)} bytes"),
        ("Sent as (SHA-256)", Markup("<code>{}</code>").format(event.body_sha256.hex()[:16] + "…")),
    ]


def _options(options: IntegrationOptions | None) -> str:
    if options is None:
        return "-"
    on = [
        title for title, name in (
            ("convert lead", "convert_lead"), ("associate deal", "associate_deal"),
            ("create transaction", "create_transaction"),
        ) if getattr(options, name)
    ]  # fmt: skip
    return f"{', '.join(on) or 'all off'} ({options.mode})"


def _others(session: Session, event: ReceivedEvent) -> list[Repeated]:
    if not event.other_body_seen:
        return []
    query = (
        select(OtherDelivery)
        .where(OtherDelivery.received_event_id == event.id)
        .order_by(OtherDelivery.id)
        .options(undefer(OtherDelivery.body))
        .limit(5)
    )
    return [
        Repeated(one, differences(event.body, one.body)) for one in session.scalars(query)
    ]  # fmt: skip


def _observed(event: ReceivedEvent) -> list[tuple[str, Any]]:
    """What would have happened, of an event that was only observed."""
    found = (event.results or {}).get("observed")
    if not found:
        return []
    paid, customer = found.get("transaction"), found.get("customer")
    lines: list[tuple[str, Any]] = [("Outcome", (found.get("outcome") or "").replace("_", " "))]
    if found.get("error"):
        lines.append(("Error", found["error"]))
    if customer is not None:
        known = isinstance(customer, int)
        lines.append(("Customer", link_to("customer", customer) if known else "a new one"))
    if found.get("lead_id"):
        lines.append(("Lead", link_to("lead", found["lead_id"])))
    if paid:
        lines.append(("Payment", _money(paid["amount_minor"], paid["currency"])))
    for one in found.get("rewards") or []:
        partner = link_to("partner", one["partner_id"])
        amount = _money(one["amount_minor"], one["currency"])
        lines.append(("Reward", Markup("{} for {}").format(amount, partner)))
    if found.get("reason"):
        lines.append(("Why no reward", reasons.OF_PAYMENTS.get(found["reason"], found["reason"])))
    return lines


def _money(amount_minor: int, currency: str) -> Markup:
    return escape(money(amount_minor, currency) if is_currency(currency) else f"{amount_minor}")
