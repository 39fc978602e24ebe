"""Payouts in another currency than that of the rewards, on both databases."""

from datetime import timedelta

import pytest

from rewards_service.kit.db import transaction
from rewards_service.partners.models import Partner
from rewards_service.payouts import service
from rewards_service.payouts.exchange import Quote, find_quote
from rewards_service.payouts.models import Payout
from rewards_service.payouts.service import PayoutHeld, PayoutWrongStatus, RateMissing
from tests.payouts.books import CUT_OFF, Books


class TestFindQuote:
    def find(self, books: Books) -> Quote | None:
        with transaction(books.engine) as session:
            return find_quote(session, "USD", "EUR", CUT_OFF)

    def test_the_newest_up_to_the_day_counts(self, books: Books) -> None:
        """DOMAIN V7."""
        books.rate("USD/EUR", "0.90", CUT_OFF - timedelta(days=3))
        books.rate("USD/EUR", "0.91", CUT_OFF - timedelta(days=1), "ECB")
        books.rate("USD/EUR", "0.99", CUT_OFF + timedelta(days=1))
        books.rate("USD/GBP", "0.80", CUT_OFF)

        assert self.find(books) == Quote("0.91", CUT_OFF - timedelta(days=1), "ECB")

    def test_of_two_for_one_day_the_later_recorded_counts(self, books: Books) -> None:
        books.rate("USD/EUR", "0.90")
        books.rate("USD/EUR", "0.95")

        assert self.find(books) == Quote("0.95", CUT_OFF, "ECB")

    def test_a_rate_of_the_other_direction_is_its_exact_inverse(self, books: Books) -> None:
        books.rate("EUR/USD", "1.0842")
        assert self.find(books) == Quote("1/1.0842", CUT_OFF, "ECB")

        books.rate("USD/EUR", "0.92")
        assert self.find(books) == Quote("0.92", CUT_OFF, "ECB")

    def test_a_rate_older_than_seven_days_is_none(self, books: Books) -> None:
        """DOMAIN V7: a missing rate is an error."""
        books.rate("USD/EUR", "0.90", CUT_OFF - timedelta(days=8))
        assert self.find(books) is None

        books.rate("USD/EUR", "0.90", CUT_OFF - timedelta(days=7))
        assert self.find(books) is not None


class TestConvertedPayouts:
    def test_both_amounts_rate_day_and_source_are_kept(self, books: Books) -> None:
        """DOMAIN V7."""
        ann = books.partner(payout_currency="EUR")
        books.reward(ann, 1_001)
        books.reward(ann, 502)
        books.rate("USD/EUR", "0.9")
        payout = books.get(Payout, books.payout())
        lines = books.lines(payout.id)

        assert (payout.total_minor, payout.currency) == (1_503, "USD")
        assert (payout.pay_total_minor, payout.pay_currency) == (1_353, "EUR")  # 1352.7
        assert [line.pay_amount_minor for line in lines] == [901, 452]
        assert {(line.rate, line.rate_on, line.rate_source) for line in lines} == {
            ("0.9", CUT_OFF, "ECB")
        }
        assert books.violations() == {}

    def test_no_rate_holds_the_payout_and_never_passes_the_amount_through(
        self, books: Books
    ) -> None:
        """DOMAIN V7; Dub (g): a missing rate does not silently keep the foreign amount."""
        ann = books.partner(payout_currency="EUR")
        books.reward(ann, 1_000)
        payout = books.payout()
        held = books.get(Payout, payout)
        assert (held.status, held.problem, held.pay_total_minor) == ("draft", "rate_missing", None)
        with pytest.raises(RateMissing, match="USD to EUR"), transaction(books.engine) as session:
            service.submit(session, payout, "test")
        with pytest.raises(PayoutWrongStatus), transaction(books.engine) as session:
            service.accept(session, payout, "test")
        with pytest.raises(PayoutWrongStatus), transaction(books.engine) as session:
            service.mark_paid(session, payout, CUT_OFF, None, "test")
        assert books.violations() == {}

        books.rate("USD/EUR", "0.9")
        books.pay(payout)
        freed = books.get(Payout, payout)
        assert (freed.status, freed.problem, freed.pay_total_minor) == ("paid", None, 900)

    def test_a_held_payout_can_be_cancelled(self, books: Books) -> None:
        reward = books.reward(books.partner(payout_currency="EUR"), 1_000)
        books.cancel(books.payout())

        assert books.status(reward) == ["approved"]
        assert books.violations() == {}

    def test_a_rate_that_was_used_stays_whatever_is_recorded_later(self, books: Books) -> None:
        """DOMAIN V7."""
        books.reward(books.partner(payout_currency="EUR"), 1_000)
        books.rate("USD/EUR", "0.9")
        payout = books.payout()
        books.rate("USD/EUR", "0.5")
        with transaction(books.engine) as session:
            service.refresh_rate(session, payout, "test")
        books.pay(payout)

        assert books.get(Payout, payout).pay_total_minor == 900

    def test_what_is_taken_back_goes_at_the_rate_it_was_paid_at(self, books: Books) -> None:
        """DOMAIN V7: a refund uses the original rate."""
        ann = books.partner(payout_currency="EUR")
        first = books.reward(ann, 1_000)
        books.rate("USD/EUR", "0.9")
        books.pay(books.payout())
        later = CUT_OFF + timedelta(days=90)
        books.rate("USD/EUR", "0.5", later, "bank")
        books.take_back(first, 400)
        books.reward(ann, 2_000)
        payout = books.payout(cut_off=later)
        quoted = {(line.amount_minor, line.rate, line.rate_source) for line in books.lines(payout)}

        assert quoted == {(-400, "0.9", "ECB"), (2_000, "0.5", "bank")}
        assert books.get(Payout, payout).pay_total_minor == 1_000 - 360

    def test_paid_into_another_currency_before_the_rate_of_the_day_serves(
        self, books: Books
    ) -> None:
        ann = books.partner(payout_currency="GBP")
        first = books.reward(ann, 1_000)
        books.rate("USD/GBP", "0.8")
        books.rate("USD/EUR", "0.9")
        books.pay(books.payout())
        books.take_back(first, 100)
        books.reward(ann, 500)
        with transaction(books.engine) as session:
            session.get_one(Partner, ann).payout_currency = "EUR"

        assert {line.rate for line in books.lines(books.payout())} == {"0.9"}

    def test_where_debts_outweigh_the_rest_once_converted_nothing_is_paid(
        self, books: Books
    ) -> None:
        """DOMAIN V4, V7: no negative payment, in whichever currency."""
        ann = books.partner(payout_currency="EUR")
        first = books.reward(ann, 1_000)
        books.rate("USD/EUR", "2")
        books.pay(books.payout())
        later = CUT_OFF + timedelta(days=90)
        books.take_back(first, 400)
        books.reward(ann, 500)
        held = books.payout(cut_off=later)
        books.rate("USD/EUR", "0.5", later)
        with (
            pytest.raises(PayoutHeld, match="nothing to pay"),
            transaction(books.engine) as session,
        ):
            service.submit(session, held, "test")
        books.cancel(held)
        made = books.make(cut_off=later)

        assert made.payouts == []
        assert [(one.reason, one.balance_minor) for one in made.left_out] == [("not_positive", 100)]
        assert books.violations() == {}
