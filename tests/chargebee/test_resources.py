import json
from typing import Any

import pytest

from rewards_service.chargebee import resources
from rewards_service.chargebee.canonical import LONGEST_KEPT_TEXT
from rewards_service.chargebee.resources import CREDIT_NOTE, CUSTOMER, INVOICE, TRANSACTION
from rewards_service.chargebee.wire import BadPayload
from tests.builders import chargebee


def read(kind: str, payload: dict[str, Any], deleted: bool = False) -> resources.Mirrored:
    return resources.read(kind, payload, deleted, False, "/at")


class TestRead:
    def test_a_long_text_is_kept_cut_but_compared_whole(self) -> None:
        payload = chargebee.customer("c", "a@x.example", company="x" * 20_000)

        found = resources.read(CUSTOMER, payload, False, True, "/at")
        other = resources.read(CUSTOMER, {**payload, "company": "x" * 20_001}, False, True, "/at")

        assert len(json.loads(found.body)["company"]) == LONGEST_KEPT_TEXT
        assert found.body == other.body
        assert found.body_sha256 != other.body_sha256

    @pytest.mark.parametrize(("said", "event_says", "gone"), [(True, False, True),
                             (False, True, True), (False, False, False)])  # fmt: skip
    def test_is_deleted_when_it_or_its_event_says_so(
        self, said: bool, event_says: bool, gone: bool
    ) -> None:
        payload = chargebee.customer("c") | {"deleted": said}

        assert read(CUSTOMER, payload, event_says).deleted is gone

    def test_is_of_version_0_when_it_has_none(self) -> None:
        """DOMAIN: resource_version or 0."""
        payload = chargebee.customer("c")
        del payload["resource_version"]

        assert read(CUSTOMER, payload).resource_version == 0

    @pytest.mark.parametrize(
        ("kind", "payload", "member", "value"),
        [
            (INVOICE, chargebee.invoice("i", "c", 1), "total", "1"),
            (INVOICE, chargebee.invoice("i", "c", 1), "currency_code", "ZZZ"),
            (INVOICE, chargebee.invoice("i", "c", 1), "customer_id", None),
            (INVOICE, chargebee.invoice("i", "c", 1), "line_items", {}),
            (INVOICE, chargebee.invoice("i", "c", 1), "price_type", ["tax_inclusive"]),
            (INVOICE, chargebee.invoice("i", "c", 1), "write_off_amount", -1),
            (INVOICE, chargebee.invoice("i", "c", 1), "status", 5),
            (INVOICE, chargebee.invoice("i", "c", 1), "deleted", "false"),
            (TRANSACTION, chargebee.payment("t", "c", 1, {}), "amount", True),
            (TRANSACTION, chargebee.payment("t", "c", 1, {}), "resource_version", 1.5),
            (TRANSACTION, chargebee.payment("t", "c", 1, {}), "linked_invoices", [None]),
            (TRANSACTION, chargebee.refund("r", "t", 1), "amount", None),
            (TRANSACTION, chargebee.refund("r", "t", 1), "refunded_txn_id", 7),
            (TRANSACTION, chargebee.refund("r", "t", 1), "linked_credit_notes", "none"),
            (CREDIT_NOTE, chargebee.credit_note("n", "i", 1), "total", 1.0),
            (CREDIT_NOTE, chargebee.credit_note("n", "i", 1), "type", None),
            (CREDIT_NOTE, chargebee.credit_note("n", "i", 1), "price_type", True),
            (CUSTOMER, chargebee.customer("c"), "id", ""),
            (CUSTOMER, chargebee.customer("c"), "email", ["a@x.example"]),
        ],
    )
    def test_a_member_that_money_needs_must_be_right(
        self, kind: str, payload: dict[str, Any], member: str, value: object
    ) -> None:
        """DOMAIN "Outcome of an event": missing, null or wrongly typed is bad_payload."""
        read(kind, payload)
        with pytest.raises(BadPayload, match=member):
            read(kind, {**payload, member: value})


class TestTransaction:
    def test_lists_what_it_applied_in_its_order(self) -> None:
        """DOMAIN M18: an invoice named twice counts once, with both shares."""
        payload = chargebee.payment("t", "c", 100, {"b": 60, "a": 20})
        payload["linked_invoices"].append({"invoice_id": "b", "applied_amount": 20})

        assert read(TRANSACTION, payload).applications == [("b", 80), ("a", 20)]

    def test_cannot_apply_more_than_it_brought(self) -> None:
        """DOMAIN M18."""
        with pytest.raises(BadPayload, match="linked_invoices"):
            read(TRANSACTION, chargebee.payment("t", "c", 100, {"a": 60, "b": 41}))

    @pytest.mark.parametrize("member", ["refunded_txn_id", "reference_transaction_id"])
    @pytest.mark.parametrize("kind", ["refund", "payment_reversal"])
    def test_takes_back_the_payment_it_names(self, member: str, kind: str) -> None:
        """DOMAIN A2: refunded_txn_id or reference_transaction_id."""
        payload = chargebee.refund("r", "unused", 10, type=kind)
        del payload["refunded_txn_id"]

        assert read(TRANSACTION, {**payload, member: "t"}).columns["source_id"] == "t"

    def test_a_payment_takes_nothing_back(self) -> None:
        payload = chargebee.payment("t", "c", 1, {}, reference_transaction_id="earlier")

        assert read(TRANSACTION, payload).columns["source_id"] is None

    def test_credit_notes_say_where_a_refund_belongs(self) -> None:
        """DOMAIN A2."""
        payload = chargebee.refund("r", "t", 10, notes={"a": 4, "b": 6})
        payload["linked_credit_notes"].append({"cn_id": "CN", "applied_amount": 1})

        assert read(TRANSACTION, payload).refund_notes == [
            ("CN-r-a", "a", 4), ("CN-r-b", "b", 6), ("CN", None, 1),
        ]  # fmt: skip

    def test_an_authorization_needs_no_amount(self) -> None:
        payload = chargebee.payment("t", "c", 1, {}, type="authorization")
        del payload["amount"]

        assert read(TRANSACTION, payload).columns["amount_minor"] == 0


class TestCreditNote:
    def test_sums_its_lines(self) -> None:
        """DOMAIN A3."""
        lines = [{"amount": 100, "tax_amount": 20}, {"amount": 50, "discount_amount": 10}]
        found = read(CREDIT_NOTE, chargebee.credit_note("n", "i", 160, line_items=lines)).columns

        assert (found["net_minor"], found["gross_minor"], found["total_minor"]) == (140, 160, 160)

    @pytest.mark.parametrize(("sub_total", "net"), [(100, 100), (None, 120)])
    def test_without_lines_its_sub_total_counts(self, sub_total: object, net: int) -> None:
        payload = chargebee.credit_note("n", "i", 120, line_items=[], sub_total=sub_total)

        assert read(CREDIT_NOTE, payload).columns["net_minor"] == net


class TestCustomerName:
    @pytest.mark.parametrize(
        ("customer", "name"),
        [({"company": "ACME", "first_name": "Ada"}, "ACME"),
         ({"company": " ", "first_name": "Ada", "last_name": "L"}, "Ada L"),
         ({"last_name": "L"}, "L"), ({}, None), ({"company": ["x"], "first_name": 5}, None)],
    )  # fmt: skip
    def test_is_the_company_or_the_person(self, customer: dict[str, Any], name: str | None) -> None:
        assert resources.customer_name(customer) == name
