"""Payments of the past that no event has told of, with what took them back: which, in which order.

A payment is of the past as long as no event but ours tells of it. Its refunds, the credit notes and
the voiding of its invoices follow it in the order of their own days, as they would have come then.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    exists,
    func,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import Session, aliased

from rewards_service.chargebee.resources import (
    CREDIT_NOTE,
    INVOICE,
    PAYMENT,
    REFUND,
    REVERSAL,
    SUCCESS,
    TRANSACTION,
)
from rewards_service.crm.models import PaymentClaim
from rewards_service.history.keeping import SOURCE
from rewards_service.inbox.models import ReceivedEvent
from rewards_service.mirror.models import (
    ChargebeeCreditNote,
    ChargebeeInvoice,
    ChargebeeTransaction,
    PaymentApplication,
)

CHUNK = 500
# What an event of ours tells of: rank on the same second, event type, kind of the object.
PAID, REFUNDED, REVERSED, CREDITED, VOIDED = range(5)
TYPES = {
    PAID: ("payment_succeeded", TRANSACTION),
    REFUNDED: ("payment_refunded", TRANSACTION),
    REVERSED: ("transaction_updated", TRANSACTION),
    CREDITED: ("credit_note_created", CREDIT_NOTE),
    VOIDED: ("invoice_updated", INVOICE),
}


class Told(NamedTuple):
    """Something that is to be told of: what kind of thing, and its Chargebee id."""

    rank: int
    external_id: str

    @property
    def event_id(self) -> str:
        """The same each time, so that nothing is told twice."""
        return _prefix(self.rank) + self.external_id


def _prefix(rank: int) -> str:
    return f"{SOURCE}_{TYPES[rank][0]}_"


def count_payments(session: Session, integration_id: int) -> int:
    """How many payments of the past are not on the log yet."""
    query = _payments(integration_id)
    return session.execute(select(func.count()).select_from(query.subquery())).scalar_one()


def in_order(connection: Connection, integration_id: int) -> Iterator[list[Told]]:
    """All that is to be told of, by the day it happened, some hundred at a time.

    The connection reads one state of the database as long as this goes on.
    """
    parts = union_all(
        _payments(integration_id),
        _taken_back(integration_id, REFUNDED, REFUND),
        _taken_back(integration_id, REVERSED, REVERSAL),
        _notes(integration_id),
        _voided(integration_id),
    ).subquery()
    query = select(parts.c.rank, parts.c.external_id).order_by(*parts.c)
    rows = connection.execution_options(yield_per=CHUNK).execute(query)
    for some in rows.partitions():
        yield [Told(row.rank, row.external_id) for row in some]


def _select(model: Any, rank: int, integration_id: int, at: Any) -> Select[Any]:
    columns = (at.label("at"), literal(rank).label("rank"), model.external_id.label("external_id"))
    mine = exists().where(
        ReceivedEvent.integration_id == integration_id,
        ReceivedEvent.event_id == literal(_prefix(rank)) + model.external_id,
    )
    return select(*columns).where(model.integration_id == integration_id, ~mine)


def _stands(model: Any) -> ColumnElement[bool]:
    return and_(model.status == SUCCESS, model.deleted.is_(False))


def _is_past(payment: Any) -> ColumnElement[bool]:
    """A payment that stands, and that no event told of but perhaps ours."""
    told = exists().where(
        PaymentClaim.integration_id == payment.integration_id,
        PaymentClaim.chargebee_transaction_id == payment.external_id,
        PaymentClaim.event_id != literal(_prefix(PAID)) + payment.external_id,
    )
    return and_(payment.kind == PAYMENT, _stands(payment), ~told)


def _payments(integration_id: int) -> Select[Any]:
    row = ChargebeeTransaction
    at = func.coalesce(row.dated_at, row.occurred_at)
    return _select(row, PAID, integration_id, at).where(_is_past(row))


def _taken_back(integration_id: int, rank: int, kind: str) -> Select[Any]:
    row, payment = ChargebeeTransaction, aliased(ChargebeeTransaction)
    at = func.coalesce(row.dated_at, row.occurred_at)
    of_past = exists().where(
        payment.integration_id == row.integration_id,
        payment.external_id == row.source_id,
        _is_past(payment),
    )
    return _select(row, rank, integration_id, at).where(row.kind == kind, _stands(row), of_past)


def _notes(integration_id: int) -> Select[Any]:
    row = ChargebeeCreditNote
    lowers = and_(row.kind == "adjustment", row.status != "voided", row.deleted.is_(False))
    at = func.coalesce(row.dated_at, row.occurred_at)
    paid = _paid_in_the_past(row.integration_id, row.invoice_id)
    return _select(row, CREDITED, integration_id, at).where(lowers, paid)


def _voided(integration_id: int) -> Select[Any]:
    row = ChargebeeInvoice
    gone = or_(row.status == "voided", row.deleted)
    paid = _paid_in_the_past(row.integration_id, row.external_id)
    return _select(row, VOIDED, integration_id, row.occurred_at).where(gone, paid)


def _paid_in_the_past(site: Any, invoice_id: Any) -> ColumnElement[bool]:
    paid, payment = PaymentApplication, aliased(ChargebeeTransaction)
    return exists().where(
        paid.integration_id == site,
        paid.invoice_id == invoice_id,
        payment.integration_id == paid.integration_id,
        payment.external_id == paid.transaction_id,
        _is_past(payment),
    )
