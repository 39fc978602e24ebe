"""Another source partner by a person's word: from now on, or for all that is not paid (S5)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.crm import customer_service
from rewards_service.crm.models import Customer
from rewards_service.kit.db import update_many
from rewards_service.mirror import queries as mirror
from rewards_service.mirror.queries import Key, select_by
from rewards_service.rewards.models import Reward
from rewards_service.transactions.models import Transaction
from rewards_service.webhooks.consequences import RewardChange, calculate_now
from rewards_service.webhooks.rework import hold_stages
from rewards_service.webhooks.workbench import maybe_rehearsal

# What a person settled: rewards on such an invoice stay with whom they were given.
SETTLED = ("in_payout", "paid", "declined")


@dataclass(slots=True)
class Moved:
    """Which rewards changed; `kept`: invoices that stay because something on them is settled."""

    changes: list[RewardChange] = field(default_factory=list)
    kept: list[Key] = field(default_factory=list)


def change_customer(
    session: Session, customer_id: int, wanted: Mapping[str, Any], actor: str
) -> Moved:
    """Change what is given of a customer.

    wanted: as `crm.customer_service.change_customer`, and `retroactive` (rewards that are not
    settled move to the new partner, at once) and `dry_run` (nothing is kept). Raises NotFound,
    Unprocessable.
    """
    plain = {k: v for k, v in wanted.items() if k not in ("retroactive", "dry_run")}
    dry_run, retroactive = wanted.get("dry_run", False), wanted.get("retroactive", False)
    if not dry_run and "source_partner_id" not in wanted:
        customer_service.change_customer(session, customer_id, plain, actor)
        return Moved()
    hold_stages(session)
    with maybe_rehearsal(session, dry_run):
        was_held = customer_service.get_customer(session, customer_id).hold_reason is not None
        customer = customer_service.change_customer(
            session, customer_id, plain, actor, retroactive=retroactive
        )
        if not retroactive and not was_held:
            session.flush()
            return Moved()
        return follow_source(session, customer, retroactive)


def follow_source(session: Session, customer: Customer, retroactive: bool) -> Moved:
    """Bring rewards to what the customer's source and holds say now; the caller holds the stages.

    retroactive: its recorded payments go to its source partner, but for those of an invoice on
    which something is settled.
    """
    session.flush()
    payments = _payments(session, customer.id)
    applied: dict[Key, set[Key]] = {key: set() for key in payments}
    for row in mirror.applications_of(session, payments.keys()):
        invoice = (row.integration_id, row.invoice_id)
        applied[(row.integration_id, row.transaction_id)].add(invoice)
    invoices = {invoice for some in applied.values() for invoice in some}
    kept = _settled(session, invoices)
    if retroactive:
        free = {key: row for key, row in payments.items() if not applied[key] & kept}
        _give(session, free.values(), customer)
    changes = calculate_now(session, dict.fromkeys(invoices))
    session.expire_all()
    return Moved(changes, sorted(kept) if retroactive else [])


def _payments(session: Session, customer_id: int) -> dict[Key, Any]:
    row = Transaction
    query = select(
        row.id,
        row.integration_id,
        row.chargebee_transaction_id,
        row.partner_id,
        row.partner_by_hand,
    ).where(row.customer_id == customer_id, row.withdrawn_at.is_(None))
    return {
        (found.integration_id, found.chargebee_transaction_id): found
        for found in session.execute(query)
    }


def _settled(session: Session, invoices: Collection[Key]) -> set[Key]:
    query = select(Reward.integration_id, Reward.invoice_id).where(Reward.status.in_(SETTLED))
    rows = select_by(session, query, Reward.integration_id, Reward.invoice_id, invoices)
    return {(row.integration_id, row.invoice_id) for row in rows}


def _give(session: Session, payments: Collection[Any], customer: Customer) -> None:
    wanted = {
        "partner_id": customer.source_partner_id,
        "partner_by_hand": customer.source_deal_id is None,
    }
    update_many(
        session,
        Transaction,
        [
            {"id": row.id, **wanted}
            for row in payments
            if (row.partner_id, row.partner_by_hand) != tuple(wanted.values())
        ],
    )
