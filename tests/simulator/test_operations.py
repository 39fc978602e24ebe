"""Every call that changes something does what it says; its answer fits the description."""

import re
from typing import Any

import pytest

from rewards_service.simulator.books import differences
from rewards_service.simulator.routes import WRITES
from tests.simulator.schemas import spec
from tests.simulator.site_calls import Caller


class Walk:
    """Calls a site and notes which paths were called; every call must succeed."""

    def __init__(self) -> None:
        self.caller = Caller()
        self.called: set[str] = set()

    def tell(self, path: str, /, **form: Any) -> Any:
        status, found = self.caller.tell(path, **form)
        assert status == 200, found
        parts = path.split("/")
        pattern = "/".join([*parts[:2], "*", *parts[3:]]) if len(parts) > 2 else path
        self.called.add(path if path in WRITES else pattern)
        assert differences(self.caller.site) == []
        return found

    def bill(self, customer: str, amount: int) -> str:
        found = self.tell(
            "/invoices/create_for_charge_items_and_charges",
            customer_id=customer,
            auto_collection="off",
            charges={"amount": [amount], "description": ["Work"]},
        )
        return str(found["invoice"]["id"])

    def pay(self, invoice: str, amount: int) -> Any:
        given = {"amount": amount, "payment_method": "cash", "date": 1_767_225_600}
        return self.tell(f"/invoices/{invoice}/record_payment", transaction=given)["transaction"]


@pytest.fixture(scope="module")
def walk() -> Walk:
    walk = Walk()
    _catalogue(walk)
    _people(walk)
    _subscriptions(walk)
    _payments(walk)
    _refunds(walk)
    _notes(walk)
    _ends(walk)
    return walk


def _catalogue(walk: Walk) -> None:
    walk.tell("/item_families", id="fam", name="Family")
    walk.tell("/item_families/fam", description="All")
    item = {"type": "plan", "item_family_id": "fam"}
    walk.tell("/items", id="pro", name="Pro", **item)
    walk.tell("/items/pro", description="Best")
    price = {"item_id": "pro", "price": 4_500, "currency_code": "USD", "pricing_model": "per_unit"}
    walk.tell("/item_prices", id="pro-USD", name="Pro", period=1, period_unit="month", **price)
    walk.tell("/item_prices/pro-USD", price=5_000)
    walk.tell("/plans", id="basic", name="Basic", price=900)
    walk.tell("/plans/basic", description="Old")
    walk.tell("/addons", id="data", name="Data", price=95)
    walk.tell("/addons/data", unit="GB")
    for kind in ("plans", "addons"):
        walk.tell(f"/{kind}", id="gone", name="Gone", price=1)
        walk.tell(f"/{kind}/gone/delete")
    walk.tell("/item_families", id="gone", name="Gone")
    walk.tell("/items", id="gone", name="Gone", type="plan", item_family_id="gone")
    walk.tell("/item_prices", id="gone", name="Gone", item_id="gone", price=1)
    for kind in ("item_prices", "items", "item_families"):
        walk.tell(f"/{kind}/gone/delete")


def _people(walk: Walk) -> None:
    walk.tell("/customers", id="ada", email="a@b.example", card={"number": "4111"})
    walk.tell("/customers", id="kid", email="k@b.example")
    walk.tell("/customers/ada", company="Ada & Co")
    walk.tell("/customers/ada/update_billing_info", billing_address={"country": "US"})
    owners = {"parent_id": "ada", "payment_owner_id": "ada", "invoice_owner_id": "ada"}
    row = walk.tell("/customers/kid/relationships", **owners)["customer"]
    assert row["relationship"]["root_id"] == "ada"
    members = walk.caller.ask(
        "/customers/kid/hierarchy", hierarchy_operation_type="complete_hierarchy"
    )
    assert [line["customer_id"] for line in members[1]["hierarchies"]] == ["ada", "kid"]
    assert "relationship" not in walk.tell("/customers/kid/delete_relationship")["customer"]


def _subscriptions(walk: Walk) -> None:
    items = {"item_price_id": ["pro-USD"], "quantity": [2]}
    made = walk.tell("/customers/ada/subscription_for_items", id="sub", subscription_items=items)
    assert (made["invoice"]["total"], made["invoice"]["status"]) == (10_000, "paid")
    assert made["subscription"]["mrr"] == 10_000
    more = {"item_price_id": ["pro-USD"], "quantity": [3]}
    made = walk.tell("/subscriptions/sub/update_for_items", subscription_items=more)
    assert made["invoice"]["total"] == 5_000
    less = {"item_price_id": ["pro-USD"], "quantity": [1]}
    made = walk.tell("/subscriptions/sub/update_for_items", subscription_items=less)
    assert made["credit_notes"][0]["total"] == 5_000  # what the newest invoice bears of it
    made = walk.tell("/subscriptions/sub/cancel_for_items", end_of_term="true")
    assert made["subscription"]["status"] == "non_renewing"
    old = {"plan_id": "basic", "addons": {"id": ["data"]}}
    made = walk.tell("/customers/ada/subscriptions", id="old", **old)
    assert [line["entity_type"] for line in made["invoice"]["line_items"]] == ["plan", "addon"]
    walk.tell("/subscriptions/old", plan_quantity=2)
    walk.tell("/subscriptions/old/cancel", credit_option_for_current_term_charges="prorate")
    assert walk.tell("/subscriptions/old/delete")["subscription"]["deleted"] is True


def _payments(walk: Walk) -> None:
    first = walk.bill("ada", 9_000)
    assert walk.pay(first, 4_000)["amount_unused"] == 0
    assert walk.tell(f"/invoices/{first}/collect_payment")["invoice"]["status"] == "paid"
    given = {"amount": 700, "payment_method": "cash", "date": 1_767_225_600}
    spare = walk.tell("/customers/ada/record_excess_payment", transaction=given)
    assert spare["customer"]["excess_payments"] == 700
    second = walk.bill("ada", 1_000)
    assert walk.tell(f"/invoices/{second}/apply_payments")["invoice"]["amount_due"] == 300
    by_hand = walk.pay(second, 300)
    walk.tell(f"/transactions/{by_hand['id']}/delete_offline_transaction")
    again = walk.pay(second, 300)
    assert walk.tell(f"/transactions/{again['id']}/void")["transaction"]["status"] == "voided"
    walk.tell(f"/invoices/{second}/write_off")


def _refunds(walk: Walk) -> None:
    invoice = walk.bill("ada", 6_000)
    payment = walk.tell(f"/invoices/{invoice}/collect_payment")["transaction"]
    made = walk.tell(f"/invoices/{invoice}/refund", refund_amount=1_000)
    assert made["transaction"]["refunded_txn_id"] == payment["id"]
    assert made["credit_note"]["status"] == "refunded"
    by_hand = {"amount": 500, "payment_method": "cash", "date": 1_767_225_600}
    made = walk.tell(f"/invoices/{invoice}/record_refund", transaction=by_hand)
    assert made["transaction"]["reference_transaction_id"] == payment["id"]
    made = walk.tell(f"/transactions/{payment['id']}/refund", amount=250)
    assert made["transaction"]["amount"] == 250
    walk.tell(
        f"/transactions/{payment['id']}/record_refund",
        amount=250,
        payment_method="cash",
        date=1_767_225_600,
    )
    status, found = walk.caller.tell(f"/invoices/{invoice}/refund", refund_amount=4_001)
    assert (status, found["param"]) == (400, "refund_amount")


def _notes(walk: Walk) -> None:
    invoice = walk.bill("ada", 3_000)
    note = {"reference_invoice_id": invoice, "type": "adjustment", "total": 500}
    first = walk.tell("/credit_notes", **note)["credit_note"]["id"]
    assert walk.tell(f"/credit_notes/{first}/void")["credit_note"]["status"] == "voided"
    second = walk.tell("/credit_notes", **note)["credit_note"]["id"]
    assert walk.tell(f"/credit_notes/{second}/delete")["credit_note"]["deleted"] is True
    walk.tell(f"/invoices/{invoice}/collect_payment")
    line = walk.caller.ask(f"/invoices/{invoice}")[1]["invoice"]["line_items"][0]["id"]
    lines = {"reference_line_item_id": [line], "amount": [200]}
    back = {"reference_invoice_id": invoice, "type": "refundable"}
    third = walk.tell("/credit_notes", line_items=lines, **back)["credit_note"]
    assert (third["total"], third["status"]) == (200, "refund_due")
    paid = walk.tell(f"/credit_notes/{third['id']}/refund")
    assert paid["credit_note"]["status"] == "refunded"
    fourth = walk.tell("/credit_notes", total=100, **back)["credit_note"]["id"]
    cash = {"payment_method": "cash"}
    walk.tell(f"/credit_notes/{fourth}/record_refund", transaction=cash)
    fifth = walk.tell("/credit_notes", total=300, **back)["credit_note"]["id"]
    other = walk.bill("ada", 1_000)
    found = walk.tell(f"/invoices/{other}/apply_credits", credit_notes={"id": [fifth]})
    assert found["invoice"]["credits_applied"] == 300


def _ends(walk: Walk) -> None:
    items = {"item_price_id": ["pro-USD"]}
    gift = walk.tell(
        "/gifts/create_for_items",
        gifter={"customer_id": "ada"},
        gift_receiver={"customer_id": "kid"},
        subscription_items=items,
    )
    assert (gift["invoice"]["is_gifted"], gift["invoice"]["customer_id"]) == (True, "ada")
    walk.tell(f"/gifts/{gift['gift']['id']}/claim")
    invoice = walk.bill("ada", 100)
    payment = walk.pay(invoice, 100)
    walk.tell(f"/invoices/{invoice}/void")
    freed = walk.caller.ask(f"/transactions/{payment['id']}")[1]["transaction"]
    assert (freed["amount_unused"], freed["linked_invoices"]) == (100, [])
    walk.tell(f"/invoices/{walk.bill('kid', 100)}/delete")
    assert walk.tell("/customers/kid/delete")["customer"]["deleted"] is True


class TestEveryWrite:
    def test_every_path_was_called(self, walk: Walk) -> None:
        assert walk.called == set(WRITES)

    def test_the_books_add_up_after_all_of_it(self, walk: Walk) -> None:
        assert differences(walk.caller.site) == []

    def test_every_described_write_exists(self) -> None:
        described = {
            re.sub(r"\{\w+\}", "*", path)
            for path, methods in spec()["paths"].items()
            if "post" in methods and not path.startswith("/webhook_endpoints")
        }

        assert described - set(WRITES) == set()
