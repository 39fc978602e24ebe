"""Payouts, schedules and exchange rates over HTTP."""

from base64 import b64encode
from typing import Any

import pytest

from tests.builders.api import Caller, Json
from tests.payouts.books import Books, public

PDF = b"%PDF-1.7 an invoice"
WANTED = {"currency": "USD", "cut_off": "2026-04-01"}


def encoded(content: bytes) -> str:
    return b64encode(content).decode()


def do(api: Caller, payout: str, what: str, **body: Any) -> Json:
    answer = api.call("POST", f"/payouts/{payout}/{what}", json=body)
    assert answer.status_code == 200, answer.text
    return dict(answer.get_json())


@pytest.fixture
def ann(books: Books) -> int:
    """A partner with 10.00 approved."""
    key = books.partner("Ann", paypal_email="ann@pay.example")
    books.reward(key, 1_000)
    return key


def make(api: Caller, **wanted: Any) -> Json:
    (made,) = api.create("/payouts", **WANTED, **wanted)["data"]
    return dict(made)


class TestPayouts:
    def test_a_person_takes_a_reward_out_of_a_payout_only_by_cancelling_it(
        self, api: Caller, books: Books, ann: int
    ) -> None:
        """DOMAIN V2, V6: one by one or in bulk, nothing is left on a list that pays it."""
        key, (reward,) = make(api)["id"], public([1], "rew")
        answer = api.call("POST", f"/rewards/{reward}/approve", json={})
        refused = dict(answer.get_json())
        assert (refused["status"], refused["code"]) == (409, "unlawful_move")
        assert "cancel that payout" in refused["detail"]
        bulk = {"ids": [reward], "action": "approve"}
        many = api.call("POST", "/rewards/bulk", json=bulk).get_json()
        assert many["results"][0]["ok"] is False
        assert books.status(1) == ["in_payout"]

        do(api, key, "cancel", reason="wrong month")
        assert books.status(1) == ["approved"]

    def test_the_way_of_a_payout(self, api: Caller, books: Books, ann: int) -> None:
        """DOMAIN V6."""
        made = make(api)
        key = made["id"]
        assert (made["status"], made["total_minor"], made["cut_off"]) == (
            "draft", 1_000, "2026-04-01",
        )  # fmt: skip
        assert books.status(1) == ["in_payout"]

        assert do(api, key, "submit")["status"] == "pending"
        invoice = {"document": encoded(PDF), "media_type": "application/pdf"}
        attached = do(api, key, "invoice", invoice_number="R-7", **invoice)
        assert attached["invoice_number"] == "R-7"
        assert do(api, key, "accept")["status"] == "ready"
        paid = do(api, key, "mark-paid", paid_on="2026-04-02", reference="PP-1")

        assert (paid["status"], paid["paid_on"], paid["reference"]) == (
            "paid", "2026-04-02", "PP-1",
        )  # fmt: skip
        assert books.status(1) == ["paid"]
        document = api.call("GET", f"/payouts/{key}/invoice")
        assert (document.data, document.mimetype) == (PDF, "application/pdf")

    def test_a_wrong_step_is_refused_with_what_is_possible(self, api: Caller, ann: int) -> None:
        key = make(api)["id"]
        problem = api.refused("POST", f"/payouts/{key}/mark-paid", 409)

        assert problem["code"] == "payout_wrong_status"
        assert "pending or cancelled" in problem["detail"]

    def test_a_dry_run_says_what_would_be_made_and_makes_nothing(
        self, api: Caller, ann: int
    ) -> None:
        answer = api.call("POST", "/payouts", json={**WANTED, "dry_run": True})
        found = answer.get_json()

        assert (answer.status_code, found["dry_run"]) == (200, True)
        assert [(p["id"], p["total_minor"]) for p in found["data"]] == [(None, 1_000)]
        assert api.get("/payouts")["data"] == []
        assert make(api)["total_minor"] == 1_000

    def test_who_is_left_out_is_told_with_the_reason(
        self, api: Caller, books: Books, ann: int
    ) -> None:
        """DOMAIN V4, V6."""
        bob = books.partner("Bob")
        both = public([ann, bob], "par")
        found = api.create("/payouts", **WANTED, partner_ids=both, threshold_minor=5_000)

        assert found["data"] == []
        assert found["left_out"] == [
            {"partner_id": both[0], "reason": "below_threshold", "balance_minor": 1_000,
             "currency": "USD"},
            {"partner_id": both[1], "reason": "nothing_due", "balance_minor": 0,
             "currency": "USD"},
        ]  # fmt: skip

    def test_lines_are_shown_and_paged(self, api: Caller, books: Books, ann: int) -> None:
        for amount in (200, 300):
            books.reward(ann, amount)
        key = make(api)["id"]
        shown = api.get(f"/payouts/{key}")
        first = api.get(f"/payouts/{key}/lines", limit=2)
        rest = api.get(f"/payouts/{key}/lines", limit=2, cursor=first["next_cursor"])

        assert [line["amount_minor"] for line in shown["lines"]] == [1_000, 200, 300]
        assert first["data"] + rest["data"] == shown["lines"]
        assert (shown["line_count"], rest["next_cursor"]) == (3, None)
        assert shown["lines"][0]["chargebee_invoice_id"] == "inv1"

    def test_the_list_has_filters(self, api: Caller, books: Books, ann: int) -> None:
        key = make(api)["id"]
        (partner,) = public([ann], "par")
        matching = {"partner_id": partner, "status": "draft", "currency": "USD"}
        missing = {"partner_id": public([99], "par")[0], "status": "paid", "currency": "EUR"}

        assert [p["id"] for p in api.get("/payouts", **matching)["data"]] == [key]
        for name, value in missing.items():
            assert api.get("/payouts", **{name: value})["data"] == []

    def test_cancelled_it_gives_its_rewards_back(self, api: Caller, ann: int) -> None:
        """DOMAIN V2."""
        key = make(api)["id"]
        assert do(api, key, "cancel", reason="too early")["status"] == "cancelled"

        assert make(api)["total_minor"] == 1_000

    def test_a_request_that_makes_no_sense_is_refused_by_its_member(self, api: Caller) -> None:
        cases: tuple[Json, ...] = (
            {"cut_off": "2026-02-30"}, {"cut_off": "0001-01-01"}, {"cut_off": 20260401},
            {"currency": "usd"}, {"partner_ids": []}, {"partner_ids": ["par_4zqsxdqv6b6nn"]},
            {"threshold_minor": -1}, {"surprise": 1},
        )  # fmt: skip
        for case in cases:
            found = api.pointers("POST", "/payouts", **{**WANTED, **case})
            assert found == [f"/{name}" for name in case]


class TestInvoice:
    def test_a_document_is_what_it_says_it_is(self, api: Caller, ann: int) -> None:
        path = f"/payouts/{make(api)['id']}/invoice"
        cases = (
            {"document": encoded(PDF), "media_type": "image/png"},
            {"document": encoded(b"%PDF-" + b"x" * 655_360), "media_type": "application/pdf"},
            {"document": "no base64!", "media_type": "application/pdf"},
            {"document": encoded(PDF)},
        )
        for case in cases:
            assert api.pointers("POST", path, invoice_number="R", **case) == ["/document"]
        assert api.call("GET", path).status_code == 404

    def test_a_later_one_takes_its_place(self, api: Caller, ann: int) -> None:
        key = make(api)["id"]
        document = {"media_type": "application/pdf"}
        do(api, key, "invoice", invoice_number="R-1", document=encoded(PDF), **document)
        do(api, key, "invoice", invoice_number="R-2", document=encoded(PDF + b"2"), **document)

        assert api.get(f"/payouts/{key}")["invoice_number"] == "R-2"
        assert api.call("GET", f"/payouts/{key}/invoice").data == PDF + b"2"
        do(api, key, "cancel")
        problem = api.refused("POST", f"/payouts/{key}/invoice", 409, invoice_number="R-3")
        assert problem["code"] == "payout_wrong_status"


class TestExports:
    def test_a_file_comes_with_its_name_and_hash_and_is_listed(self, api: Caller, ann: int) -> None:
        """DOMAIN V6."""
        key = make(api)["id"]
        do(api, key, "submit")
        do(api, key, "accept")
        answer = api.call("GET", f"/payouts/{key}/export?format=paypal")
        (kept,) = api.get(f"/payouts/{key}")["exports"]

        assert answer.data.startswith(b"ann@pay.example,10.00,USD,")
        assert answer.headers["X-Content-SHA256"] == kept["sha256"]
        assert kept["file_name"] in answer.headers["Content-Disposition"]
        many = api.call("POST", "/payouts/export", json={"ids": [key], "format": "paypal"})
        assert (many.data, many.headers["X-Parts"]) == (answer.data, "1")

    def test_it_says_why_there_is_no_file(self, api: Caller, ann: int) -> None:
        key = make(api)["id"]
        path = f"/payouts/{key}/export"
        assert api.refused("GET", f"{path}?format=sepa", 409)["code"] == "payout_wrong_status"
        do(api, key, "submit")
        do(api, key, "accept")

        assert api.refused("GET", f"{path}?format=wise", 409)["code"] == "payout_details_missing"
        assert api.refused("GET", f"{path}?format=sepa", 422)["code"] == "mixed_payouts"
        assert api.call("GET", f"{path}?format=csv").status_code == 200
        assert api.call("GET", f"{path}?format=doc").status_code == 422


class TestBalances:
    def test_they_show_each_currency_by_itself(self, api: Caller, books: Books, ann: int) -> None:
        """DOMAIN V4."""
        books.pay(books.payout())
        books.take_back(1, 400)
        books.reward(ann, 300)
        books.reward(ann, 50, status="pending")
        books.reward(ann, 70, currency="EUR")
        books.payout(ann, currency="EUR")
        (partner,) = public([ann], "par")
        found = api.get("/payouts/balances", partner_id=partner)["balances"]
        zero = dict.fromkeys(
            ("pending_minor", "approved_minor", "available_minor", "in_payout_minor",
             "paid_minor", "owed_back_minor"), 0,
        )  # fmt: skip

        assert found == [
            {**zero, "currency": "EUR", "in_payout_minor": 70},
            {**zero, "currency": "USD", "pending_minor": 50, "approved_minor": 300,
             "available_minor": -100, "paid_minor": 1_000, "owed_back_minor": 400},
        ]  # fmt: skip
