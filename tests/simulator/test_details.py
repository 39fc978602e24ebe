"""Corners of the simulated business: trials, discounts, declined cards, what is refused."""

from typing import Any

import pytest

from rewards_service.simulator.books import differences
from rewards_service.simulator.site import Row
from rewards_service.simulator.verbs import say
from tests.simulator.site_calls import Caller

PRICE = {"item_price_id": ["pro-USD-monthly"]}


@pytest.fixture
def caller() -> Caller:
    caller = Caller()
    say(caller.site, "stock")
    caller.tell("/customers", id="ada", email="a@b.example", card={"number": "4111"})
    return caller


def subscribe(caller: Caller, **more: Any) -> Any:
    status, found = caller.tell(
        "/customers/ada/subscription_for_items", id="sub", subscription_items=PRICE, **more
    )
    assert status == 200, found
    return found


def totals(caller: Caller) -> list[int]:
    return [row["total"] for row in caller.site.tables["invoice"].rows.values()]


class TestTrial:
    def test_it_is_billed_when_it_ends(self, caller: Caller) -> None:
        found = subscribe(caller, trial_end=caller.site.now + 14 * 86_400)
        say(caller.site, "wait", days=15)
        row = caller.site.find("subscription", "sub")

        assert "invoice" not in found
        assert (found["subscription"]["status"], row["status"]) == ("in_trial", "active")
        assert totals(caller) == [4_500]


class TestDiscounts:
    @pytest.mark.parametrize(
        ("discount", "expected"),
        [
            ({"percentage": [10]}, [4_050, 4_050, 4_050]),
            ({"percentage": [10], "duration_type": ["one_time"]}, [4_050, 4_500, 4_500]),
            ({"amount": [500], "duration_type": ["forever"]}, [4_000, 4_000, 4_000]),
            (
                {"amount": [9_999], "apply_on": ["specific_item_price"],
                 "item_price_id": ["pro-USD-monthly"]},
                [0, 0, 0],
            ),
            (
                {"percentage": [50], "duration_type": ["limited_period"], "period": [2],
                 "period_unit": ["month"]},
                [2_250, 2_250, 4_500],
            ),
        ],
    )  # fmt: skip
    def test_they_count_as_long_as_they_last(
        self, caller: Caller, discount: dict[str, Any], expected: list[int]
    ) -> None:
        subscribe(caller, discounts=discount)
        for _ in range(2):
            say(caller.site, "wait", days=31)

        assert totals(caller) == expected
        assert differences(caller.site) == []


class TestCards:
    def bill(self, caller: Caller) -> str:
        return str(say(caller.site, "bill", customer_id="ada", amount=900)["invoice_id"])

    def test_a_declined_card_is_a_payment_error_and_a_failed_payment(self, caller: Caller) -> None:
        caller.tell("/customers/ada", cf_declined="true")
        invoice = self.bill(caller)
        status, found = caller.tell(f"/invoices/{invoice}/collect_payment")
        row = caller.site.find("invoice", invoice)

        assert (status, found["type"]) == (400, "payment")
        assert (row["amount_due"], len(row["dunning_attempts"])) == (900, 1)

    def test_after_four_failures_dunning_ends(self, caller: Caller) -> None:
        invoice = self.bill(caller)
        for _ in range(4):
            say(caller.site, "fail", invoice_id=invoice)
        row = caller.site.find("invoice", invoice)

        assert (row["status"], row["dunning_status"]) == ("not_paid", "exhausted")

    def test_without_a_card_nothing_can_be_collected(self, caller: Caller) -> None:
        caller.tell("/customers", id="bob")
        invoice = say(caller.site, "bill", customer_id="bob", amount=900)["invoice_id"]
        status, found = caller.tell(f"/invoices/{invoice}/collect_payment")

        assert (status, found["api_error_code"]) == (400, "payment_method_not_present")


class TestOnePrice:
    def test_a_charge_item_is_billed_once_and_by_hand(self, caller: Caller) -> None:
        subscribe_items = {"item_price_id": ["pro-USD-monthly", "setup-USD"]}
        caller.tell("/customers/ada/subscription_for_items", subscription_items=subscribe_items)
        say(caller.site, "wait", days=31)
        caller.tell(
            "/invoices/create_for_charge_items_and_charges",
            customer_id="ada",
            item_prices={"item_price_id": ["setup-USD"], "quantity": [2]},
        )

        assert totals(caller) == [19_500, 4_500, 30_000]


class TestRefusals:
    @pytest.mark.parametrize(
        ("path", "form", "param"),
        [
            ("/customers/ada/subscription_for_items", {}, "subscription_items[item_price_id][0]"),
            (
                "/customers/ada/subscription_for_items",
                {"subscription_items": PRICE, "discounts": {"duration_type": ["forever"]}},
                "discounts[0][percentage]",
            ),
            ("/invoices/create_for_charge_items_and_charges", {"customer_id": "ada"},
             "item_prices"),
            ("/customers", {"meta_data": "[1]"}, "meta_data"),
            ("/customers", {"auto_collection": "maybe"}, "auto_collection"),
            ("/item_prices", {"id": "x", "name": "X", "item_id": "pro", "price": 1,
                              "currency_code": "usd"}, "currency_code"),
            ("/credit_notes", {"reference_invoice_id": "1"}, "type"),
            ("/subscriptions/sub/update_for_items", {}, None),
        ],
    )  # fmt: skip
    def test_the_parameter_at_fault_is_named(
        self, caller: Caller, path: str, form: dict[str, Any], param: str | None
    ) -> None:
        status, found = caller.tell(path, **form)

        assert status == (404 if param is None else 400)
        assert found.get("param") == param

    def test_a_family_with_items_stays(self, caller: Caller) -> None:
        status, found = caller.tell("/item_families/cloud/delete")

        assert (status, found["api_error_code"]) == (409, "invalid_state_for_request")

    def test_a_customer_with_children_or_debts_stays(self, caller: Caller) -> None:
        caller.tell("/customers", id="kid")
        caller.tell("/customers/kid/relationships", parent_id="ada")
        say(caller.site, "bill", customer_id="kid", amount=5)

        assert caller.tell("/customers/ada/delete")[0] == 409
        assert caller.tell("/customers/kid/delete")[0] == 409

    def test_nobody_is_above_himself(self, caller: Caller) -> None:
        caller.tell("/customers", id="kid")
        caller.tell("/customers/kid/relationships", parent_id="ada")

        assert caller.tell("/customers/ada/relationships", parent_id="kid")[0] == 409


class TestBooks:
    def paid(self, caller: Caller) -> dict[str, Row]:
        invoice = say(caller.site, "bill", customer_id="ada", amount=900)["invoice_id"]
        payment = say(caller.site, "pay", invoice_id=invoice)["transaction_id"]
        say(caller.site, "refund", invoice_id=invoice, amount=100)
        [note] = caller.site.tables["credit_note"].rows.values()
        return {
            "invoice": caller.site.find("invoice", invoice),
            "transaction": caller.site.find("transaction", payment),
            "credit_note": note,
        }

    @pytest.mark.parametrize(
        ("kind", "member", "value"),
        [
            ("invoice", "sub_total", 901), ("invoice", "total", 901), ("invoice", "tax", 1),
            ("invoice", "amount_due", 1), ("invoice", "amount_paid", 899),
            ("invoice", "status", "payment_due"), ("invoice", "amount_due", -1),
            ("transaction", "amount", 901), ("transaction", "amount_unused", 1),
            ("transaction", "status", "in_progress"), ("credit_note", "total", 99),
            ("credit_note", "amount_available", 5), ("credit_note", "amount_available", -1),
            ("credit_note", "status", "refund_due"),
        ],
    )  # fmt: skip
    def test_every_wrong_amount_is_found(
        self, caller: Caller, kind: str, member: str, value: object
    ) -> None:
        rows = self.paid(caller)
        before = differences(caller.site)
        rows[kind][member] = value

        assert before == []
        assert differences(caller.site) != []
