from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from rewards_service.programs.rules import RuleVersion
from rewards_service.rewards import engine
from rewards_service.rewards.figures import Invoice, Payment, Refund
from tests.rewards.invoices import earned, flat, invoice, judged, note, paid, percent, posted

names = st.sampled_from("abcd")
applications = st.dictionaries(names, st.integers(0, 100), min_size=1, max_size=4)
assignments = st.dictionaries(names, st.integers(0, 150), max_size=4)


def shared_payments(notes: st.SearchStrategy[dict[str, int]]) -> st.SearchStrategy[Payment]:
    """A payment of some invoices with refunds, assigned to invoices by notes."""
    refunds = st.lists(st.tuples(st.integers(0, 150), notes), max_size=4)
    return st.tuples(applications, refunds).map(
        lambda both: paid(0, applied=both[0])._replace(
            refunds=[Refund("r", amount, assigned) for amount, assigned in both[1]]
        )
    )


class TestSummarise:
    def test_tax_never_earns(self) -> None:
        """DOMAIN A2, A3."""
        assert earned(percent(100_000), invoice(10_000, 2_000), [paid(12_000)]) == 1_000

    def test_a_rule_on_gross_counts_the_tax(self) -> None:
        assert earned(percent(100_000, "gross"), invoice(), [paid(12_000)]) == 1_200

    def test_a_part_paid_earns_its_part(self) -> None:
        """DOMAIN A3."""
        assert earned(percent(100_000), invoice(), [paid(3_000)]) == 250

    def test_a_payment_that_fails_late_keeps_nothing(self) -> None:
        """DOMAIN V3."""
        payments = [paid(6_000, name="a"), paid(6_000, name="b", kept=False)]

        assert earned(percent(100_000), invoice(), payments) == 500

    def test_a_voided_invoice_keeps_nothing(self) -> None:
        """DOMAIN A14, A2."""
        assert earned(percent(100_000), invoice(voided=True), [paid(12_000)]) == 0

    def test_an_invoice_over_nothing_earns_nothing(self) -> None:
        """DOMAIN A14."""
        assert earned(percent(100_000), invoice(0, 0), [paid(0)]) == 0

    def test_a_payment_that_may_not_earn_does_not_count(self) -> None:
        """DOMAIN M16, S4."""
        payments = [paid(6_000, name="a"), paid(6_000, name="b", barred="before_attribution")]

        assert earned(percent(100_000), invoice(), payments) == 500

    def test_more_than_payable_earns_no_more(self) -> None:
        """DOMAIN A2: kept cash is at most what is payable."""
        assert earned(percent(100_000), invoice(), [paid(20_000)]) == 1_000

    def test_a_write_off_lowers_what_is_payable(self) -> None:
        """DOMAIN A2: what remains is then paid in full."""
        assert earned(percent(100_000), invoice(write_off_minor=2_000), [paid(10_000)]) == 1_000

    def test_an_adjustment_note_lowers_what_is_payable_and_what_counts(self) -> None:
        """DOMAIN A3, V3: half the invoice credited, half paid: half the reward."""
        one = invoice(adjustments=[note("cn", 5_000, 1_000)])

        assert earned(percent(100_000), one, [paid(6_000)]) == 500

    def test_a_payment_that_went_elsewhere_brings_nothing_here(self) -> None:
        """DOMAIN A2: its money earns where it is applied now."""
        payments = [paid(6_000, name="a"), paid(0, name="b", applied={"other": 6_000})]
        figures = engine.summarise(invoice(), payments, percent(1))

        assert [part.applied_minor for part in figures.payments] == [6_000, 0]
        assert figures.kept == figures.gross_kept == 6_000

    def test_what_was_applied_is_told_as_if_nothing_had_been_taken_back(self) -> None:
        figures = engine.summarise(invoice(), [paid(4_000), paid(2_000, 500)], percent(1))

        assert figures.gross_kept == 6_000
        assert figures.kept == 5_500

    def test_a_refund_counts_once(self) -> None:
        """DOMAIN A3: half refunded is 50 % of the base, not 25 %."""
        assert earned(percent(100_000), invoice(), [paid(12_000, 6_000)]) == 500


class TestTakenBackFrom:
    def share(self, payment: Payment) -> dict[str, Fraction]:
        return {name: engine.taken_back_from(payment, name) for name in payment.applied}

    def test_a_refund_is_shared_in_proportion_to_what_was_applied(self) -> None:
        """DOMAIN A2."""
        payment = paid(0, 100, applied={"a": 300, "b": 600})

        assert self.share(payment) == {"a": Fraction(100, 3), "b": Fraction(200, 3)}

    def test_a_credit_note_says_where_a_refund_belongs(self) -> None:
        """DOMAIN A2."""
        payment = paid(0, applied={"a": 300, "b": 600})._replace(
            refunds=[Refund("r", 100, {"a": 40}), Refund("s", 90, {})]
        )

        assert self.share(payment) == {"a": 40 + 20 + 30, "b": 40 + 60}

    def test_what_is_more_than_an_invoice_got_is_taken_from_the_others(self) -> None:
        """DOMAIN A4: a payment refunded in full leaves nothing anywhere."""
        payment = paid(0, applied={"a": 50, "b": 50})._replace(
            refunds=[Refund("r", 50, {"a": 50}), Refund("s", 49, {})]
        )

        assert self.share(payment) == {"a": 50, "b": 49}

    def test_a_note_for_an_invoice_that_the_payment_left_takes_from_where_it_went(self) -> None:
        """DOMAIN A2: the money of a voided invoice earns again elsewhere, until refunded."""
        payment = paid(0, applied={"old": 0, "new": 100})._replace(
            refunds=[Refund("r", 60, {"old": 60})]
        )

        assert self.share(payment) == {"old": 0, "new": 60}

    def test_its_share_is_then_one_of_no_note(self) -> None:
        """DOMAIN A2: 20 of the refund are shared by what was applied, beside the 40 for "a"."""
        payment = paid(0, applied={"old": 0, "a": 50, "b": 50})._replace(
            refunds=[Refund("r", 60, {"a": 40, "old": 20})]
        )

        assert self.share(payment) == {"old": 0, "a": 50, "b": 10}

    def test_the_smallest_part_of_a_payment_has_its_share(self) -> None:
        """DOMAIN A2."""
        payment = paid(0, 2, applied={"a": 1, "b": 2})

        assert self.share(payment) == {"a": Fraction(2, 3), "b": Fraction(4, 3)}

    def test_notes_over_more_than_the_refund_take_no_more_than_it(self) -> None:
        payment = paid(0, applied={"a": 100, "b": 100})._replace(
            refunds=[Refund("r", 60, {"a": 60, "b": 60})]
        )

        assert self.share(payment) == {"a": 30, "b": 30}

    def test_never_more_than_was_applied(self) -> None:
        """DOMAIN A2: min(applied, refunds)."""
        assert self.share(paid(100, 60, 60)) == {"inv": 100}

    def test_nothing_falls_on_an_invoice_that_the_payment_did_not_pay(self) -> None:
        assert engine.taken_back_from(paid(100, 60), "other") == 0

    @given(shared_payments(assignments))
    def test_all_that_was_refunded_is_taken_back_somewhere_once(self, payment: Payment) -> None:
        """DOMAIN A2, A4: whatever the notes say, at most what each invoice got."""
        taken = self.share(payment)
        refunded = sum(refund.amount_minor for refund in payment.refunds)

        assert sum(taken.values()) == min(refunded, sum(payment.applied.values()))
        assert all(0 <= part <= payment.applied[name] for name, part in taken.items())

    @given(shared_payments(st.just({})))
    def test_without_notes_every_invoice_loses_the_same_part(self, payment: Payment) -> None:
        """DOMAIN A2."""
        whole = sum(payment.applied.values())
        refunded = min(sum(refund.amount_minor for refund in payment.refunds), whole)

        for name, part in self.share(payment).items():
            assert part * whole == payment.applied[name] * refunded


class TestTargetAmount:
    def test_a_flat_reward_stays_until_nothing_is_kept(self) -> None:
        """DOMAIN A7."""
        rule = flat({"USD": 500})
        states = [[paid(12_000)], [paid(12_000, 11_999)], [paid(12_000, 12_000)]]

        assert posted(rule, invoice(), states) == [500, 0, -500]

    def test_a_flat_reward_without_the_currency_is_nothing(self) -> None:
        """DOMAIN A7: never a conversion."""
        assert earned(flat({"EUR": 500}), invoice(), [paid(12_000)]) == 0

    def test_half_up_rounds_away_from_zero(self) -> None:
        """DOMAIN A5."""
        rule = percent(25_000, rounding="half_up")

        assert earned(rule, invoice(100, 0), [paid(100)]) == 3

    def test_amounts_beyond_what_a_float_can_hold_stay_exact(self) -> None:
        """DOMAIN A1."""
        net = 2**53 + 1

        assert earned(percent(1_000_000), invoice(net, 0), [paid(net)]) == net


class TestWhyNothing:
    def reason(self, rule: RuleVersion, one: Invoice, payments: list[Payment]) -> str | None:
        return judged(rule, one, payments).offers[0].silent

    def test_says_nothing_while_the_rule_gives_something(self) -> None:
        assert self.reason(percent(100_000), invoice(), [paid(12_000)]) is None

    def test_a_full_refund_is_no_reason_of_the_rule(self) -> None:
        assert self.reason(percent(100_000), invoice(), [paid(12_000, 12_000)]) is None

    def test_an_invoice_without_counting_lines(self) -> None:
        """DOMAIN V11."""
        assert self.reason(percent(100_000), invoice(0), [paid(2_000)]) == "not_eligible_lines"

    def test_a_flat_rule_without_the_currency(self) -> None:
        """DOMAIN A7, V11."""
        rule = flat({"EUR": 1})

        assert self.reason(rule, invoice(), [paid(12_000)]) == "no_amount_for_currency"

    def test_a_reward_that_rounds_to_nothing(self) -> None:
        """DOMAIN A8."""
        assert self.reason(percent(1), invoice(100, 0), [paid(100)]) == "no_change"
