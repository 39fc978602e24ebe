"""Everything that the rewards of some invoices depend on, loaded in a handful of queries."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from rewards_service.crm.matching import Payer
from rewards_service.crm.models import DealShare, PaymentClaim
from rewards_service.crm.queries import customers_by_id, find_links
from rewards_service.inbox.models import ReceivedEvent
from rewards_service.integrations.models import IntegrationOptions
from rewards_service.kit.bulk import among
from rewards_service.kit.db import chunks, columns, fetch_rows
from rewards_service.mirror import queries as mirror
from rewards_service.mirror.queries import Key, select_by
from rewards_service.partners.queries import History, status_histories
from rewards_service.programs.queries import all_versions, programs_of
from rewards_service.programs.rules import RuleVersion
from rewards_service.properties.names import CUSTOMER_ID
from rewards_service.properties.service import definition_ids
from rewards_service.rewards.models import LedgerEntry, Reward
from rewards_service.transactions import queries as transactions

AnyRow = Row[*tuple[Any, ...]]


@dataclass(slots=True)
class Money:
    """Invoices, what was applied to them, and what was taken back; as mirrored."""

    due: set[Key]
    invoices: dict[Key, AnyRow]
    adjustments: dict[Key, list[AnyRow]]
    applications: dict[Key, dict[str, int]]  # payment -> invoice id -> applied, in its order
    payments: dict[Key, AnyRow]
    refunds: dict[Key, list[AnyRow]]
    assigned: dict[Key, dict[str, int]]  # refund -> invoice id -> minor units
    recorded: dict[Key, AnyRow]  # payment -> transaction
    paid_by: dict[Key, list[Key]]  # invoice -> recorded payments, also undone ones


@dataclass(slots=True)
class People:
    """Whose invoices they are, who brought them, and by which rules those are rewarded."""

    owners: dict[Key, AnyRow]  # Chargebee customer -> customer
    shares: dict[int, list[tuple[int, int]]]  # deal -> (partner, basis points)
    histories: dict[int, History]
    programs: dict[int, set[int]]
    versions: dict[int, RuleVersion]
    roots: dict[Key, str]  # payment -> root of the payer's account, where that counts


def load_money(session: Session, due: Collection[Key]) -> Money:
    """The due invoices, and all invoices that their payments paid: refunds are shared by them."""
    own = mirror.applications_to(session, due)
    payers = {_payment(row) for row in own}
    recorded = transactions.by_chargebee_id(session, payers)
    all_of = mirror.applications_of(session, recorded.keys())
    invoices = set(due) | {_invoice(row) for row in all_of}
    others = mirror.applications_to(session, invoices - set(due))
    more = {_payment(row) for row in others} - recorded.keys()
    if more:
        recorded |= transactions.by_chargebee_id(session, more)
        all_of = mirror.applications_of(session, recorded.keys())
    refunds = mirror.refunds_of(session, recorded.keys())
    return Money(
        due=set(due),
        invoices=mirror.invoices(session, invoices),
        adjustments=mirror.adjustment_notes(session, invoices),
        applications=_applications(all_of),
        payments=mirror.transactions(session, recorded.keys()),
        refunds=refunds,
        assigned=_assigned(session, refunds),
        recorded=recorded,
        paid_by=_paid_by([*own, *others], recorded),
    )


def _payment(row: AnyRow) -> Key:
    return row.integration_id, row.transaction_id


def _invoice(row: AnyRow) -> Key:
    return row.integration_id, row.invoice_id


def _applications(rows: Iterable[AnyRow]) -> dict[Key, dict[str, int]]:
    found: dict[Key, dict[str, int]] = defaultdict(dict)
    for row in rows:
        found[_payment(row)][row.invoice_id] = row.applied_minor
    return found


def _assigned(session: Session, refunds: dict[Key, list[AnyRow]]) -> dict[Key, dict[str, int]]:
    keys = {(row.integration_id, row.external_id) for rows in refunds.values() for row in rows}
    found: dict[Key, dict[str, int]] = defaultdict(dict)
    for key, notes in mirror.refund_notes(session, keys).items():
        for note in notes:
            if note.invoice_id is not None:
                held = found[key].get(note.invoice_id, 0)
                found[key][note.invoice_id] = held + note.applied_minor
    return found


def _paid_by(rows: Iterable[AnyRow], recorded: dict[Key, AnyRow]) -> dict[Key, list[Key]]:
    found: dict[Key, list[Key]] = defaultdict(list)
    for row in rows:
        if _payment(row) in recorded:
            found[_invoice(row)].append(_payment(row))
    return found


def load_people(session: Session, money: Money) -> People:
    """Owners of the invoices by Chargebee id, their partners, and the rules."""
    ids = {(site, row.customer_id) for (site, _), row in money.invoices.items()}
    roots = _root_payers(session, money)
    payers = {Payer(*key) for key in ids} | {Payer(site, root) for (site, _), root in roots.items()}
    links = find_links(session, definition_ids(session)[CUSTOMER_ID], payers)
    rows = {row.id: row for row in customers_by_id(session, sorted(set(links.values())))}
    owners = {tuple(payer): rows[owner] for payer, owner in links.items()}
    deals = {row.source_deal_id for row in rows.values() if row.source_deal_id}
    shares = _shares(session, deals)
    partners = {row.source_partner_id for row in rows.values() if row.source_partner_id}
    partners |= {partner for parts in shares.values() for partner, _ in parts}
    partners |= {row.partner_id for row in money.recorded.values() if row.partner_id}
    return People(
        owners=owners,  # type: ignore[arg-type]
        shares=shares,
        histories=status_histories(session, partners),
        programs=programs_of(session, partners),
        versions=all_versions(session),
        roots=roots,
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


def _shares(session: Session, deals: set[int]) -> dict[int, list[tuple[int, int]]]:
    found: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for some in chunks(sorted(deals)):
        for share in session.scalars(select(DealShare).where(DealShare.deal_id.in_(some))):
            found[share.deal_id].append((share.partner_id, share.basis_points))
    return found


_REWARD_COLUMNS = columns(
    Reward,
    "id",
    "integration_id",
    "invoice_id",
    "rule_version_id",
    "partner_id",
    "seq",
    "status",
    "hold_reason",
    "anchor_paid_at",
    "created_at",
    "currency",
    "customer_id",
    "transaction_id",
    "available_on",
)


@dataclass(slots=True)
class Held:
    """A reward as it stands, with the sum of its entries."""

    row: AnyRow
    amount_minor: int


def load_rewards(session: Session, invoices: Collection[Key]) -> dict[Key, list[Held]]:
    """Rewards of invoices with what was posted to each, in the order of their seq."""
    query = select(*_REWARD_COLUMNS).order_by(Reward.seq)
    rows = select_by(session, query, Reward.integration_id, Reward.invoice_id, invoices)
    sums = posted_sums(session, [row.id for row in rows])
    found: dict[Key, list[Held]] = defaultdict(list)
    for row in rows:
        found[_invoice(row)].append(Held(row, sums.get(row.id, 0)))
    return found


def posted_sums(session: Session, reward_ids: Collection[int]) -> dict[int, int]:
    """Reward -> sum of its ledger entries, minor units."""
    found: dict[int, int] = {}
    for some in chunks(sorted(reward_ids)):
        query = (
            select(LedgerEntry.reward_id, func.sum(LedgerEntry.amount_minor))
            .where(among(session, LedgerEntry.reward_id, some))
            .group_by(LedgerEntry.reward_id)
        )
        found.update({reward_id: int(total) for reward_id, total in fetch_rows(session, query)})
    return found
