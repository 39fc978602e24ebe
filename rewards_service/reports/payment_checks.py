"""Invariants of transactions: recorded once, with their properties, true to the mirror."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import and_, exists, func, or_, select
from sqlalchemy.orm import Session

from rewards_service.crm.models import Customer, PaymentClaim
from rewards_service.inbox.models import DONE, ReceivedEvent
from rewards_service.kit.db import chunks, table_of
from rewards_service.mirror import queries as mirror
from rewards_service.properties.models import PropertyDefinition, PropertyValue
from rewards_service.properties.names import CUSTOMER_ID, INVOICE_ID, TRANSACTION_ID
from rewards_service.reports.findings import Finding, Invariant, about, each, pages
from rewards_service.transactions.models import STATUSES, Transaction
from rewards_service.transactions.standing import base_amount, standing

RECORDED = ("transaction_recorded", "already_processed")
# Why a payment earned nothing: the closed list of DOMAIN V11.
REASONS = (
    "no_source_partner", "before_attribution", "partner_inactive", "no_rule", "rule_not_effective",
    "not_eligible_lines", "window_over", "cap_reached", "below_minimum", "no_amount_for_currency",
    "unapplied_payment", "parked_missing_parent", "no_change",
)  # fmt: skip


def _same_payment() -> Any:
    return and_(
        Transaction.integration_id == PaymentClaim.integration_id,
        Transaction.chargebee_transaction_id == PaymentClaim.chargebee_transaction_id,
    )


def _unrecorded(session: Session) -> Iterator[Finding]:
    """I4: each payment of a known customer has exactly one transaction; no other has one."""
    same = (Transaction.integration_id, Transaction.chargebee_transaction_id)
    repeated = (
        select(func.min(Transaction.id), Transaction.chargebee_transaction_id, func.count())
        .group_by(*same)
        .having(func.count() > 1)
    )
    yield from each(session, repeated, "transaction", "Payment {0} is recorded {1} times.")
    yield from _unclaimed(session)
    event, live = ReceivedEvent, and_(_same_payment(), Transaction.withdrawn_at.is_(None))
    known = (
        exists()
        .where(PropertyDefinition.key == CUSTOMER_ID)
        .where(PropertyValue.definition_id == PropertyDefinition.id)
        .where(PropertyValue.integration_id == PaymentClaim.integration_id)
        .where(PropertyValue.value == PaymentClaim.chargebee_customer_id)
    )
    says_recorded = event.outcome.in_(RECORDED)
    query = (
        select(event.id, event.outcome)
        .join(PaymentClaim, PaymentClaim.received_event_id == event.id)
        .outerjoin(Transaction, live)
        .where(
            event.state == DONE,
            PaymentClaim.create_transaction,
            or_(says_recorded != known, and_(says_recorded, Transaction.id.is_(None))),
        )
    )
    yield from each(session, query, "event", "Outcome {0}, but its payer or transaction differs.")


def _unclaimed(session: Session) -> Iterator[Finding]:
    event, claim = ReceivedEvent, PaymentClaim
    query = (
        select(Transaction.id)
        .outerjoin(event, event.id == Transaction.received_event_id)
        .outerjoin(claim, and_(claim.received_event_id == event.id, _same_payment()))
        .where(
            Transaction.withdrawn_at.is_(None),
            or_(claim.event_id.is_(None), event.outcome != RECORDED[0]),
        )
    )
    return each(session, query, "transaction", "The event that recorded it tells another tale.")


def _live(session: Session) -> Iterator[Sequence[Any]]:
    query = select(table_of(Transaction)).where(Transaction.withdrawn_at.is_(None))
    return pages(session, query)


def _without_properties(session: Session) -> Iterator[Finding]:
    """I5, M10: its own id, and the ids of the invoices it pays, in the payment's order."""
    for page in _live(session):
        keys = {(row.integration_id, row.chargebee_transaction_id) for row in page}
        invoices: dict[tuple[int, str], list[str]] = {key: [] for key in keys}
        for row in mirror.applications_of(session, keys):
            if row.applied_minor > 0:
                invoices[(row.integration_id, row.transaction_id)].append(row.invoice_id)
        held = _properties(session, [row.id for row in page])
        for row in page:
            site, name = row.integration_id, row.chargebee_transaction_id
            if held.get((TRANSACTION_ID, row.id)) != [(site, name)]:
                yield about("transaction", row.id, f"Chargebee Transaction ID is not {name}.")
            wanted = [(site, invoice) for invoice in invoices[(site, name)]]
            if held.get((INVOICE_ID, row.id), []) != wanted:
                yield about("transaction", row.id, "Chargebee Invoice IDs are not what it pays.")
    yield from _orphans(session)


def _properties(
    session: Session, ids: Sequence[int]
) -> dict[tuple[str, int], list[tuple[int, str]]]:
    """(property, transaction) -> [(integration, value)], in order."""
    value = PropertyValue
    found: dict[tuple[str, int], list[tuple[int, str]]] = {}
    for some in chunks(ids):
        query = (
            select(PropertyDefinition.key, value.subject_id, value.integration_id, value.value)
            .join(PropertyDefinition, PropertyDefinition.id == value.definition_id)
            .where(PropertyDefinition.subject == "transaction", value.subject_id.in_(some))
            .order_by(value.integration_id, value.position)
        )
        for key, subject_id, site, text in session.execute(query):
            found.setdefault((key, subject_id), []).append((site, text))
    return found


def _orphans(session: Session) -> Iterator[Finding]:
    value = PropertyValue
    query = (
        select(value.subject_id, value.value)
        .join(PropertyDefinition, PropertyDefinition.id == value.definition_id)
        .outerjoin(Transaction, Transaction.id == value.subject_id)
        .where(PropertyDefinition.subject == "transaction", Transaction.id.is_(None))
    )
    return each(session, query, "transaction", "{0} is a property of it, but it does not exist.")


def _untrue(session: Session) -> Iterator[Finding]:
    """I6, I10, V3: money, status and refunds are those of the newest mirrored payment."""
    for page in _live(session):
        keys = {(row.integration_id, row.chargebee_transaction_id) for row in page}
        payments = mirror.transactions(session, keys)
        refunds = mirror.refunds_of(session, keys)
        for row in page:
            key = (row.integration_id, row.chargebee_transaction_id)
            if key not in payments:
                yield about("transaction", row.id, "The mirror does not hold its payment.")
                continue
            for name, wanted in _expected(payments[key], refunds.get(key, [])).items():
                if getattr(row, name) != wanted:
                    held = getattr(row, name)
                    yield about("transaction", row.id, f"{name} is {held}, Chargebee: {wanted}.")


def _expected(payment: Any, refunds: Sequence[Any]) -> dict[str, Any]:
    status, refunded = standing(payment, refunds)
    return {
        "amount_minor": payment.amount_minor,
        "currency": payment.currency,
        "base_currency": payment.base_currency,
        "base_amount_minor": base_amount(payment),
        "status": status,
        "refunded_minor": refunded,
    }


def _unlawful(session: Session) -> Iterator[Finding]:
    """V11, S1: status and reason are of the closed lists; the partner is its customer's."""
    row = Transaction
    unlawful = or_(
        row.status.not_in(STATUSES),
        and_(row.reason.is_not(None), row.reason.not_in(REASONS)),
        row.refunded_minor < 0,
        row.refunded_minor > row.amount_minor,
    )
    query = select(row.id, row.status, row.reason).where(unlawful)
    yield from each(session, query, "transaction", "Status {0} or reason {1} is not a lawful one.")
    owner = (
        select(row.id)
        .outerjoin(Customer, Customer.id == row.customer_id)
        .where(
            row.withdrawn_at.is_(None),
            or_(Customer.id.is_(None), Customer.withdrawn_at.is_not(None)),
        )
    )
    yield from each(session, owner, "transaction", "Its customer is withdrawn or missing.")


INVARIANTS = (
    Invariant("payments_recorded", "Payments of known customers are recorded once.", _unrecorded),
    Invariant("transaction_ids", "Transactions carry their Chargebee ids.", _without_properties),
    Invariant("transaction_money", "Transactions say what Chargebee says.", _untrue),
    Invariant("transactions", "Transactions have lawful states and reasons.", _unlawful),
)
