"""Everything that the rewards of some invoices depend on, loaded in a handful of queries."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from rewards_service.kit.bulk import among
from rewards_service.kit.db import chunks, columns, fetch_rows
from rewards_service.mirror import queries as mirror
from rewards_service.mirror.queries import Key, select_by
from rewards_service.programs.rules import RuleVersion
from rewards_service.rewards.credits import load_credits
from rewards_service.rewards.details import Details, load_details
from rewards_service.rewards.models import BY_HAND, LedgerEntry, Reward, RewardStatusChange
from rewards_service.rewards.untold import leave_out
from rewards_service.rewards.verdicts import MACHINE, REFUND_OPEN
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
    details: Details = field(default_factory=Details)


def load_money(
    session: Session, due: Collection[Key], versions: Mapping[int, RuleVersion]
) -> Money:
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
    credited = load_credits(session, invoices)
    origins = transactions.by_chargebee_id(session, credited.moves.keys() - recorded.keys())
    if origins:
        recorded |= origins
        all_of += mirror.applications_of(session, origins.keys())
    refunds = mirror.refunds_of(session, recorded.keys())
    money = Money(
        due=set(due),
        invoices=mirror.invoices(session, invoices),
        adjustments=mirror.adjustment_notes(session, invoices),
        applications=_applications(all_of),
        payments=mirror.transactions(session, recorded.keys()),
        refunds=refunds,
        assigned={},
        recorded=recorded,
        paid_by=_paid_by([*own, *others], recorded),
    )
    leave_out(session, money.refunds, {key: [row] for key, row in recorded.items()})
    payers_of = {key: [recorded[one] for one in some] for key, some in money.paid_by.items()}
    leave_out(session, money.adjustments, payers_of)
    notes = _refund_notes(session, refunds)
    money.assigned = _assigned(notes)
    money.details = load_details(
        session, money.invoices, money.adjustments, notes, credited, versions.values()
    )
    return money


def _payment(row: AnyRow) -> Key:
    return row.integration_id, row.transaction_id


def _invoice(row: AnyRow) -> Key:
    return row.integration_id, row.invoice_id


def _applications(rows: Iterable[AnyRow]) -> dict[Key, dict[str, int]]:
    found: dict[Key, dict[str, int]] = defaultdict(dict)
    for row in rows:
        found[_payment(row)][row.invoice_id] = row.applied_minor
    return found


def _refund_notes(session: Session, refunds: dict[Key, list[AnyRow]]) -> dict[Key, list[AnyRow]]:
    keys = {(row.integration_id, row.external_id) for rows in refunds.values() for row in rows}
    return mirror.refund_notes(session, keys)


def _assigned(notes_of: dict[Key, list[AnyRow]]) -> dict[Key, dict[str, int]]:
    found: dict[Key, dict[str, int]] = defaultdict(dict)
    for key, notes in notes_of.items():
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
    "released_holds",
    "anchor_paid_at",
    "created_at",
    "currency",
    "customer_id",
    "transaction_id",
    "available_on",
)


UNDECIDED = ("pending", "hold")


def partners_of(held: Mapping[Key, Sequence["Held"]]) -> set[int]:
    return {one.row.partner_id for some in held.values() for one in some}


@dataclass(slots=True)
class Held:
    """A reward as it stands, with the sum of its entries.

    `basis_points`: its share of the whole, where anything of its invoice was decided about.
    `was_approved`: a refund under way took back its approval until it is known what comes of it.
    `is_debt`: it is approved as something that was taken back, not by a decision.
    `told_log_id`: the newest event that an entry of it names; 0 when none does.
    """

    row: AnyRow
    amount_minor: int
    basis_points: int | None = None
    was_approved: bool = False
    is_debt: bool = False
    told_log_id: int = 0


def load_rewards(session: Session, invoices: Collection[Key]) -> dict[Key, list[Held]]:
    """Rewards of invoices with what was posted to each, in the order of their seq."""
    query = select(*_REWARD_COLUMNS).order_by(Reward.seq)
    rows = select_by(session, query, Reward.integration_id, Reward.invoice_id, invoices)
    sums = posted_sums(session, [row.id for row in rows])
    nothing = Posted(0, 0)
    held = [
        Held(row, posted.amount_minor, told_log_id=posted.told_log_id)
        for row in rows
        for posted in [sums.get(row.id, nothing)]
    ]
    refunded = [one for one in held if one.row.hold_reason == REFUND_OPEN]
    debts = [one for one in held if one.row.status == "approved" and one.amount_minor <= 0]
    moves = _last_moves(session, [one.row.id for one in (*refunded, *debts)])
    for one in refunded:
        move = moves.get(one.row.id)
        one.was_approved = move is not None and move.from_status == "approved"
    for one in debts:
        one.is_debt = one.row.id not in moves or moves[one.row.id].actor == MACHINE
    decided = {_invoice(one.row) for one in held if one.row.status not in UNDECIDED}
    shares = _shares(session, [one.row.id for one in held if _invoice(one.row) in decided])
    found: dict[Key, list[Held]] = defaultdict(list)
    for one in held:
        one.basis_points = shares.get(one.row.id)
        found[_invoice(one.row)].append(one)
    return found


def _shares(session: Session, reward_ids: Collection[int]) -> dict[int, int]:
    """Reward -> basis points of the whole that its explanation tells of."""
    found: dict[int, int] = {}
    for some in chunks(sorted(reward_ids)):
        query = select(*columns(Reward, "id", "explanation")).where(Reward.id.in_(some))
        told = {row.id: row.explanation.get("basis_points") for row in fetch_rows(session, query)}
        found.update({key: points for key, points in told.items() if points is not None})
    return found


def _last_moves(session: Session, reward_ids: Collection[int]) -> dict[int, AnyRow]:
    """Reward -> how it came to the status it has; none where it was opened in it."""
    change = RewardStatusChange
    found: dict[int, AnyRow] = {}
    for some in chunks(sorted(reward_ids)):
        last = select(func.max(change.id)).where(change.reward_id.in_(some))
        query = select(*columns(change, "reward_id", "from_status", "actor")).where(
            change.id.in_(last.group_by(change.reward_id))
        )
        found.update({row.reward_id: row for row in fetch_rows(session, query)})
    return found


class Posted(NamedTuple):
    """The sum of a reward's entries, minor units, and the newest event that they name, or 0."""

    amount_minor: int
    told_log_id: int


def posted_sums(session: Session, reward_ids: Collection[int]) -> dict[int, Posted]:
    """What was posted to rewards, without what people posted."""
    found: dict[int, Posted] = {}
    newest = func.coalesce(func.max(LedgerEntry.cause_event_id), 0)
    for some in chunks(sorted(reward_ids)):
        query = (
            select(LedgerEntry.reward_id, func.sum(LedgerEntry.amount_minor), newest)
            .where(among(session, LedgerEntry.reward_id, some), LedgerEntry.kind.not_in(BY_HAND))
            .group_by(LedgerEntry.reward_id)
        )
        rows = fetch_rows(session, query)
        found.update({key: Posted(int(total), int(log_id)) for key, total, log_id in rows})
    return found
