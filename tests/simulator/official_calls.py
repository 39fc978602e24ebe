"""One script for Chargebee's own Python client, whatever answers at the address.

Run against the simulator it shows behaviour; run against a mock server of openapi.json as well it
shows that both give the same types and raise the same exceptions. Calls that are to be refused
carry `Prefer: code=...`, which makes the mock server refuse and which nobody else reads.
"""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from chargebee import Chargebee
from chargebee.api_error import APIError

Outcome = Mapping[str, str]  # member: type of its value, or the exception


def client(address: str, key: str) -> Any:
    """Chargebee's client for `http://host:port`; it must have the host in two parts."""
    host, _, port = urlsplit(address).netloc.partition(":")
    first, _, rest = host.rpartition(".")
    first, _, second = first.rpartition(".")
    Chargebee.verify_ca_certs = False
    return Chargebee(key, first, f"{second}.{rest}:{port}", "http")


def shape(value: Any) -> dict[str, str]:
    """The types of an answer's members and of theirs; members that are None are left out."""
    found = {}
    for name, member in vars(value).items():
        if member is None or name in ("headers", "http_status_code", "response"):
            continue
        found[name] = type(member).__name__
        first = member[0] if isinstance(member, list) and member else member
        if hasattr(first, "raw_data") or type(first).__name__.endswith("Response"):
            found |= {
                f"{name}.{inner}": type(inside).__name__
                for inner, inside in vars(first).items()
                if inside is not None and inner != "raw_data"
            }
    return found


def disagreements(ours: Outcome, theirs: Outcome) -> list[str]:
    """Members that both have with other types (a whole number may stand for a number)."""
    numbers = {"int", "float"}
    return [
        f"{name}: {ours[name]}, {theirs[name]}"
        for name in ours.keys() & theirs.keys()
        if ours[name] != theirs[name] and {ours[name], theirs[name]} != numbers
    ]


class Script:
    """Makes the calls one after another and keeps what came of each, by its name."""

    def __init__(self, address: str, key: str, webhook_url: str) -> None:
        self.cb = client(address, key)
        self.stranger = client(address, "")
        self.webhook_url = webhook_url
        self.outcomes: dict[str, Outcome] = {}

    def call(self, name: str, operation: Callable[..., Any], *given: Any) -> Any:
        """The answer, or None when it was refused."""
        try:
            answer = operation(*given)
        except APIError as error:
            refused = {"raised": type(error).__name__, "status": str(error.http_status_code)}
            self.outcomes[name] = refused
            return None
        self.outcomes[name] = {"answer": type(answer).__name__, **shape(answer)}
        return answer

    def refused(self, name: str, status: int, operation: Callable[..., Any], *given: Any) -> None:
        self.call(name, operation, *given, {"Prefer": f"code={status}"})

    def run(self) -> dict[str, Outcome]:
        self._catalogue()
        customer = self._customers()
        invoice = self._subscriptions(customer)
        self._money(customer, invoice)
        self._notes(customer)
        self._log()
        self._refusals()
        return self.outcomes

    def _catalogue(self) -> None:
        cb, call = self.cb, self.call
        call("family create", cb.ItemFamily.create, {"id": "fam", "name": "Family"})
        call("family get", cb.ItemFamily.retrieve, "fam")
        call("family update", cb.ItemFamily.update, "fam", {"description": "All of it"})
        call("family list", cb.ItemFamily.list, {"limit": 5})
        item = {"id": "team", "name": "Team", "type": "plan", "item_family_id": "fam"}
        call("item create", cb.Item.create, item)
        call("item get", cb.Item.retrieve, "team")
        call("item list", cb.Item.list, {"type": {"in": ["plan", "addon"]}})
        price = {
            "id": "team-USD", "name": "Team USD", "item_id": "team", "price": 4500,
            "currency_code": "USD", "pricing_model": "per_unit", "period": 1,
            "period_unit": "month",
        }  # fmt: skip
        call("price create", cb.ItemPrice.create, price)
        call("price get", cb.ItemPrice.retrieve, "team-USD")
        call("price update", cb.ItemPrice.update, "team-USD", {"price": 5000})
        call("price list", cb.ItemPrice.list, {"item_id": {"is": "team"}})

    def _customers(self) -> str:
        cb, call = self.cb, self.call
        person = {
            "id": "ada", "email": "ada@sdk.example", "first_name": "Ada",
            "billing_address": {"city": "Paris", "country": "FR"}, "card": {"number": "4111"},
        }  # fmt: skip
        call("customer create", cb.Customer.create, person)
        call("customer child", cb.Customer.create, {"id": "child", "email": "kid@sdk.example"})
        call("customer get", cb.Customer.retrieve, "ada")
        call("customer update", cb.Customer.update, "ada", {"company": "Ada & Co"})
        call("customer list", cb.Customer.list, {"email": {"is": "ada@sdk.example"}, "limit": 2})
        owners = {"parent_id": "ada", "payment_owner_id": "ada", "invoice_owner_id": "ada"}
        call("customer relate", cb.Customer.relationships, "child", owners)
        excess = {"amount": 700, "date": 1_767_225_600, "payment_method": "cash"}
        call("customer excess", cb.Customer.record_excess_payment, "ada", {"transaction": excess})
        return "ada"

    def _subscriptions(self, customer: str) -> str:
        cb, call = self.cb, self.call
        items = [{"item_price_id": "team-USD", "quantity": 2}]
        wanted = {"id": "sub", "subscription_items": items}
        made = call("subscription create", cb.Subscription.create_with_items, customer, wanted)
        call("subscription get", cb.Subscription.retrieve, "sub")
        more = {"subscription_items": [{"item_price_id": "team-USD", "quantity": 3}]}
        call("subscription change", cb.Subscription.update_for_items, "sub", more)
        call("subscription list", cb.Subscription.list, {"status": {"is": "active"}})
        call("subscriptions of customer", cb.Subscription.subscriptions_for_customer, customer)
        call("subscription cancel", cb.Subscription.cancel_for_items, "sub", {"end_of_term": True})
        return str(getattr(made.invoice, "id", None) or "1")

    def _money(self, customer: str, invoice: str) -> None:
        cb, call = self.cb, self.call
        charge = {
            "customer_id": customer, "currency_code": "USD", "auto_collection": "off",
            "charges": [{"amount": 9000, "description": "Work"}],
        }  # fmt: skip
        made = call("invoice create", cb.Invoice.create_for_charge_items_and_charges, charge)
        key = made.invoice.id or invoice
        cash = {"amount": 4000, "payment_method": "cash", "date": 1_767_225_600}
        paid = call("invoice pay", cb.Invoice.record_payment, key, {"transaction": cash})
        call("invoice get", cb.Invoice.retrieve, key)
        call("invoice list", cb.Invoice.list, {"status": {"in": ["paid", "payment_due"]}})
        call("invoices of customer", cb.Invoice.invoices_for_customer, customer, {"limit": 3})
        call("payments of invoice", cb.Transaction.payments_for_invoice, key)
        call("invoice refund", cb.Invoice.refund, invoice, {"refund_amount": 500})
        back = {"amount": 100, "payment_method": "cash", "date": 1_767_225_700}
        call("invoice record refund", cb.Invoice.record_refund, key, {"transaction": back})
        payment = paid.transaction.id or "txn"
        call("transaction get", cb.Transaction.retrieve, payment)
        wanted = {"type": {"is": "payment"}, "amount": {"between": [1, 100_000]}}
        call("transaction list", cb.Transaction.list, wanted)
        call("transactions of customer", cb.Transaction.transactions_for_customer, customer)
        hand = {"amount": 50, "payment_method": "cash", "date": 1_767_225_800}
        call("transaction record refund", cb.Transaction.record_refund, payment, hand)

    def _notes(self, customer: str) -> None:
        cb, call = self.cb, self.call
        charge = {
            "customer_id": customer, "currency_code": "USD", "auto_collection": "off",
            "charges": [{"amount": 3000, "description": "More work"}],
        }  # fmt: skip
        made = call("second invoice", cb.Invoice.create_for_charge_items_and_charges, charge)
        key = made.invoice.id or "2"
        wanted = {"reference_invoice_id": key, "type": "adjustment", "total": 300}
        note = call("note create", cb.CreditNote.create, wanted)
        note_id = note.credit_note.id or "CN-1"
        call("note get", cb.CreditNote.retrieve, note_id)
        call("note list", cb.CreditNote.list, {"customer_id": {"is": customer}})
        call("note void", cb.CreditNote.void_credit_note, note_id)
        call("invoice write off", cb.Invoice.write_off, key)
        third = call("third invoice", cb.Invoice.create_for_charge_items_and_charges, charge)
        call("invoice void", cb.Invoice.void_invoice, third.invoice.id or "3")

    def _log(self) -> None:
        cb, call = self.cb, self.call
        found = call("event list", cb.Event.list, {"limit": 3, "sort_by": {"asc": "occurred_at"}})
        types = {"event_type": {"in": ["payment_succeeded", "payment_refunded"]}}
        call("event list of types", cb.Event.list, types)
        call("event get", cb.Event.retrieve, found.list[0].event.id or "ev")
        hook = {
            "name": "Rewards", "url": self.webhook_url, "api_version": "v2",
            "basic_auth_username": "u", "basic_auth_password": "p",
            "enabled_events": ["payment_succeeded"],
        }  # fmt: skip
        made = call("endpoint create", cb.WebhookEndpoint.create, hook)
        key = made.webhook_endpoint.id or "whv2"
        call("endpoint get", cb.WebhookEndpoint.retrieve, key)
        call("endpoint update", cb.WebhookEndpoint.update, key, {"disabled": True})
        call("endpoint list", cb.WebhookEndpoint.list)
        call("endpoint delete", cb.WebhookEndpoint.delete, key)

    def _refusals(self) -> None:
        cb, refused = self.cb, self.refused
        refused("no such customer", 404, cb.Customer.retrieve, "nobody")
        refused("no such invoice", 404, cb.Invoice.retrieve, "nothing", None)
        refused("customer twice", 400, cb.Customer.create, {"id": "ada"})
        refused("price without item", 400, cb.ItemPrice.create, {"id": "x", "name": "x",
                                                                "item_id": ""})  # fmt: skip
        refused("nothing to refund", 409, cb.Invoice.refund, "3", {"refund_amount": 1})
        refused("voided twice", 409, cb.CreditNote.void_credit_note, "CN-3", None)
        refused("limit too high", 400, cb.Customer.list, {"limit": 100, "offset": "nonsense"})
        refused("wrong key", 401, self.stranger.Customer.list, {"limit": 1})
