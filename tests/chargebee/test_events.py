import copy
from collections.abc import Callable

import pytest

from rewards_service.chargebee.events import HANDLED, Reading, read_event
from tests.builders import chargebee
from tests.builders.chargebee import Json, epoch, paid, refunded


def read(event: Json) -> Reading:
    return read_event(event["event_type"], event, 1_000)


def changed(change: Callable[[Json], object]) -> Reading:
    """A payment of cb1 for invoice inv_1, with one thing about it changed."""
    event = copy.deepcopy(paid("1", "cb1", "ada@x.example"))
    change(event)
    return read(event)


class TestPayment:
    def test_says_who_paid_what_and_when(self) -> None:
        found = read(paid("1", "cb1", " Ada@X.example ", day=3)).payment

        assert found is not None
        assert (found.transaction_id, found.customer_id) == ("txn_1", "cb1")
        assert (found.email, found.email_key) == ("Ada@X.example", "ada@x.example")
        assert found.paid_at == chargebee.at(3)

    def test_the_time_is_the_transactions_not_the_events(self) -> None:
        """DOMAIN M1."""
        found = changed(lambda e: e.update(occurred_at=epoch(9))).payment

        assert found is not None
        assert found.paid_at == chargebee.at(0)

    def test_counts_for_the_customer_of_the_invoice_it_paid(self) -> None:
        """DOMAIN M14: a parent pays; the invoice is its child's."""

        def parent_pays(event: Json) -> None:
            event["content"]["invoice"].update(customer_id="child", payment_owner="cb1")

        found = changed(parent_pays).payment

        assert found is not None
        assert found.customer_id == "child"

    def test_an_invoice_that_it_did_not_pay_is_only_mirrored(self) -> None:
        """DOMAIN M18."""
        found = changed(lambda e: e["content"]["invoice"].update(id="other", customer_id="x"))

        assert found.payment is not None
        assert found.payment.customer_id == "cb1"
        assert [item.external_id for item in found.objects] == ["cb1", "other", "txn_1"]

    @pytest.mark.parametrize("owner", ["nobody", None, ""])
    def test_a_payer_who_is_neither_customer_nor_owner_is_unsafe(self, owner: object) -> None:
        """DOMAIN M14."""

        def stranger_pays(event: Json) -> None:
            event["content"]["transaction"]["customer_id"] = "stranger"
            event["content"]["invoice"]["payment_owner"] = owner

        found = changed(stranger_pays)

        assert (found.end, found.quarantined, found.objects) == ("customer_mismatch", True, [])

    @pytest.mark.parametrize("email", [None, "", "  ", "\u200b"])
    def test_without_an_email_it_is_still_a_payment(self, email: object) -> None:
        """DOMAIN E1: no key, no quarantine."""
        found = read(paid("1", "cb1", email)).payment

        assert found is not None
        assert found.email_key is None

    @pytest.mark.parametrize(
        ("part", "member", "value"),
        [
            ("transaction", "status", "failure"),
            ("transaction", "status", "in_progress"),
            ("transaction", "type", "refund"),
            ("transaction", "deleted", True),
            ("transaction", "date", None),
            ("transaction", "date", 4_102_444_800),
            ("transaction", "customer_id", None),
            ("transaction", "currency_code", "EUR"),
            ("customer", "email", ["a@x.example"]),
            ("customer", "email", "a\x00@x.example"),
            ("customer", "email", "a\ud800@x.example"),
            ("customer", "id", None),
            ("invoice", "currency_code", "usd"),
        ],
    )
    def test_what_is_no_successful_payment_is_quarantined(
        self, part: str, member: str, value: object
    ) -> None:
        """DOMAIN E1, M1, M18, "Outcome of an event"."""
        found = changed(lambda e: e["content"][part].update({member: value}))

        assert (found.end, found.quarantined) == ("bad_payload", True)
        assert found.detail
        assert found.payment is None

    @pytest.mark.parametrize("part", ["transaction", "customer"])
    def test_its_parts_must_be_there(self, part: str) -> None:
        assert changed(lambda e: e["content"].pop(part)).end == "bad_payload"

    @pytest.mark.parametrize("at", [None, 946_684_799, 4_102_444_800, "1767225600", 1.5])
    def test_its_event_must_have_a_time(self, at: object) -> None:
        """DOMAIN "Outcome of an event": occurred_at outside 2000-2100."""
        assert changed(lambda e: e.update(occurred_at=at)).end == "bad_payload"

    def test_an_invoice_is_not_needed(self) -> None:
        assert changed(lambda e: e["content"].pop("invoice")).payment is not None


class TestApiV1:
    def test_is_refused_by_its_word_and_by_its_shape(self) -> None:
        def as_v1(event: Json) -> None:
            invoice = event["content"]["invoice"]
            invoice["amount"] = invoice.pop("total")

        for found in (changed(lambda e: e.update(api_version="v1")), changed(as_v1)):
            assert (found.end, found.quarantined) == ("api_v1", True)


class TestTakesBack:
    @pytest.mark.parametrize(
        ("event_type", "content", "expected"),
        [
            ("payment_refunded", chargebee.refund("r", "t", 1), ("transaction", "t")),
            ("refund_initiated", chargebee.refund("r", "t", 1, status="in_progress"), None),
            ("transaction_updated", chargebee.refund("r", "t", 1, status="failure"), None),
            ("transaction_created", chargebee.refund("r", "t", 1, type="payment_reversal"),
             ("transaction", "t")),
            ("transaction_updated", chargebee.payment("t", "c", 1, {}, status="late_failure"),
             ("transaction", "t")),
            ("payment_failed", chargebee.payment("t", "c", 1, {}, status="late_failure"),
             ("transaction", "t")),
            ("transaction_updated", chargebee.payment("t", "c", 1, {}, status="voided"),
             ("transaction", "t")),
            ("transaction_deleted", chargebee.payment("t", "c", 1, {}), ("transaction", "t")),
            ("transaction_updated", chargebee.payment("t", "c", 1, {}), None),
            ("payment_failed", chargebee.payment("t", "c", 1, {}, status="failure"), None),
        ],
    )  # fmt: skip
    def test_a_settled_reversal_names_its_payment(
        self, event_type: str, content: Json, expected: object
    ) -> None:
        """DOMAIN A2, V3: an open refund takes nothing back."""
        found = read(chargebee.event("ev", event_type, transaction=content))

        assert (found.takes_back, found.end) == (expected, None)

    def test_one_that_names_no_payment_is_still_a_reversal(self) -> None:
        event = refunded("r", "t", 1)
        del event["content"]["transaction"]["refunded_txn_id"]

        assert read(event).takes_back == ("transaction", None)

    @pytest.mark.parametrize(
        ("event_type", "status", "expected"),
        [("invoice_updated", "voided", ("invoice", "i")), ("invoice_updated", "paid", None),
         ("invoice_deleted", "paid", ("invoice", "i"))],
    )  # fmt: skip
    def test_a_voided_invoice_takes_back_what_paid_it(
        self, event_type: str, status: str, expected: object
    ) -> None:
        """DOMAIN A2, A14."""
        invoice = chargebee.invoice("i", "c", 1, status=status)

        assert read(chargebee.event("ev", event_type, invoice=invoice)).takes_back == expected

    def test_a_credit_note_alone_takes_nothing_back(self) -> None:
        """DOMAIN A2: a refundable note without a settled refund moves no cash."""
        note = chargebee.credit_note("n", "i", 1, kind="refundable")

        assert (
            read(chargebee.event("ev", "credit_note_created", credit_note=note)).takes_back is None
        )


class TestReadEvent:
    @pytest.mark.parametrize("name", ["payment_suceeded", "", "coupon_created", "Ü"])
    def test_other_types_are_ignored_whatever_they_hold(self, name: str) -> None:
        """DOMAIN "Which Chargebee events matter"."""
        found = read_event(name, {"content": {"transaction": 5}}, 1)

        assert (found.end, found.quarantined, found.objects) == ("ignored", False, [])

    def test_a_deleted_event_is_final_for_its_own_object_only(self) -> None:
        invoice = chargebee.invoice("i", "c", 1)
        event = chargebee.event("ev", "customer_deleted", customer=chargebee.customer("c"),
                                invoice=invoice)  # fmt: skip
        found = read(event)

        assert [(item.kind, item.deleted) for item in found.objects] == [
            ("customer", True), ("invoice", False),
        ]  # fmt: skip

    def test_objects_in_lists_are_mirrored_too(self) -> None:
        notes = [chargebee.credit_note(name, "i", 1) for name in "ab"]
        event = chargebee.event("ev", "invoice_updated", invoice=chargebee.invoice("i", "c", 1))
        event["content"]["credit_notes"] = notes

        assert [item.external_id for item in read(event).objects] == ["i", "a", "b"]

    def test_several_invoices_are_no_invoice_that_was_paid(self) -> None:
        """DOMAIN M18: `content.invoice` is one; with more it cannot be said whose payment it is."""
        event = chargebee.paid("a", "c", "a@x.example")
        event["content"]["invoice"] = [event["content"]["invoice"]]

        assert read(event).end == "bad_payload"

    @pytest.mark.parametrize("event_type", sorted(HANDLED))
    def test_the_object_an_event_is_about_must_be_there(self, event_type: str) -> None:
        found = read(chargebee.event("ev", event_type))

        assert (found.end, found.quarantined) == ("bad_payload", True)
