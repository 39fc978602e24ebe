"""What people type into a search field of money: ids of any kind, e-mail addresses, numbers."""

from typing import NamedTuple

from sqlalchemy.orm import Session

from rewards_service.crm.listing import list_customers
from rewards_service.kit import ids
from rewards_service.kit.emails import key_or_none
from rewards_service.kit.pages import Paging
from rewards_service.partners.finding import find_partners
from rewards_service.payouts.models import Payout
from rewards_service.rewards.listing import list_rewards
from rewards_service.rewards.models import Reward
from rewards_service.transactions.listing import allocations_of, list_transactions
from rewards_service.transactions.models import Transaction

_ONE = Paging(1)


class Found(NamedTuple):
    """The one thing that was meant, by kind and key, or else a filter of the list's API."""

    kind: str | None = None
    key: int = 0
    name: str = ""
    value: str = ""


def find_reward(session: Session, text: str) -> Found | None:
    """A reward by its id; those of a partner, customer, transaction or invoice. None: nothing.

    Each by what identifies it exactly: public ids, e-mail addresses in any spelling, a partner's
    external id, Chargebee's ids of payments, invoices and customers.
    """
    reward = ids.decode("rew", text)
    if reward is not None and session.get(Reward, reward) is not None:
        return Found("reward", reward)
    transaction = ids.decode("txn", text)
    if transaction is not None:
        return _of_transaction(session, session.get(Transaction, transaction))
    return (
        find_partner(session, text)
        or _customer(session, text)
        or _invoice(session, text)
        or _payment(session, text)
    )


def find_payout(session: Session, text: str) -> Found | None:
    """A payout by its id, those of a partner by id, external id or e-mail. None: nothing."""
    payout = ids.decode("pay", text)
    if payout is not None and session.get(Payout, payout) is not None:
        return Found("payout", payout)
    return find_partner(session, text)


def find_partner(session: Session, text: str) -> Found | None:
    """The one partner that is called so."""
    meant = find_partners(session, [text])[text]
    return _filter("partner_id", "par", meant) if isinstance(meant, int) else None


def _customer(session: Session, text: str) -> Found | None:
    key = ids.decode("cus", text)
    if key is None:
        wanted: dict[str, str | None] = {"chargebee_customer_id": text}
        if "@" in text:
            wanted = {"email_key": key_or_none(text)}
            if wanted["email_key"] is None:
                return None
        rows = list_customers(session, _ONE, wanted).rows
        key = rows[0][0].id if rows else None
    return None if key is None else _filter("customer_id", "cus", key)


def _invoice(session: Session, text: str) -> Found | None:
    rows = list_rewards(session, _ONE, {"chargebee_invoice_id": text}).rows
    return Found(name="chargebee_invoice_id", value=text) if rows else None


def _payment(session: Session, text: str) -> Found | None:
    rows = list_transactions(session, _ONE, {"chargebee_transaction_id": text}).rows
    return _of_transaction(session, rows[0][0] if rows else None)


def _of_transaction(session: Session, row: Transaction | None) -> Found | None:
    """By its invoice; one that paid several, or none, by its customer."""
    if row is None:
        return None
    paid = allocations_of(session, [row.id])[row.id]
    if len(paid) == 1:
        return Found(name="chargebee_invoice_id", value=paid[0]["chargebee_invoice_id"])
    return _filter("customer_id", "cus", row.customer_id)


def _filter(name: str, prefix: str, key: int) -> Found:
    return Found(name=name, value=ids.encode(prefix, key))
