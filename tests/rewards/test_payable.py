"""What is payable of an invoice, and notes that cannot be right (pure)."""

import pytest

from rewards_service.rewards.engine import summarise
from rewards_service.rewards.figures import Invoice
from tests.rewards.invoices import earned, invoice, note, paid, percent

TENTH = percent(100_000)


class TestAdjustmentNotes:
    def test_each_lowers_what_is_payable_and_what_counts(self) -> None:
        """DOMAIN A2, A3."""
        one = invoice(adjustments=[note("a", 1_000, 200), note("b", 2_000, 400)])
        figures = summarise(one, [paid(8_400)], TENTH)

        assert (figures.payable_minor, figures.adjusted_minor) == (8_400, 3_000)
        assert earned(TENTH, one, [paid(8_400)]) == 700

    def test_a_rule_on_gross_counts_their_tax(self) -> None:
        one = invoice(adjustments=[note("a", 1_000, 200)])

        assert earned(percent(100_000, "gross"), one, [paid(10_800)]) == 1_080

    def test_one_that_leaves_the_smallest_amount_is_no_contradiction(self) -> None:
        one = invoice(adjustments=[note("cn", 9_999, 2_000)])
        figures = summarise(one, [paid(12_000)], TENTH)

        assert (figures.payable_minor, figures.inconsistent) == (1, False)
        assert figures.base == 1


class TestInconsistentInvoice:
    def test_a_note_that_leaves_nothing_payable_keeps_the_last_target(self) -> None:
        """DOMAIN A3."""
        one = invoice(adjustments=[note("cn", 10_000, 2_000)])

        assert summarise(one, [paid(12_000)], TENTH).inconsistent is True
        assert earned(TENTH, one, [paid(12_000)]) == 1_000

    def test_older_notes_still_count(self) -> None:
        """DOMAIN A3: the last target is the one before the newest note, whatever its name."""
        notes = [note("a", 9_000, 1_800, day=2), note("b", 1_000, 200, day=1)]
        one = invoice(adjustments=notes)

        assert earned(TENTH, one, [paid(10_800)]) == 900

    def test_of_one_moment_the_names_order_them(self) -> None:
        notes = [note("b", 9_000, 1_800), note("a", 1_000, 200)]

        assert earned(TENTH, invoice(adjustments=notes), [paid(10_800)]) == 900

    def test_notes_without_a_date_are_the_oldest(self) -> None:
        undated = note("b", 1_000, 200)._replace(dated_at=None)
        one = invoice(adjustments=[note("a", 9_000, 1_800), undated])

        assert earned(TENTH, one, [paid(10_800)]) == 900

    def test_without_cash_it_is_no_contradiction(self) -> None:
        """DOMAIN A3: without cash the base is 0."""
        one = invoice(adjustments=[note("cn", 10_000, 2_000)])
        figures = summarise(one, [paid(12_000, 12_000)], TENTH)

        assert figures.inconsistent is False
        assert figures.base == 0

    @pytest.mark.parametrize(
        ("write_off", "inconsistent", "reward"),
        [(11_998, False, 1_000), (11_999, False, 1_000), (12_000, True, 500), (12_001, True, 500)],
    )
    def test_a_write_off_of_what_was_paid_is_one(
        self, write_off: int, inconsistent: bool, reward: int
    ) -> None:
        """DOMAIN A3: half was paid; what was written off with it cannot be all of it."""
        one = invoice(write_off_minor=write_off)

        assert summarise(one, [paid(6_000)], TENTH).inconsistent is inconsistent
        assert earned(TENTH, one, [paid(6_000)]) == reward

    @pytest.mark.parametrize("one", [invoice(0, 0), invoice(adjustments=[note("c", 0, 0)])])
    def test_no_more_is_kept_than_is_payable(self, one: Invoice) -> None:
        """DOMAIN A2, A14: of an invoice over nothing, nothing."""
        figures = summarise(one, [paid(20_000)], TENTH)

        assert figures.kept == figures.earning == figures.payable_minor == one.total_minor
