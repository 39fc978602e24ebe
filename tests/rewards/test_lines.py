"""Which lines of an invoice earn, and what notes and refunds take from them (pure)."""

from typing import Any

import pytest

from rewards_service.programs.rules import ItemFilter, RuleVersion, Terms
from rewards_service.rewards.engine import selects, summarise
from rewards_service.rewards.figures import Adjustment, Invoice, Line, Noted, Payment, Refund
from tests.rewards.invoices import START, earned, paid, percent

PLAN = Line("l_plan", "plan_item_price", "pro-monthly", 8_000, 8_800)
FEE = Line("l_fee", "charge_item_price", "pro-setup", 2_000, 3_200)
BILL = Invoice("inv", "USD", 12_000, 0, 10_000, 12_000, False, (), (PLAN, FEE))


def on_plan(base: str = "net", **terms: Any) -> RuleVersion:
    """10 % of the plan alone."""
    items = ItemFilter(include=("pro-*",), exclude=("pro-setup",))
    return percent(100_000, base)._replace(terms=Terms(items=items, **terms))


def noted(of: Line, net: int, gross: int) -> Line:
    """A line of a credit note: it refers to the invoice's, its own item is not said."""
    return Line(of.line_id, None, None, net, gross)


def credited(*lines: Line, net: int, gross: int) -> Invoice:
    return BILL._replace(adjustments=[Adjustment("cn", START, gross, net, gross, lines)])


class TestSelects:
    @pytest.mark.parametrize(
        ("items", "counted"),
        [
            (ItemFilter(), True),
            (ItemFilter(include=("pro-monthly",)), True),
            (ItemFilter(include=("basic", "pro-monthly")), True),
            (ItemFilter(include=("pro",)), False),
            (ItemFilter(include=("pro-m*",)), True),
            (ItemFilter(include=("pro-y*",)), False),
            (ItemFilter(include=("monthly*",)), False),
            (ItemFilter(include=("*",)), True),
            (ItemFilter(exclude=("pro-monthly",)), False),
            (ItemFilter(exclude=("pro-*",)), False),
            (ItemFilter(exclude=("pro-setup",)), True),
            (ItemFilter(include=("pro-*",), exclude=("pro-monthly",)), False),
            (ItemFilter(entity_types=("plan_item_price", "addon_item_price")), True),
            (ItemFilter(entity_types=("charge_item_price",)), False),
            (ItemFilter(include=("pro-*",), entity_types=("charge_item_price",)), False),
        ],
    )
    def test_a_line_counts_by_its_item_and_type(self, items: ItemFilter, counted: bool) -> None:
        """DOMAIN A2: the whole name, or its beginning before a star."""
        assert selects(items, PLAN) is counted

    def test_a_line_without_an_item_is_named_by_nothing(self) -> None:
        bare = Line(None, "adhoc", None, 100, 100)

        assert not selects(ItemFilter(include=("*",)), bare)
        assert selects(ItemFilter(exclude=("*",)), bare)
        assert selects(ItemFilter(entity_types=("adhoc",)), bare)


class TestEligible:
    @pytest.mark.parametrize(("base", "expected"), [("net", 800), ("gross", 880)])
    def test_the_lines_that_count_earn_and_the_others_do_not(
        self, base: str, expected: int
    ) -> None:
        """DOMAIN A2."""
        assert earned(on_plan(base), BILL, [paid(12_000)]) == expected

    def test_lines_that_together_are_below_nothing_are_nothing(self) -> None:
        discount = PLAN._replace(line_id="l_less", net_minor=-9_000, gross_minor=-9_900)
        figures = summarise(BILL._replace(lines=(PLAN, FEE, discount)), [paid(100)], on_plan())

        assert figures.eligible_minor == 0


class TestAdjustmentNotes:
    def test_one_over_a_line_that_does_not_count_takes_nothing(self) -> None:
        """DOMAIN A3: the fee is credited, and what remains is paid in full."""
        one = credited(noted(FEE, 2_000, 3_200), net=2_000, gross=3_200)

        assert earned(on_plan(), one, [paid(8_800)]) == 800

    @pytest.mark.parametrize(("base", "taken"), [("net", 4_000), ("gross", 4_400)])
    def test_one_over_a_line_that_counts_takes_what_it_credits_of_it(
        self, base: str, taken: int
    ) -> None:
        """DOMAIN A3."""
        lines = noted(PLAN, 4_000, 4_400), noted(FEE, 1_000, 1_600)
        figures = summarise(credited(*lines, net=5_000, gross=6_000), [], on_plan(base))

        assert figures.adjusted_minor == taken

    def test_it_takes_no_more_than_it_is_worth(self) -> None:
        one = credited(noted(PLAN, 4_000, 4_400), net=3_000, gross=3_300)

        assert summarise(one, [], on_plan()).adjusted_minor == 3_000

    def test_a_line_that_the_invoice_does_not_know_says_itself_what_it_is(self) -> None:
        lines = PLAN._replace(line_id="l_other"), FEE._replace(line_id=None)
        one = credited(*lines, net=10_000, gross=12_000)

        assert summarise(one, [], on_plan()).adjusted_minor == 8_000

    def test_lines_of_no_name_are_not_taken_for_each_other(self) -> None:
        """A line without id is not the invoice's line without id."""
        nameless = BILL._replace(lines=(PLAN._replace(line_id=None), FEE))
        one = nameless._replace(adjustments=[
            Adjustment("cn", START, 3_200, 2_000, 3_200, (FEE._replace(line_id=None),))
        ])  # fmt: skip

        assert summarise(one, [], on_plan()).adjusted_minor == 0

    @pytest.mark.parametrize(("base", "taken"), [("net", 800), ("gross", 880)])
    def test_one_without_lines_is_shared_by_all_lines(self, base: str, taken: int) -> None:
        """DOMAIN A3: a tenth of the invoice credited is a tenth of what counts."""
        figures = summarise(credited(net=1_000, gross=1_200), [], on_plan(base))

        assert figures.adjusted_minor == taken

    def test_its_lines_have_the_type_of_the_invoices_lines(self) -> None:
        """DOMAIN A2: of plans; the note itself says no type."""
        plans = ItemFilter(entity_types=("plan_item_price",))
        rule = percent(100_000)._replace(terms=Terms(items=plans))
        one = credited(noted(PLAN, 4_000, 4_400), noted(FEE, 500, 800), net=4_500, gross=5_200)

        assert summarise(one, [], rule).adjusted_minor == 4_000

    def test_a_share_of_it_is_rounded(self) -> None:
        """DOMAIN A5: 80 % of 7 are 5.6."""
        assert summarise(credited(net=7, gross=8), [], on_plan()).adjusted_minor == 6


def refunded(amount: int, *notes: Noted, assigned: int | None = None, kept: bool = True) -> Payment:
    """The invoice paid in full, and `amount` of it paid back under credit notes."""
    named = sum(one.amount_minor for one in notes) if assigned is None else assigned
    refund = Refund("ref", amount, {"inv": named}, noted={"inv": notes})
    return paid(12_000, kept=kept)._replace(refunds=[refund])


FEE_BACK = Noted(3_200, 3_200, (noted(FEE, 2_000, 3_200),))
PLAN_BACK = Noted(8_800, 8_800, (noted(PLAN, 8_000, 8_800),))
HALF_PLAN_BACK = Noted(4_400, 4_400, (noted(PLAN, 4_000, 4_400),))


class TestRefundsByLine:
    rule = on_plan(refund_allocation="by_line")

    @pytest.mark.parametrize(
        ("notes", "expected"),
        [
            ([FEE_BACK], 800),
            ([PLAN_BACK], 0),
            ([HALF_PLAN_BACK], 400),
            ([HALF_PLAN_BACK, FEE_BACK], 400),
            ([HALF_PLAN_BACK, HALF_PLAN_BACK], 0),
            ([FEE_BACK, PLAN_BACK], 0),
        ],
    )
    def test_a_refund_takes_from_the_lines_that_its_notes_name(
        self, notes: list[Noted], expected: int
    ) -> None:
        """DOMAIN A3: refunding a set-up fee that does not count costs the partner nothing."""
        payment = refunded(sum(one.amount_minor for one in notes), *notes)

        assert earned(self.rule, BILL, [payment]) == expected

    def test_by_default_it_takes_its_part_of_everything(self) -> None:
        """DOMAIN A3: pro_rata; 3200 of 12000 are taken of the base 8000."""
        figures = summarise(BILL, [refunded(3_200, FEE_BACK)], on_plan())

        assert figures.base * 3 == 8_000 * 3 - 6_400
        assert figures.by_line == 0

    def test_a_note_paid_back_in_part_takes_that_part_of_its_lines(self) -> None:
        payment = refunded(2_200, HALF_PLAN_BACK._replace(amount_minor=2_200))

        assert earned(self.rule, BILL, [payment]) == 600

    @pytest.mark.parametrize("assigned", [3_200, 6_800])
    def test_what_no_line_is_named_for_takes_its_part_of_everything(self, assigned: int) -> None:
        """DOMAIN A3: 3600 of 12000 without lines, whether a note puts them here or none does."""
        payment = refunded(6_800, FEE_BACK, assigned=assigned)

        assert earned(self.rule, BILL, [payment]) == 560

    def test_lines_of_a_gross_rule_are_taken_with_their_tax(self) -> None:
        rule = on_plan("gross", refund_allocation="by_line")

        assert earned(rule, BILL, [refunded(4_400, HALF_PLAN_BACK)]) == 440

    def test_lines_below_nothing_give_nothing_back(self) -> None:
        odd = Noted(100, 100, (noted(PLAN, -500, -600),))

        assert earned(self.rule, BILL, [refunded(100, odd)]) == 800

    def test_the_refund_of_a_payment_that_failed_takes_nothing_from_the_others(self) -> None:
        """DOMAIN A2, A3: it had brought nothing."""
        stands = paid(12_000, name="a")

        assert earned(self.rule, BILL, [refunded(8_800, PLAN_BACK, kept=False), stands]) == 800

    def test_each_refund_of_each_payment_counts(self) -> None:
        """DOMAIN A3: a quarter of the plan taken back from either of two halves."""
        quarter = Noted(2_200, 2_200, (noted(PLAN, 2_000, 2_200),))
        refund = Refund("ref", 2_200, {"inv": 2_200}, noted={"inv": (quarter,)})
        halves = [paid(6_000, name=name)._replace(refunds=[refund]) for name in "ab"]

        assert earned(self.rule, BILL, halves) == 400

    def test_a_note_of_another_invoice_takes_nothing_here(self) -> None:
        refund = Refund("ref", 4_400, {"other": 4_400}, noted={"other": (HALF_PLAN_BACK,)})
        payment = paid(0, applied={"inv": 12_000, "other": 12_000})._replace(refunds=[refund])
        figures = summarise(BILL, [payment], self.rule)

        assert figures.base == 8_000
        assert figures.by_line == 0

    def test_what_a_note_puts_on_another_invoice_stays_there(self) -> None:
        """DOMAIN A2, A3: here the fee, and 3600 that no line is named for."""
        refund = Refund("ref", 8_800, {"inv": 6_800, "other": 2_000}, noted={"inv": (FEE_BACK,)})
        payment = paid(0, applied={"inv": 12_000, "other": 12_000})._replace(refunds=[refund])

        assert earned(self.rule, BILL, [payment]) == 560

    def test_the_smallest_payment_loses_what_its_note_names(self) -> None:
        tiny = Noted(1, 1, (noted(PLAN, 1, 1),))
        refund = Refund("ref", 1, {"inv": 1}, noted={"inv": (tiny,)})
        payments = [paid(11_999, name="a"), paid(1, name="b")._replace(refunds=[refund])]

        assert summarise(BILL, payments, self.rule).base == 7_999

    def test_the_cash_that_stays_is_told_either_way(self) -> None:
        """The refund lowers what is kept, though it takes nothing from the base."""
        figures = summarise(BILL, [refunded(3_200, FEE_BACK)], self.rule)

        assert figures.kept == 8_800
        assert figures.earning == 12_000
        assert figures.by_line == 0

    def test_an_invoice_refunded_in_full_earns_nothing_whatever_the_notes_say(self) -> None:
        """DOMAIN A4: full refund, exactly nothing."""
        wrong = Noted(12_000, 12_000, (noted(FEE, 10_000, 12_000),))

        assert earned(self.rule, BILL, [refunded(12_000, wrong)]) == 0
