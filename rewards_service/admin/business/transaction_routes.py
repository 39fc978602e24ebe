"""Transactions: payments of known customers, what they earned, and why some earned nothing."""

from collections.abc import Sequence
from itertools import chain
from typing import Any, NamedTuple

from flask.typing import ResponseReturnValue
from markupsafe import Markup
from sqlalchemy.orm import Session

from rewards_service.admin.activity import activity_of
from rewards_service.admin.business import trail
from rewards_service.admin.business.naming import Names
from rewards_service.admin.business.searching import NOTHING, Sought, answer, understood
from rewards_service.admin.business.sharing import Sharing
from rewards_service.admin.business.verdicts import explain
from rewards_service.admin.cells import badge, foreign, status
from rewards_service.admin.layout import moment, money
from rewards_service.admin.lists import Column, Empty, Filter, ListView
from rewards_service.admin.pages import Pages, show
from rewards_service.admin.places import link_to, place_of
from rewards_service.admin.tones import worded
from rewards_service.audit.subjects import public_id
from rewards_service.chargebee.console import CUSTOMERS, INVOICES, TRANSACTIONS
from rewards_service.crm.listing import chargebee_ids
from rewards_service.crm.listing import list_customers as customers_with
from rewards_service.crm.models import Customer
from rewards_service.crm.queries import customers_by_id
from rewards_service.inbox.models import ReceivedEvent
from rewards_service.integrations.models import Integration
from rewards_service.kit.pages import Page, Paging
from rewards_service.kit.web import current_session, path_key
from rewards_service.mirror import queries as mirror
from rewards_service.properties.names import INVOICE_ID, TRANSACTION_ID
from rewards_service.transactions import listing
from rewards_service.transactions.models import Transaction
from rewards_service.transactions.standing import CHARGEBACK, SUCCESS

blueprint = Pages("transactions_pages", url_prefix="/transactions")

READ = "transactions:read"
_ANY = Paging(1, descending=True, after=None)
_TWO = Paging(2, descending=True, after=None)


class Row(NamedTuple):
    """A transaction as the list shows it."""

    payment: Transaction
    customer: Markup
    partner: Markup


class Refund(NamedTuple):
    """Money that went back, or is about to."""

    link: Markup
    what: str
    state: str
    amount_minor: int
    currency: str
    at: Any


@blueprint.page("", permission=READ)
def list_transactions() -> ResponseReturnValue:
    """The newest first."""
    return answer(VIEW, SOUGHT, "business/list.html", new=None, imports=None, noun="")


@blueprint.page("/<transaction_id>", permission=READ)
def show_transaction(transaction_id: str) -> ResponseReturnValue:
    """A payment: where it came from, what it earned by which rule, or why nothing."""
    session = current_session()
    payment = listing.get_transaction(session, path_key("txn", transaction_id))
    site, key = payment.integration_id, (payment.integration_id, payment.chargebee_transaction_id)
    names = Names(session, customers=[payment.customer_id], sites=[site])
    story = trail.story_of(session, payment.customer_id, payment)
    event = session.get(ReceivedEvent, payment.received_event_id)
    refunds = [_refund(row, names) for row in mirror.refunds_of(session, [key])[key]]
    return show(
        "business/transaction.html", payment=payment, transaction_id=transaction_id,
        customer=names.customer(payment.customer_id),
        explained=explain(session, payment), story=story, chain=trail.chain_of(session, story),
        properties=_properties(session, payment, names), refunds=refunds, foreign=foreign,
        invoices=_invoices(session, payment, names), integration=session.get(Integration, site),
        lines=activity_of(session, "transaction", payment.id),
        happened=_happened(payment, event, refunds, story.rewards),
    )  # fmt: skip


def _properties(session: Session, payment: Transaction, names: Names) -> list[tuple[str, Markup]]:
    """The properties of Chargebee, and of the customer its id at this site."""
    held = listing.properties_of(session, [payment.id])[payment.id]
    site = payment.integration_id
    name = getattr(session.get(Integration, site), "site", None)
    payers = chargebee_ids(session, [payment.customer_id])[payment.customer_id]
    lists = (
        ("ChargeBee Customer ID", CUSTOMERS, [one["id"] for one in payers if one["site"] == name]),
        ("Chargebee Transaction ID", TRANSACTIONS, held[TRANSACTION_ID]),
        ("Chargebee Invoice ID", INVOICES, held[INVOICE_ID]),
    )
    return [
        (title, Markup(", ").join(names.console(site, records, value) for value in values))
        for title, records, values in lists
    ]


def _happened(
    payment: Transaction, event: ReceivedEvent | None, refunds: Sequence[Refund],
    rewards: Sequence[trail.RewardLine],
) -> list[tuple[Any, str, Any, str]]:  # fmt: skip
    """The lines of `detail.timeline`, in the order of time."""
    steps = [
        (payment.occurred_at, "Paid in Chargebee", money(payment.amount_minor, payment.currency),
         "success"),
        (payment.created_at, "Recorded", "", "neutral"),
    ]  # fmt: skip
    if event is not None:
        steps.append((event.received_at, "Chargebee told of it",
                      link_to("event", event.id, f"{event.event_type}, by {event.source}"),
                      "neutral"))  # fmt: skip
    steps += [
        (one.at, one.what, money(one.amount_minor, one.currency), "warning")
        for one in refunds if one.at is not None
    ]  # fmt: skip
    steps += [
        (line.reward.created_at, "Reward worked out", link_to("reward", line.reward.id), "info")
        for line in rewards
    ]
    return sorted(steps, key=lambda step: step[0])


def _refund(row: Any, names: Names) -> Refund:
    is_dispute = row.kind == "payment_reversal" or row.payment_method == CHARGEBACK
    state = "done" if row.status == SUCCESS and not row.deleted else str(row.status)
    return Refund(
        names.console(row.integration_id, TRANSACTIONS, row.external_id),
        "Chargeback" if is_dispute else worded(row.kind).capitalize(), state,
        row.amount_minor, row.currency, row.dated_at,
    )  # fmt: skip


def _invoices(session: Session, payment: Transaction, names: Names) -> list[dict[str, Any]]:
    """Invoices that it was applied to, as Chargebee told of them last, with their lines."""
    site = payment.integration_id
    applied = listing.allocations_of(session, [payment.id])[payment.id]
    keys = [(site, one["chargebee_invoice_id"]) for one in applied]
    known, lines = mirror.invoices(session, keys), mirror.lines_of(session, keys)
    notes = mirror.adjustment_notes(session, keys)
    return [
        {
            "link": names.console(site, INVOICES, key[1]),
            "row": known.get(key),
            "applied_minor": one["amount_minor"],
            "lines": lines[key],
            "credited_minor": sum(note.total_minor for note in notes[key]),
        }
        for key, one in zip(keys, applied, strict=True)
    ]


def _fetch(session: Session, paging: Paging, chosen: dict[str, str]) -> Page:
    wanted = understood(chosen)
    if wanted is None:
        return NOTHING
    page = listing.list_transactions(session, paging, wanted)
    payments = [row[0] for row in page.rows]
    payers = customers_by_id(session, sorted({one.customer_id for one in payments}))
    paying = {customer.id: customer for customer in payers}
    sharing = Sharing(session, paying)
    partners = [sharing.of_payment(one, paying.get(one.customer_id)) for one in payments]
    names = Names(session, chain(*partners), paying)
    rows: Any = [
        Row(one, names.customer(one.customer_id), names.partners(some))
        for one, some in zip(payments, partners, strict=True)
    ]
    return Page(rows, page.last)


def _by_chargebee(session: Session, text: str) -> dict[str, str]:
    """An id of Chargebee's: of a payment if there is one, else of an invoice."""
    if listing.list_transactions(session, _ANY, {TRANSACTION_ID: text}).rows:
        return {TRANSACTION_ID: text}
    return {INVOICE_ID: text}


def _by_email(session: Session, text: str) -> dict[str, str] | None:
    """The customer with this e-mail, if it is one alone; else nothing fits."""
    wanted = understood({"email": text})
    found = customers_with(session, _TWO, wanted).rows if wanted else []
    customers: list[Customer] = [row[0] for row in found]
    if len(customers) != 1:
        return None
    return {"customer_id": public_id("customer", customers[0].id)}


def _earned(payment: Transaction) -> Markup:
    if payment.reason is None:
        return badge("earned", "success")
    return badge(worded(payment.reason), "neutral")


SOUGHT = Sought(TRANSACTION_ID, _by_chargebee, _by_email)
VIEW = ListView(
    title="Transactions",
    lead="Payments of known customers. Each says what it earned, or why it earned nothing.",
    columns=(
        Column("Payment", lambda row: foreign(row.payment.chargebee_transaction_id)),
        Column("Paid", lambda row: moment(row.payment.occurred_at)),
        Column("Customer", lambda row: row.customer),
        Column("Partner", lambda row: row.partner, priority=2),
        Column("Status", lambda row: status(row.payment.status), priority=2),
        Column("Reward", lambda row: _earned(row.payment), priority=3),
        Column("Amount", lambda row: money(row.payment.amount_minor, row.payment.currency),
               align="end"),
    ),
    fetch=_fetch,
    row=lambda row: row,
    link=lambda row: place_of("transaction", row.payment.id) or "",
    filters=(
        Filter(TRANSACTION_ID, "Chargebee id, our id, or e-mail", kind="search"),
        Filter("partner_id", "Partner (e-mail or id)"),
        Filter("customer_id", "Customer (id)"),
        Filter(INVOICE_ID, "Chargebee Invoice ID"),
        Filter("occurred_at[gte]", "Paid from", kind="date"),
        Filter("occurred_at[lt]", "Paid before", kind="date"),
    ),
    export="/files/transactions",
    empty=Empty("receipt", "No transactions yet.",
                "They come with payments in Chargebee, once a customer is known.",
                (("Payments that found nobody", "unmatched_pages.list_unmatched", "link-off"),),
                by_payments=True),
)  # fmt: skip
