"""Record payments of known customers once, keep them true to the mirror, say what is due."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from rewards_service.crm.matching import Claim, Payer
from rewards_service.crm.queries import customers_by_id
from rewards_service.kit.bulk import insert_rows
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import insert_many, reserve_ids, table_of, update_many
from rewards_service.mirror import queries as mirror
from rewards_service.mirror.queries import AnyRow, Key
from rewards_service.properties.names import INVOICE_ID, TRANSACTION_ID
from rewards_service.properties.service import add_values, definition_ids, remove_values
from rewards_service.transactions import queries
from rewards_service.transactions.models import RewardDue, Transaction
from rewards_service.transactions.standing import base_amount, standing
from rewards_service.transactions.telling import CREATED, UPDATED, WITHDRAWN, tell

UNAPPLIED = "unapplied_payment"
_DUE_AGAIN = (
    "ON CONFLICT (integration_id, invoice_id) DO UPDATE SET "
    "cause_event_id = COALESCE(excluded.cause_event_id, reward_due.cause_event_id), "
    "due_at = excluded.due_at, attempts = 0, error = NULL, next_attempt_at = NULL, dead = false"
)


def record(
    session: Session, claims: Sequence[Claim], known: Mapping[Payer, int]
) -> tuple[dict[Key, int], set[Key]]:
    """Record the payments of known payers; move or revive those recorded before (M11, M16, M17).

    `claims` holds one claim a payment: the one that counts. Returns the transactions' keys by
    (integration key, Chargebee id), and which of them are new: the others are to be refreshed.
    """
    wanted = {(c.payer.integration_id, c.transaction_id): c for c in claims if c.payer in known}
    held = queries.by_chargebee_id(session, wanted.keys(), withdrawn=True)
    missing = [key for key in sorted(wanted) if key not in held]
    fresh = reserve_ids(session, table_of(Transaction), len(missing))
    ids = {key: held[key].id for key in held} | dict(zip(missing, fresh, strict=True))
    owners = _customers(session, {known[claim.payer] for claim in wanted.values()})
    _insert(session, {key: wanted[key] for key in missing}, ids, known, owners)
    moved = [
        {"id": held[key].id, "withdrawn_at": None, **wants}
        for key, claim in wanted.items()
        if key in held and (wants := _wanted(held[key], claim, owners[known[claim.payer]]))
    ]
    update_many(session, Transaction, moved)
    before = {row.id: (row.customer_id, row.partner_id, row.withdrawn_at) for row in held.values()}
    there = ((row["id"], (row["customer_id"], row["partner_id"], None)) for row in moved)
    tell(session, UPDATED, [key for key, after in there if before[key] != after])
    return ids, set(missing)


def _wanted(row: AnyRow, claim: Claim, owner: AnyRow) -> dict[str, Any] | None:
    """Where a recorded payment must belong, if it does not; None when all is well.

    A partner that a person gave the customer counts from then on: earlier payments keep theirs.
    """
    keeps = owner.source_by_hand and row.customer_id == owner.id
    wanted = {
        "customer_id": owner.id,
        "partner_id": row.partner_id if keeps else owner.source_partner_id,
        "partner_by_hand": row.partner_by_hand if keeps else _is_by_hand(owner),
        "received_event_id": claim.event,
    }
    is_there = all(getattr(row, name) == value for name, value in wanted.items())
    return None if is_there and row.withdrawn_at is None else wanted


def _is_by_hand(owner: AnyRow) -> bool:
    """Whether a person named the partner, and no deal with it."""
    return bool(owner.source_by_hand) and owner.source_deal_id is None


def _customers(session: Session, customer_ids: Iterable[int]) -> dict[int, AnyRow]:
    return {row.id: row for row in customers_by_id(session, sorted(set(customer_ids)))}


def _insert(
    session: Session,
    claims: Mapping[Key, Claim],
    ids: Mapping[Key, int],
    known: Mapping[Payer, int],
    owners: Mapping[int, AnyRow],
) -> None:
    payments = mirror.transactions(session, claims.keys())
    refunds = mirror.refunds_of(session, claims.keys())
    applications = queries.invoices_of(session, claims.keys())
    now = utc_now()
    rows = []
    for key, claim in claims.items():
        owner = known[claim.payer]
        rows.append(
            {
                "id": ids[key],
                "integration_id": key[0],
                "customer_id": owner,
                "partner_id": owners[owner].source_partner_id,
                "partner_by_hand": _is_by_hand(owners[owner]),
                "chargebee_transaction_id": key[1],
                "received_event_id": claim.event,
                "occurred_at": claim.paid_at,
                "created_at": now,
                **_money(payments[key], refunds.get(key, ())),
                "reason": None if applications.get(key) else UNAPPLIED,
            }
        )
    insert_many(session, Transaction, rows)
    _give_properties(session, {key: ids[key] for key in claims}, applications)
    tell(session, CREATED, [row["id"] for row in rows])


def _money(payment: AnyRow, refunds: Iterable[AnyRow]) -> dict[str, Any]:
    status, refunded = standing(payment, refunds)
    return {
        "amount_minor": payment.amount_minor,
        "currency": payment.currency,
        "base_currency": payment.base_currency,
        "exchange_rate": payment.exchange_rate,
        "base_amount_minor": base_amount(payment),
        "status": status,
        "refunded_minor": refunded,
    }


def _give_properties(
    session: Session, ids: Mapping[Key, int], applications: Mapping[Key, list[str]]
) -> None:
    """DOMAIN M10, in the transaction of the payment itself."""
    definitions = definition_ids(session)
    add_values(
        session,
        definitions[TRANSACTION_ID],
        True,
        ((ids[key], key[0], 0, key[1]) for key in sorted(ids)),
    )
    _give_invoice_ids(session, definitions, ids, applications)


def _give_invoice_ids(
    session: Session,
    definitions: Mapping[str, int],
    ids: Mapping[Key, int],
    applications: Mapping[Key, list[str]],
) -> None:
    add_values(
        session,
        definitions[INVOICE_ID],
        False,
        (
            (ids[key], key[0], position, invoice_id)
            for key in sorted(ids)
            for position, invoice_id in enumerate(applications.get(key, ()))
        ),
    )


def refresh(session: Session, keys: Iterable[Key]) -> dict[Key, int]:
    """Follow the newest mirrored versions of recorded payments. Returns those recorded, by key."""
    held = queries.by_chargebee_id(session, list(keys))
    payments = mirror.transactions(session, held.keys())
    refunds = mirror.refunds_of(session, held.keys())
    applications = queries.invoices_of(session, held.keys())
    changed = []
    for key, row in held.items():
        money = _money(payments[key], refunds.get(key, ()))
        money["reason"] = UNAPPLIED if not applications.get(key) else _still(row.reason)
        if any(getattr(row, name) != value for name, value in money.items()):
            changed.append({"id": row.id, **money})
    update_many(session, Transaction, changed)
    tell(session, UPDATED, [row["id"] for row in changed])
    definitions = definition_ids(session)
    ids = {key: row.id for key, row in held.items()}
    remove_values(session, definitions[INVOICE_ID], ids.values())
    _give_invoice_ids(session, definitions, ids, applications)
    return ids


def _still(reason: str | None) -> str | None:
    return None if reason == UNAPPLIED else reason


def withdraw(session: Session, payers: Iterable[Payer], claims: Iterable[Claim]) -> set[Key]:
    """Take back the transactions of payers that turned out not to be known (DOMAIN M17)."""
    gone = set(payers)
    keys = {(c.payer.integration_id, c.transaction_id) for c in claims if c.payer in gone}
    held = queries.by_chargebee_id(session, keys)
    now = utc_now()
    rows = [{"id": row.id, "partner_id": None, "withdrawn_at": now} for row in held.values()]
    update_many(session, Transaction, rows)
    tell(session, WITHDRAWN, [row["id"] for row in rows])
    return set(held)


def mark_due(session: Session, causes: Mapping[Key, int | None]) -> None:
    """Ask for the rewards of invoices to be worked out again: invoice key -> causing event."""
    if not causes:
        return
    now = utc_now()
    rows = [
        {
            "integration_id": key[0], "invoice_id": key[1], "cause_event_id": causes[key],
            "due_at": now, "attempts": 0, "error": None, "next_attempt_at": None,
            "dead": False,
        }
        for key in sorted(causes)
    ]  # fmt: skip
    insert_rows(session, table_of(RewardDue), rows, _DUE_AGAIN)
