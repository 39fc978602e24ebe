"""The vectors of the reward arithmetic, computed by hand with the rules."""

import pytest

from rewards_service.rewards import engine
from rewards_service.rewards.engine import Payee
from tests.rewards.invoices import earned, invoice, paid, percent, posted


class TestVectors:
    def test_t1_to_t4_three_payments_and_three_refunds(self) -> None:
        """DOMAIN T1, T2, T3, T4, A3, A4, A8: the last refund leaves exactly nothing."""
        whole = [paid(4_000, name=name) for name in ("a", "b", "c")]
        states = [whole[:1], whole[:2], whole]
        for refunds in ([1], [1, 4_000, 1_999], [4_000, 4_000, 4_000]):
            parts = [*refunds, 0, 0][:3]
            states.append([paid(4_000, part, name=str(place)) for place, part in enumerate(parts)])

        assert posted(percent(125_000), invoice(), states) == [417, 416, 417, 0, -625, -625]

    @pytest.mark.parametrize(("base", "reward"), [(100, 2), (140, 4)])
    def test_t5_a_half_goes_to_the_even_neighbour(self, base: int, reward: int) -> None:
        """DOMAIN T5, A5."""
        assert earned(percent(25_000), invoice(base, 0), [paid(base)]) == reward

    @pytest.mark.parametrize(
        ("currency", "base", "rate", "reward"),
        [("JPY", 1_234, 75_000, 93), ("KWD", 12_345, 100_000, 1_234)],
    )
    def test_t6_minor_units_are_those_of_the_currency(
        self, currency: str, base: int, rate: int, reward: int
    ) -> None:
        """DOMAIN T6, A1."""
        one = invoice(base, 0, currency=currency)

        assert earned(percent(rate), one, [paid(base)], currency) == reward

    def test_t7_a_split_is_of_the_whole_and_takes_back_what_it_gave(self) -> None:
        """DOMAIN T7, A6, S7: ties go to the lower partner."""
        payees = [Payee(9, 3_333), Payee(5, 3_334), Payee(7, 3_333)]
        one = invoice(100, 0)
        figures = engine.summarise(one, [paid(100)], "net")

        found = engine.targets(percent(1_000_000), figures, "USD", payees)

        assert [(t.partner_id, t.amount_minor) for t in found] == [(5, 34), (7, 33), (9, 33)]
        assert {t.whole_minor for t in found} == {100}
