"""Events by what people have at hand: an id of Chargebee's or of ours, or an e-mail address.

Each is looked up through an index; what comes of it are keys of events, the newest of which are
shown. Never a search inside texts: the log has millions of rows.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from rewards_service.admin.lists import Filter
from rewards_service.crm.models import Customer, PaymentClaim
from rewards_service.inbox.models import ReceivedEvent, WaitingEvent
from rewards_service.integrations.models import Integration
from rewards_service.kit import ids
from rewards_service.kit.emails import key_or_none
from rewards_service.mirror.models import ChargebeeTransaction, PaymentApplication
from rewards_service.properties.models import PropertyDefinition, PropertyValue
from rewards_service.properties.names import CUSTOMER_ID
from rewards_service.rewards.models import Reward
from rewards_service.transactions.models import Transaction

MOST = 1_000  # of one way to find events


def site_filter(session: Session) -> list[Filter]:
    """A choice of the integration, where there are several."""
    query = select(Integration.id, Integration.name).order_by(Integration.id).limit(100)
    sites = {ids.encode("int", key): name for key, name in session.execute(query)}
    return [Filter("integration_id", "Integration", sites)] if len(sites) > 1 else []


def find_events(session: Session, text: str) -> set[int]:
    """Keys of events that a text means; at most some thousand.

    It means events by: Chargebee's event id; our id of an event, customer, lead's customer,
    transaction or reward; the payer's e-mail address; Chargebee's id of a payment, refund, invoice
    or customer.
    """
    if "@" in text:
        return _by_email(session, text)
    kind, _, _ = text.partition("_")
    key = ids.decode(kind, text)
    if key is not None and kind in _BY_ID:
        found: set[int] = _BY_ID[kind](session, key)
        return found
    return _by_chargebee_id(session, text)


def _keys(session: Session, query: Select[Any]) -> set[int]:
    return set(session.scalars(query.limit(MOST)))


def _by_email(session: Session, text: str) -> set[int]:
    key = key_or_none(text)
    return _claims(session, PaymentClaim.email_key == key) if key else set()


def _claims(session: Session, condition: ColumnElement[bool]) -> set[int]:
    return _keys(session, select(PaymentClaim.received_event_id).where(condition))


def _by_chargebee_id(session: Session, text: str) -> set[int]:
    """Every index here begins with Chargebee's id, or with the site, which is then named."""
    sites = select(Integration.id)
    event, applied = ReceivedEvent, PaymentApplication
    found = _keys(
        session, select(event.id).where(event.integration_id.in_(sites), event.event_id == text)
    )
    payments = select(applied.transaction_id).where(
        applied.integration_id.in_(sites), applied.invoice_id == text
    )
    names = {text, *session.scalars(payments.limit(MOST))}
    refunds = select(ChargebeeTransaction.source_id).where(
        ChargebeeTransaction.integration_id.in_(sites), ChargebeeTransaction.external_id == text
    )
    names |= {name for name in session.scalars(refunds.limit(MOST)) if name}
    found |= _of_names(session, names)
    return found | _claims(session, PaymentClaim.chargebee_customer_id == text)


def _of_names(session: Session, names: Iterable[str]) -> set[int]:
    """Events that tell of payments with these Chargebee ids, or take them back."""
    wanted = sorted(names)
    waiting = select(WaitingEvent.received_event_id).where(WaitingEvent.external_id.in_(wanted))
    return _claims(session, PaymentClaim.chargebee_transaction_id.in_(wanted)) | _keys(
        session, waiting
    )


def _by_event(session: Session, key: int) -> set[int]:
    return {key}


def _by_transaction(session: Session, key: int) -> set[int]:
    row = session.get(Transaction, key)
    return _of_names(session, [row.chargebee_transaction_id]) if row else set()


def _by_reward(session: Session, key: int) -> set[int]:
    row = session.get(Reward, key)
    return _by_transaction(session, row.transaction_id) if row else set()


def _by_customer(session: Session, key: int) -> set[int]:
    if session.get(Customer, key) is None:
        return set()
    value = PropertyValue
    mine = (
        select(value.value)
        .join(PropertyDefinition, PropertyDefinition.id == value.definition_id)
        .where(PropertyDefinition.key == CUSTOMER_ID, value.subject_id == key)
    )
    names = list(session.scalars(mine.limit(MOST)))
    return _claims(session, PaymentClaim.chargebee_customer_id.in_(names)) if names else set()


_BY_ID: dict[str, Any] = {
    "evt": _by_event, "txn": _by_transaction, "rew": _by_reward, "cus": _by_customer,
}  # fmt: skip
