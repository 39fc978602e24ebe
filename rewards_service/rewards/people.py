"""Whose invoices they are, who brought them, and by which rules those are rewarded."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.crm.matching import Payer
from rewards_service.crm.models import Deal, DealShare, PaymentClaim
from rewards_service.crm.queries import customers_by_id, find_links
from rewards_service.crm.self_referral import SelfReferral, self_referral_facts
from rewards_service.inbox.models import ReceivedEvent
from rewards_service.integrations.models import IntegrationOptions
from rewards_service.kit.bulk import among
from rewards_service.kit.db import chunks, columns, fetch_rows
from rewards_service.mirror.queries import AnyRow, Key
from rewards_service.partners.queries import History, status_histories
from rewards_service.programs.enrolled import Enrolled
from rewards_service.programs.queries import enrolments_of
from rewards_service.programs.rules import RuleVersion
from rewards_service.properties.names import CUSTOMER_ID
from rewards_service.properties.service import definition_ids
from rewards_service.rewards.queries import Money


@dataclass(slots=True)
class People:
    """Whose invoices they are, who brought them, and by which rules those are rewarded."""

    owners: dict[Key, AnyRow]  # Chargebee customer -> customer
    shares: dict[int, list[tuple[int, int]]]  # deal -> (partner, basis points)
    deals: dict[int, list[AnyRow]]  # customer -> its deals, the earliest registered first
    histories: dict[int, History]
    enrolled: dict[int, list[Enrolled]]
    versions: dict[int, RuleVersion]
    suspicions: dict[int, SelfReferral]
    roots: dict[Key, str]  # payment -> root of the payer's account, where that counts


def load_people(
    session: Session,
    money: Money,
    versions: dict[int, RuleVersion],
    rewarded: Collection[int] = (),
) -> People:
    """Owners of the invoices by Chargebee id, their partners and those rewarded, and the rules."""
    ids = {(site, row.customer_id) for (site, _), row in money.invoices.items()}
    roots = _root_payers(session, money)
    payers = {Payer(*key) for key in ids} | {Payer(site, root) for (site, _), root in roots.items()}
    links = find_links(session, definition_ids(session)[CUSTOMER_ID], payers)
    rows = {row.id: row for row in customers_by_id(session, sorted(set(links.values())))}
    owners = {tuple(payer): rows[owner] for payer, owner in links.items()}
    deals = deals_of(session, rows.keys())
    shares = _shares(session, {deal.id for some in deals.values() for deal in some})
    partners = {row.source_partner_id for row in rows.values() if row.source_partner_id}
    partners |= set(rewarded)
    partners |= {partner for parts in shares.values() for partner, _ in parts}
    partners |= {deal.partner_id for some in deals.values() for deal in some if deal.partner_id}
    partners |= {row.partner_id for row in money.recorded.values() if row.partner_id}
    return People(
        owners=owners,  # type: ignore[arg-type]
        shares=shares,
        deals=deals,
        histories=status_histories(session, partners),
        enrolled=enrolments_of(session, partners),
        versions=versions,
        roots=roots,
        suspicions=self_referral_facts(session, list(rows.values())),
    )


def _root_payers(session: Session, money: Money) -> dict[Key, str]:
    """Payment -> the account it counts for, of those that were attributed to the root (M14).

    What an event met on arrival decides (M13), not what the integration is set to by now.
    """
    options = IntegrationOptions
    sites = {site for site, _ in money.recorded}
    by_root = select(options.id).where(
        options.hierarchy == "root", options.integration_id.in_(sites)
    )
    sets = list(session.scalars(by_root))
    if not sets:
        return {}
    payer = {row.received_event_id: key for key, row in money.recorded.items()}
    query = (
        select(PaymentClaim.received_event_id, PaymentClaim.chargebee_customer_id)
        .join(ReceivedEvent, ReceivedEvent.id == PaymentClaim.received_event_id)
        .where(ReceivedEvent.options_id.in_(sets))
    )
    return {
        payer[event]: root
        for some in chunks(sorted(payer))
        for event, root in session.execute(query.where(PaymentClaim.received_event_id.in_(some)))
    }


def deals_of(session: Session, customer_ids: Collection[int]) -> dict[int, list[AnyRow]]:
    """Customer -> deals associated with it, the earliest registered first."""
    found: dict[int, list[AnyRow]] = defaultdict(list)
    wanted = columns(Deal, "id", "customer_id", "partner_id", "associated_at")
    for some in chunks(sorted(customer_ids)):
        query = (
            select(*wanted)
            .where(among(session, Deal.customer_id, some))
            .order_by(Deal.registered_at, Deal.id)
        )
        for row in fetch_rows(session, query):
            found[row.customer_id].append(row)
    return found


def _shares(session: Session, deals: set[int]) -> dict[int, list[tuple[int, int]]]:
    found: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for some in chunks(sorted(deals)):
        for share in session.scalars(select(DealShare).where(DealShare.deal_id.in_(some))):
            found[share.deal_id].append((share.partner_id, share.basis_points))
    return found
