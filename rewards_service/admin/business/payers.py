"""What is known of a customer beside itself: Chargebee ids, e-mails, relatives, whose it is."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from flask import url_for
from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.admin.business.naming import link_deal, link_lead, outside
from rewards_service.admin.business.trail import Story
from rewards_service.admin.layout import moment, opens
from rewards_service.admin.places import link_to
from rewards_service.chargebee.console import CUSTOMERS
from rewards_service.crm.matching import Payer
from rewards_service.crm.models import Customer
from rewards_service.crm.queries import load_claims_of
from rewards_service.integrations.models import Integration
from rewards_service.mirror import queries as mirror
from rewards_service.properties.names import CUSTOMER_ID
from rewards_service.properties.service import definition_ids, find_subjects, values_of


class Known(NamedTuple):
    """A Chargebee customer that a customer is; `site` None: the site is gone."""

    integration_id: int
    site: str | None
    name: str


class Email(NamedTuple):
    """An address that payments of a customer came with, and when."""

    email: str
    first_at: datetime
    last_at: datetime
    payments: int


class Found(NamedTuple):
    """How the source partner was found: in a word, in a sentence, and what waits because of it."""

    word: str
    sentence: Markup
    waits: Markup | None


def payers_of(session: Session, customer_id: int) -> list[Known]:
    """The Chargebee customers that a customer is, the oldest site first."""
    definition = definition_ids(session).get(CUSTOMER_ID)
    values = values_of(session, definition, [customer_id]) if definition is not None else []
    sites = {site for _, site, _ in values}
    query = select(Integration.id, Integration.site).where(Integration.id.in_(sites))
    names = {key: name for key, name in session.execute(query)}  # noqa: C416
    return [Known(site, names.get(site), name) for _, site, name in values]


def emails_of(session: Session, known: Sequence[Known]) -> list[Email]:
    """E-mails that its payments came with, the newest first."""
    found: dict[str, Email] = {}
    claims = load_claims_of(session, [Payer(one.integration_id, one.name) for one in known])
    for claim in sorted(claims, key=lambda item: item.paid_at):
        if claim.email:
            before = found.get(claim.email, Email(claim.email, claim.paid_at, claim.paid_at, 0))
            found[claim.email] = before._replace(
                last_at=claim.paid_at, payments=before.payments + 1
            )
    return sorted(found.values(), key=lambda one: one.last_at, reverse=True)


def relatives_of(session: Session, known: Sequence[Known]) -> list[tuple[str, Markup]]:
    """Where it stands in Chargebee's account hierarchy: (what of it, who)."""
    keys = [(one.integration_id, one.name) for one in known]
    sites = {one.integration_id: one.site for one in known}
    definition = definition_ids(session).get(CUSTOMER_ID, 0)
    found = []
    for (site, name), row in mirror.customers(session, keys).items():
        relations = (
            ("Parent account", row.parent_id), ("Top of its hierarchy", row.root_id),
            ("Its payments are made by", row.payment_owner_id),
            ("Its invoices go to", row.invoice_owner_id),
        )  # fmt: skip
        for title, other in relations:
            if other and other != name:
                ours = find_subjects(session, definition, site, [other]).get(other)
                there = outside(sites[site], CUSTOMERS, other)
                shown = Markup("{} ({})").format(link_to("customer", ours), there)
                found.append((title, shown if ours else there))
    return found


def how_found(customer: Customer, story: Story, shared: bool) -> Found:
    """Why this partner is the source partner, in words (DOMAIN S1, S2, S5)."""
    lead = next((one for one in story.leads if one.id == customer.source_lead_id), None)
    deal = next((one for one in story.deals if one.id == customer.source_deal_id), None)
    if customer.source_by_hand:
        past = " Payments recorded before were given to the partner too." if customer.pinned else ""
        word, sentence = "by hand", Markup("A person chose it.{}").format(past)
    elif customer.source_partner_id is None and shared:
        word, sentence = "split deal", Markup("Its deal is split between them, and has no partner "
                                              "of its own.")  # fmt: skip
    elif customer.source_partner_id is None:
        word, sentence = "nobody", Markup("No lead or deal of a partner led to this customer.")
    elif lead is not None:
        word, sentence = "first lead", _first(link_lead(lead), lead.registered_at, "lead")
    elif deal is not None:
        word, sentence = "first deal", _first(link_deal(deal), deal.registered_at, "deal")
    else:
        word, sentence = "by a payment", Markup("Found when its first payment was matched.")
    return Found(word, sentence, _waits(customer))


def _first(link: Markup, at: datetime, what: str) -> Markup:
    return Markup(
        "{} of {} is the earliest {} with its e-mail: the first wins, later ones change nothing."
    ).format(link, moment(at), what)


def _waits(customer: Customer) -> Markup | None:
    if customer.hold_reason == "lead_pending":
        return Markup("Its rewards are on hold: its lead was not accepted when it converted.")
    if customer.hold_reason != "conflict":
        return None
    text = Markup("Its rewards are on hold: two partners claim it.")
    if not opens("unmatched_pages.list_unmatched"):
        return text
    link = Markup(' <a href="{}">Decide the conflict</a>.')
    return text + link.format(url_for("unmatched_pages.list_unmatched"))
