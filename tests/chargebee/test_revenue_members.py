"""Every member that MRR is to be computed from comes out of the object, in its column."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from rewards_service.chargebee import resources
from tests.builders import chargebee
from tests.builders.revenue import item, sold, subscription

EVENTS = Path(__file__).resolve().parent.parent / "payloads" / "chargebee" / "events"
SECONDS = 1_767_225_600
TIME = datetime(2026, 1, 1, tzinfo=UTC)
Json = dict[str, Any]

# Member -> column, by what is said and what is to come of it.
TIMES = {
    "start_date": "start_at", "trial_start": "trial_start_at", "trial_end": "trial_end_at",
    "created_at": "created_at", "started_at": "started_at", "activated_at": "activated_at",
    "current_term_start": "term_start_at", "current_term_end": "term_end_at",
    "next_billing_at": "next_billing_at", "pause_date": "pause_at", "resume_date": "resume_at",
    "cancelled_at": "cancelled_at", "cancel_schedule_created_at": "cancel_scheduled_at",
    "changes_scheduled_at": "changes_scheduled_at", "due_since": "due_since_at",
}  # fmt: skip
NUMBERS = {
    "remaining_billing_cycles": "remaining_billing_cycles", "mrr": "mrr_minor",
    "arr": "arr_minor", "billing_period": "billing_period",
}  # fmt: skip
WORDS = {
    "customer_id": "customer_id", "status": "status", "cancel_reason": "cancel_reason",
    "cancel_reason_code": "cancel_reason_code", "business_entity_id": "business_entity_id",
    "billing_period_unit": "billing_period_unit",
}  # fmt: skip
LINE = {
    "id": "li", "amount": 12_000, "discount_amount": 1_500, "item_level_discount_amount": 500,
    "tax_amount": 2_100, "unit_amount": 6_000, "quantity": 2, "pricing_model": "per_unit",
    "metered": False, "proration_mode": "delta", "reference_line_item_id": "li_0",
    "entity_type": "plan_item_price", "entity_id": "pro", "subscription_id": "s",
    "date_from": SECONDS, "date_to": SECONDS,
}  # fmt: skip
PAYLOAD = chargebee.invoice(
    "i", "c", 12_600, line_items=[LINE], recurring=True, first_invoice=True, voided_at=SECONDS,
    dunning_status="in_progress", has_advance_charges=False, exchange_rate=1.25,
    local_currency_code="EUR", local_currency_exchange_rate=0.8,
    exchange_rates=[{"currency_code": "GBP", "rate": 0.85}], cf_po="PO 1",
    line_item_discounts=[{"line_item_id": "li", "discount_type": "item_level_coupon",
                          "coupon_id": "C", "entity_id": "C", "discount_amount": 500}],
    discounts=[{"amount": 1_500, "entity_type": "document_level_coupon", "entity_id": "D"}],
    line_item_taxes=[{"line_item_id": "li", "tax_name": "VAT", "tax_rate": 20.0,
                      "tax_amount": 2_100, "taxable_amount": 10_500}],
    taxes=[{"name": "VAT", "amount": 2_100}],
)  # fmt: skip


def read(kind: str, payload: Json) -> resources.Mirrored:
    return resources.read(kind, payload)


def part(found: resources.Mirrored, name: str) -> Json:
    (row,) = found.parts[name]
    return row


class TestSubscription:
    def test_its_own_members(self) -> None:
        payload = subscription("s") | dict.fromkeys(TIMES, SECONDS) | dict.fromkeys(NUMBERS, 7)
        payload |= dict.fromkeys(WORDS, "word") | {
            "exchange_rate": 0.92, "base_currency_code": "EUR", "has_scheduled_changes": True,
            "decommissioned": False, "cf_Region": "North", "meta_data": {"b": 1, "a": [2]},
        }  # fmt: skip
        found = read("subscription", payload).columns

        assert {found[column] for column in TIMES.values()} == {TIME}
        assert {found[column] for column in NUMBERS.values()} == {7}
        assert {found[column] for column in WORDS.values()} == {"word"}
        assert (found["currency"], found["base_currency"], found["exchange_rate"]) == (
            "USD", "EUR", "0.92",
        )  # fmt: skip
        assert (found["has_scheduled_changes"], found["decommissioned"]) == (True, False)
        assert found["custom_fields"] == '{"cf_Region":"North"}'
        assert found["meta_data"] == '{"a":[2],"b":1}'

    def test_an_item_is_named_as_on_invoice_lines(self) -> None:
        bought = item(
            "pro", 9_000, 2, free_quantity=1, billing_period=3, billing_period_unit="month",
            billing_cycles=4, trial_end=SECONDS, service_period_days=90, metered_quantity="1.50",
            quantity_in_decimal="2.50", unit_price_in_decimal="45.10", amount_in_decimal="9.0",
            charge_on_event="plan_activation", proration_type="full_term",
            current_term_start=SECONDS,
        )  # fmt: skip
        found = part(read("subscription", subscription("s", subscription_items=[bought])), "items")

        assert (found["entity_type"], found["entity_id"]) == ("plan_item_price", "pro")
        assert (found["amount_minor"], found["quantity"], found["unit_minor"]) == (9_000, 2, 4_500)
        assert (found["billing_period"], found["billing_period_unit"]) == (3, "month")
        assert (found["quantity_in_decimal"], found["unit_in_decimal"]) == ("2.5", "45.1")
        assert (found["metered_quantity"], found["trial_end_at"]) == ("1.5", TIME)

    def test_the_plan_and_addons_of_the_older_catalogue_are_items_too(self) -> None:
        payload = subscription(
            "s", plan_id="gold", plan_quantity=3, plan_unit_price=100, plan_amount=300,
            addons=[{"id": "extra", "quantity": 2, "unit_price": 50, "amount": 100}],
        )  # fmt: skip
        del payload["subscription_items"]
        found = read("subscription", payload).parts["items"]

        assert [
            (one["position"], one["entity_type"], one["entity_id"], one["quantity"],
             one["unit_minor"], one["amount_minor"])
            for one in found
        ] == [(0, "plan", "gold", 3, 100, 300), (1, "addon", "extra", 2, 50, 100)]  # fmt: skip
        assert len({tuple(sorted(one)) for one in found}) == 1

    def test_discounts_coupons_tiers_and_the_contract_hang_on_it(self) -> None:
        discount = {
            "id": "d", "type": "percentage", "percentage": Decimal("12.50"), "duration_type":
            "limited_period", "period": 3, "period_unit": "month", "apply_on": "invoice_amount",
            "apply_till": SECONDS, "applied_count": 1, "included_in_mrr": False, "index": 2,
        }  # fmt: skip
        found = read(
            "subscription",
            subscription(
                "s", discounts=[discount], coupons=[{"coupon_id": "c", "apply_till": SECONDS}],
                item_tiers=[{"item_price_id": "pro", "starting_unit": 1, "price": 900, "index": 0}],
                contract_term={"id": "t", "status": "active", "contract_end": SECONDS,
                               "billing_cycle": 12, "total_contract_value": 54_000,
                               "action_at_term_end": "renew", "cancellation_cutoff_period": 30},
            ),
        )  # fmt: skip
        given, term = part(found, "discounts"), part(found, "terms")

        assert (given["percentage"], given["duration_type"], given["period"]) == (
            "12.5", "limited_period", 3,
        )  # fmt: skip
        assert (given["included_in_mrr"], given["apply_till_at"]) == (False, TIME)
        assert part(found, "coupons")["coupon_id"] == "c"
        assert part(found, "tiers")["price_minor"] == 900
        assert (term["end_at"], term["value_minor"], term["action_at_end"]) == (
            TIME, 54_000, "renew",
        )  # fmt: skip
        assert (term["billing_cycles"], term["cutoff_period_days"]) == (12, 30)


class TestInvoice:
    def test_its_own_members(self) -> None:
        found = read("invoice", PAYLOAD).columns

        assert (found["recurring"], found["first_invoice"], found["has_advance_charges"]) == (
            True, True, False,
        )  # fmt: skip
        assert (found["dunning_status"], found["voided_at"]) == ("in_progress", TIME)
        assert (found["exchange_rate"], found["local_exchange_rate"]) == ("1.25", "0.8")
        assert json.loads(found["exchange_rates"]) == {"GBP": "0.85"}
        assert found["custom_fields"] == '{"cf_po":"PO 1"}'

    def test_its_lines(self) -> None:
        line = part(read("invoice", PAYLOAD), "lines")

        assert (line["discount_minor"], line["item_discount_minor"]) == (1_500, 500)
        assert (line["unit_minor"], line["quantity"], line["pricing_model"]) == (
            6_000, 2, "per_unit",
        )  # fmt: skip
        assert (line["metered"], line["proration_mode"], line["reference_line_id"]) == (
            False, "delta", "li_0",
        )  # fmt: skip
        assert (line["service_from_at"], line["subscription_id"]) == (TIME, "s")

    @pytest.mark.parametrize("kind", ["invoice", "credit_note"])
    def test_discounts_and_taxes_by_the_whole_and_by_line(self, kind: str) -> None:
        found = read(kind, PAYLOAD | {"type": "adjustment"})

        assert [
            (one["kind"], one["level"], one["line_id"], one["discount_type"], one["amount_minor"])
            for one in found.parts["discounts"]
        ] == [
            (kind, "document", None, "document_level_coupon", 1_500),
            (kind, "line", "li", "item_level_coupon", 500),
        ]
        assert [
            (one["level"], one["name"], one["rate"], one["amount_minor"], one["taxable_minor"])
            for one in found.parts["taxes"]
        ] == [("document", "VAT", None, 2_100, None), ("line", "VAT", "20", 2_100, 10_500)]


class TestCreditNote:
    def test_a_voided_one_has_nothing_that_adds_up(self) -> None:
        """reference: voided credit notes are excluded from the mirror."""
        payload = chargebee.credit_note("n", "i", 100, taxes=[{"name": "VAT", "amount": 5}])
        standing, voided = (
            read("credit_note", payload | {"status": status}) for status in ("adjusted", "voided")
        )

        assert (len(standing.parts["lines"]), len(standing.parts["taxes"])) == (1, 1)
        assert voided.parts == {"lines": [], "discounts": [], "taxes": []}
        assert voided.columns["total_minor"] == 100


class TestCatalog:
    def test_an_item_and_its_price(self) -> None:
        price = sold(
            "item_price", "pro-USD", item_id="pro", item_type="plan", pricing_model="tiered",
            currency_code="USD", price=900, period=3, period_unit="month", free_quantity=1,
            tiers=[{"starting_unit": 1, "ending_unit": 9, "price": 900, "pricing_type": "per_unit"},
                   {"starting_unit": 10, "price_in_decimal": "8.50"}],
        )  # fmt: skip
        found = read("item_price", price)
        thing = read("item", sold("item", "pro", type="plan", metered=True, included_in_mrr=False,
                                  item_family_id="cloud", metadata={"a": 1}))  # fmt: skip

        assert {name: found.columns[name] for name in ("item_id", "price_minor", "period")} == {
            "item_id": "pro", "price_minor": 900, "period": 3,
        }  # fmt: skip
        tiers = [(one["starting_unit"], one["price_in_decimal"]) for one in found.parts["tiers"]]
        assert tiers == [(1, None), (10, "8.5")]
        assert (thing.columns["kind"], thing.columns["metered"]) == ("plan", True)
        assert (thing.columns["included_in_mrr"], thing.columns["meta_data"]) == (False, '{"a":1}')

    def test_the_older_catalogue(self) -> None:
        plan = read("plan", sold("plan", "gold", charge_model="volume", setup_cost=50))
        addon = read("addon", sold("addon", "extra", type="quantity", charge_type="recurring"))

        assert (plan.columns["pricing_model"], plan.columns["setup_cost_minor"]) == ("volume", 50)
        assert (addon.columns["pricing_model"], addon.columns["charge_type"]) == (
            "quantity", "recurring",
        )  # fmt: skip

    @pytest.mark.parametrize("kind", ["plan", "addon", "item", "item_price", "item_family"])
    def test_is_deleted_when_its_status_says_so(self, kind: str) -> None:
        """Plans and addons have no member `deleted`."""
        assert not read(kind, sold(kind, "x")).deleted
        assert read(kind, sold(kind, "x", status="deleted")).deleted


def test_a_gift_names_both_sides() -> None:
    event = json.loads((EVENTS / "real_pc1_gift_claimed.json").read_bytes())
    found = read("gift", event["content"]["gift"]).columns

    assert found["receiver_subscription_id"] == "XpbGHg6R6eJKiWBM"
    assert (found["gifter_customer_id"], found["status"]) == ("XpbGHg6R6eJKRxB2", "claimed")
