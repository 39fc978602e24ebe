"""Payouts on their way, their contents, invoices and files."""

import re

import pytest

from rewards_service.kit import ids
from rewards_service.partners.models import Partner
from rewards_service.payouts.models import ExchangeRate, Payout, PayoutInvoice
from rewards_service.rewards.models import LedgerEntry
from tests.admin.conftest import Enter
from tests.admin.money.conftest import statuses
from tests.admin.money.payouts import PDF, TODAY, make, only, plain, upload
from tests.admin.visitor import Visitor
from tests.builders.chargebee import paid
from tests.builders.whole import violations
from tests.builders.world import World

ENGLISH = {"Accept-Language": "en"}


class TestWay:
    def test_from_draft_to_paid_with_the_totals_restated(
        self, finance: Visitor, place: str, due: World
    ) -> None:
        draft = finance.get(place, **ENGLISH).text
        assert re.search(r'aria-current="step">.*?Draft', draft, re.S)
        finance.post(f"{place}/submit")
        assert "reviews it" in finance.get(place).text
        attached = finance.post(f"{place}/invoice", **upload("R-7", PDF))
        assert attached.status_code == 303
        finance.post(f"{place}/accept")
        asked = plain(finance.get(f"{place}/pay", **ENGLISH).text)

        for words in ("$60.00 as paid?", "To Ann", "Currency USD", "Rewards 3", "Invoice R-7"):
            assert words in asked
        assert only(due, Payout).status == "ready"
        for day in ("2999-01-01", "1969-12-31", "2026-02-30", "２０２６-01-01", "soon"):
            wrong = finance.post(f"{place}/pay", paid_on=day, reference="PP-1")
            assert wrong.status_code == 422
            assert 'id="paid_on-error"' in wrong.text
            assert "Not a day such as 2026-01-31, between 1970 and 2199." in wrong.text
        early = finance.post(f"{place}/pay", paid_on="2199-12-31", reference="PP-1")
        assert "This day has not come yet" in early.text
        done = finance.post(f"{place}/pay", paid_on=TODAY, reference="PP-1")
        assert done.status_code == 303
        page = finance.get(place).text
        assert "PP-1" in page
        assert "Mark as paid" not in page
        assert "Give it up" not in page
        assert statuses(due) == ["paid"] * 3
        assert finance.get(f"{place}/pay").headers["Location"] == place

    def test_steps_that_are_not_lawful_are_refused_in_words(
        self, finance: Visitor, place: str, due: World
    ) -> None:
        finance.post(f"{place}/accept")
        assert "can become pending or cancelled" in finance.get(place).text
        early = finance.post(f"{place}/pay", paid_on=TODAY)
        assert early.headers["Location"] == place
        assert "only one that is ready is marked as paid" in finance.get(place).text
        assert only(due, Payout).status == "draft"

    def test_who_comes_second_is_told_that_nothing_was_changed(
        self, finance: Visitor, place: str, due: World
    ) -> None:
        for step in ("submit", "accept"):
            finance.post(f"{place}/{step}")
            finance.post(f"{place}/{step}")
            assert "already: nothing was changed" in finance.get(place).text
        finance.post(f"{place}/pay", paid_on=TODAY, reference="PP-1")
        entries = len(due.all(LedgerEntry))
        for form in ({"paid_on": TODAY, "reference": "PP-2"}, {"paid_on": ""}):
            assert finance.post(f"{place}/pay", **form).headers["Location"] == place
            assert "The payout is paid: only one that is ready" in finance.get(place).text
        late = finance.post(f"{place}/cancel", **{"cancel-reason": "Wrong month"})
        assert "it can become nothing else" in late.text

        assert (only(due, Payout).status, only(due, Payout).reference) == ("paid", "PP-1")
        assert len(due.all(LedgerEntry)) == entries
        assert violations(due.engine) == {}

    def test_who_cancels_second_is_told_that_nothing_was_changed(
        self, finance: Visitor, place: str
    ) -> None:
        for reason in ("Wrong month", "Wrong partner"):
            finance.post(f"{place}/cancel", **{"cancel-reason": reason})
        page = finance.get(place).text

        assert "The payout was cancelled already: nothing was changed." in page
        assert "Wrong partner" not in page

    def test_a_payout_that_waits_for_no_rate_takes_none(
        self, finance: Visitor, place: str, due: World
    ) -> None:
        finance.post(f"{place}/refresh-rate")
        assert "The payout waits for no exchange rate" in finance.get(place).text
        with due.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE partners SET payout_currency = 'EUR'")
            connection.exec_driver_sql("UPDATE payouts SET pay_currency = 'EUR'")
        rate = {"rate-rate": "0.90", "rate-rate_on": TODAY, "rate-source": "ECB"}
        answer = finance.post(f"{place}/rate", **rate)

        assert answer.status_code == 422
        assert "The payout waits for no exchange rate" in answer.text
        assert due.all(ExchangeRate) == []

    def test_cancelled_with_a_reason_its_rewards_are_free_again(
        self, finance: Visitor, place: str, due: World
    ) -> None:
        assert finance.post(f"{place}/cancel").status_code == 422
        finance.post(f"{place}/cancel", **{"cancel-reason": "Wrong month"})
        page = finance.get(place).text

        assert "This payout was cancelled" in page
        assert "Wrong month" in page
        assert statuses(due) == ["approved"] * 3

    def test_a_missing_rate_is_added_where_it_is_missed(self, finance: Visitor, due: World) -> None:
        with due.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE partners SET payout_currency = 'EUR'")
        place = make(finance)
        page = finance.get(place).text
        assert "Exchange rate missing" in page
        assert f'action="{place}/submit"' not in page
        assert "exchange rate missing" in finance.get("/payouts").text
        old = {"rate-rate": "0.90", "rate-rate_on": "2020-01-01", "rate-source": "ECB"}
        assert finance.post(f"{place}/rate", **old).status_code == 422
        assert due.all(ExchangeRate) == []
        assert (
            'id="rate-rate-error"'
            in finance.post(f"{place}/rate", **{**old, "rate-rate": "x"}).text
        )
        finance.post(f"{place}/rate", **{**old, "rate-rate_on": TODAY})
        shown = plain(finance.get(place, **ENGLISH).text)

        assert "$60.00 0.90" in shown
        assert "ECB" in shown
        assert only(due, Payout).pay_total_minor == 5_400


class TestContents:
    def test_lines_are_paged_by_key(self, finance: Visitor, due: World) -> None:
        due.accept(*(paid(str(one), "cb1", "ada1@customer.example") for one in range(10, 33)))
        due.drain()
        due.settle("approved")
        place = make(finance)
        first = finance.get(place).text
        following = re.search(r'href="([^"#]+)#contents" rel="next"', first)
        assert following is not None
        second = finance.get(following.group(1)).text
        found = [set(re.findall(r'href="/rewards/(rew_\w+)"', page)) for page in (first, second)]

        assert (len(found[0]), len(found[1])) == (25, 1)
        assert not found[0] & found[1]


class TestInvoice:
    @pytest.mark.parametrize(
        ("content", "why"),
        [(b"MZ no pdf", "no PDF, PNG or JPEG"), (PDF + b"x" * 655_360, "Larger than 640 KiB"),
         (b"", "Choose the file|no PDF")],
    )  # fmt: skip
    def test_a_document_is_what_it_says_it_is(
        self, finance: Visitor, place: str, due: World, content: bytes, why: str
    ) -> None:
        answer = finance.post(f"{place}/invoice", **upload("R-7", content))

        assert answer.status_code == 422
        assert re.search(rf'id="invoice-document-error".*?({why})', answer.text, re.S)
        assert 'value="R-7"' in answer.text
        assert due.all(PayoutInvoice) == []

    def test_what_is_far_too_large_is_refused_on_a_page(self, finance: Visitor, place: str) -> None:
        answer = finance.post(f"{place}/invoice", **upload("R-7", PDF + b"x" * 5 * 1024 * 1024))

        assert (answer.status_code, answer.mimetype) == (413, "text/html")

    def test_it_comes_back_as_it_was_and_is_no_page(
        self, finance: Visitor, place: str, enter: Enter
    ) -> None:
        finance.post(f"{place}/invoice", **upload("R-7", PDF))
        answer = enter("viewer").get(f"{place}/invoice")

        assert (answer.data, answer.mimetype) == (PDF, "application/pdf")
        assert answer.headers["Content-Disposition"].startswith("attachment; ")


class TestFiles:
    def test_files_are_handed_out_and_their_digests_kept(
        self, finance: Visitor, enter: Enter, place: str
    ) -> None:
        answer = enter("viewer").get(f"{place}/export?format=csv")
        finance.get(f"{place}/export?format=xlsx")
        page = finance.get(place).text

        assert answer.mimetype == "text/csv"
        assert answer.headers["X-Content-SHA256"] in page
        assert page.count("SHA-256") == 2

    def test_what_moves_money_is_for_those_who_pay_and_only_once_it_is_ready(
        self, finance: Visitor, enter: Enter, place: str
    ) -> None:
        for path in (f"{place}/export?format=sepa", f"{place}/payment?format=csv"):
            assert finance.get(path).status_code == 404
        assert enter("manager").get(f"{place}/payment?format=wise").status_code == 403
        early = finance.get(f"{place}/payment?format=paypal")
        assert early.headers["Location"] == place
        assert "a paypal file holds payouts that are ready or paid only" in finance.get(place).text
        for step in ("submit", "accept"):
            finance.post(f"{place}/{step}")
        finance.get(f"{place}/payment?format=paypal")
        assert "needs paypal_email" in finance.get(place).text


class TestList:
    def test_it_is_filtered_and_searched(self, finance: Visitor, place: str, due: World) -> None:
        key = place.rpartition("/")[2]
        partner = ids.encode("par", only(due, Partner).id)

        assert key in finance.get("/payouts?status=draft&currency=USD").text
        assert key not in finance.get("/payouts?status=paid").text
        assert finance.get(f"/payouts?search={key}").headers["Location"] == place
        found = finance.get("/payouts?search=ann@partner.example").headers["Location"]
        assert found == f"/payouts?partner_id={partner}"
        assert key in finance.get(found).text
        assert "Nothing fits" in finance.get("/payouts?search=nobody").text

    def test_who_may_only_look_changes_nothing(self, enter: Enter, place: str, due: World) -> None:
        for role in ("viewer", "manager"):
            person = enter(role)
            page = person.get(place).text + person.get("/payouts").text
            assert not re.search(r"Submit to|Give it up|Attach</|/make\"|/payment", page)
            assert person.post(f"{place}/submit").status_code == 403
            assert person.post(f"{place}/cancel").status_code == 403
        assert only(due, Payout).status == "draft"
