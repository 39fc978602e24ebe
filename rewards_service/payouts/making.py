"""Make payouts of whatever is approved, available and in no payout yet (DOMAIN V6)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from rewards_service.kit.db import hold_stage, insert_many
from rewards_service.partners.service import check_partners
from rewards_service.payouts import exchange, queries
from rewards_service.payouts.history import note
from rewards_service.payouts.models import NOT_POSITIVE, Payout, PayoutLine
from rewards_service.payouts.proof import check_ledger, digest
from rewards_service.payouts.statement import Due, Statement, draw_up
from rewards_service.rewards import review


class LeftOut(NamedTuple):
    """A partner who gets no payout, why (`statement.LEFT_OUT`), and what stands instead."""

    partner_id: int
    reason: str
    balance_minor: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """A request for payouts in one currency; `partner_ids` None: of all partners."""

    currency: str
    cut_off: date
    partner_ids: Collection[int] | None = None
    threshold_minor: int = 0
    schedule_id: int | None = None


class Made(NamedTuple):
    payouts: list[Payout]
    left_out: list[LeftOut]


def create(session: Session, wanted: Wanted, actor: str) -> Made:
    """One draft for each partner with something due; their rewards are then `in_payout`.

    Whoever comes second finds the rewards taken: the stage lock and the unique lines see to it.
    Raises Unprocessable for an unknown partner, PayoutDisagreesWithLedger.
    """
    for stage in review.STAGES:
        hold_stage(session, stage)
    check_partners(session, "partner_ids", sorted(wanted.partner_ids or ()))
    dues = queries.lock_dues(session, wanted.currency, wanted.partner_ids)
    partner_ids = sorted(dues if wanted.partner_ids is None else set(wanted.partner_ids))
    paid_in = queries.payout_currencies(session, partner_ids)
    made = Made([], [])
    drafts: list[tuple[Payout, list[Due], exchange.Priced]] = []
    for partner_id in partner_ids:
        statement = draw_up(dues.get(partner_id, ()), wanted.cut_off, wanted.threshold_minor)
        if statement.left_out is not None:
            made.left_out.append(LeftOut(partner_id, statement.left_out, statement.total_minor))
            continue
        payout = _draft(wanted, partner_id, statement, actor)
        payout.pay_currency = paid_in[partner_id] or wanted.currency
        priced = exchange.price(session, payout, [due[:2] for due in statement.lines])
        if priced.problem == NOT_POSITIVE:
            made.left_out.append(LeftOut(partner_id, NOT_POSITIVE, statement.total_minor))
            continue
        payout.pay_total_minor, payout.problem = priced.total_minor, priced.problem
        drafts.append((payout, statement.lines, priced))
    _open(session, drafts, actor)
    made.payouts.extend(payout for payout, _, _ in drafts)
    return made


def _draft(wanted: Wanted, partner_id: int, statement: Statement, actor: str) -> Payout:
    return Payout(
        partner_id=partner_id,
        currency=wanted.currency,
        cut_off_on=wanted.cut_off,
        status="draft",
        total_minor=statement.total_minor,
        line_count=len(statement.lines),
        schedule_id=wanted.schedule_id,
        created_by=actor,
    )


def _open(
    session: Session, drafts: Sequence[tuple[Payout, list[Due], exchange.Priced]], actor: str
) -> None:
    """Write drafts with their lines, move their rewards, and see whether the ledger agrees."""
    if not drafts:
        return
    reward_ids = [due.reward_id for _, dues, _ in drafts for due in dues]
    entries = queries.amount_entries(session, reward_ids)
    for payout, dues, _ in drafts:
        payout.ledger_sha256 = digest(entries, [due.reward_id for due in dues])
        session.add(payout)
    session.flush()
    review.change_status(session, sorted(reward_ids), "in_payout", "put into a payout", actor)
    for payout, dues, priced in drafts:
        insert_many(session, PayoutLine, [
            _line(payout.id, due, quote, part)
            for due, quote, part in zip(dues, priced.quotes, priced.parts, strict=True)
        ])  # fmt: skip
        note(session, payout, None, "payout.created", actor)
        check_ledger(session, payout, "in_payout")
    session.flush()


def _line(
    payout_id: int, due: Due, quote: exchange.Quote | None, part: int | None
) -> dict[str, Any]:
    return {
        "payout_id": payout_id,
        "reward_id": due.reward_id,
        "amount_minor": due.amount_minor,
        "rate": quote and quote.rate,
        "rate_on": quote and quote.rate_on,
        "rate_source": quote and quote.source,
        "pay_amount_minor": part,
        "active": True,
    }
