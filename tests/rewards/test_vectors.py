"""The vectors of the reward arithmetic, computed by hand: webhooks in, API out."""

from calendar import monthrange
from datetime import date

import pytest

from rewards_service.crm.models import DealShare
from tests.builders import chargebee
from tests.builders.api import Caller
from tests.builders.world import World

ADA = "ada@one.example"
TIERS = [
    {"up_to": {"USD": 100_000}, "rate_millionths": 100_000},
    {"up_to": None, "rate_millionths": 150_000},
]


def posted_to(api: Caller, invoice_id: str) -> list[int]:
    """The amounts posted to the rewards of an invoice, by the API, in order."""
    rewards = api.get("/rewards", chargebee_invoice_id=invoice_id)["data"]
    entries = [entry["amount_minor"] for reward in rewards for entry in reward["entries"]]
    assert sum(entries) == sum(reward["amount_minor"] for reward in rewards)
    return entries


class TestVectors:
    @pytest.fixture(autouse=True)
    def _ann(self, world: World) -> None:
        world.lead(ADA, world.partner("Ann"))

    def test_t1_to_t4_three_payments_and_three_refunds(self, world: World, api: Caller) -> None:
        """DOMAIN T1, T2, T3, T4, A3, A4, A8: each of the three payments is refunded at most once
        over, so the second and third refund are two and three transactions."""
        world.add_version(world.rule, 2, 125_000)
        for name in ("a", "b", "c"):
            world.receive(chargebee.paid(name, "cb", ADA, 4_000, invoice="inv", total=12_000,
                                         tax=2_000))  # fmt: skip
        assert posted_to(api, "inv") == [417, 416, 417]
        world.receive(chargebee.refunded("1", "txn_a", 1))
        assert posted_to(api, "inv") == [417, 416, 417]
        world.accept(
            chargebee.refunded("2", "txn_a", 3_999), chargebee.refunded("3", "txn_b", 2_000)
        )
        world.drain()
        assert posted_to(api, "inv") == [417, 416, 417, -625]
        world.accept(
            chargebee.refunded("4", "txn_b", 2_000), chargebee.refunded("5", "txn_c", 4_000)
        )
        world.drain()
        assert posted_to(api, "inv") == [417, 416, 417, -625, -625]

    def test_t5_a_half_goes_to_the_even_neighbour(self, world: World, api: Caller) -> None:
        """DOMAIN T5, A5."""
        world.add_version(world.rule, 2, 25_000)
        world.receive(chargebee.paid("a", "cb", ADA, 100), chargebee.paid("b", "cb", ADA, 140))

        assert (posted_to(api, "inv_a"), posted_to(api, "inv_b")) == ([2], [4])

    @pytest.mark.parametrize(
        ("currency", "base", "rate", "reward"),
        [("JPY", 1_234, 75_000, 93), ("KWD", 12_345, 100_000, 1_234)],
    )
    def test_t6_minor_units_are_those_of_the_currency(
        self, currency: str, base: int, rate: int, reward: int, world: World, api: Caller
    ) -> None:
        """DOMAIN T6, A1: no multiplying by 100 for yen."""
        world.add_version(world.rule, 2, rate)
        world.receive(chargebee.paid("a", "cb", ADA, base, currency_code=currency))

        assert posted_to(api, "inv_a") == [reward]
        assert api.get("/rewards")["data"][0]["currency"] == currency

    def test_t7_a_split_is_of_the_whole_and_takes_back_what_it_gave(
        self, world: World, api: Caller
    ) -> None:
        """DOMAIN T7, A6, S7."""
        world.add_version(world.rule, 2, 1_000_000)
        bea = "bea@two.example"
        partners = [world.partner(name) for name in ("Bob", "Cid", "Dan")]
        deal = world.deal(bea, partners[0])
        for partner, share in zip(partners, (3_334, 3_333, 3_333), strict=True):
            world.add(DealShare(deal_id=deal, partner_id=partner, basis_points=share))
        world.receive(chargebee.paid("a", "cb_b", bea, 100))
        assert sorted(posted_to(api, "inv_a"), reverse=True) == [34, 33, 33]
        assert [world.earned(partner) for partner in partners] == [34, 33, 33]

        world.receive(chargebee.refunded("r", "txn_a", 100))

        assert sorted(posted_to(api, "inv_a")) == [-34, -33, -33, 33, 33, 34]
        assert [world.earned(partner) for partner in partners] == [0, 0, 0]

    def test_t8_twelve_months_from_the_end_of_january(self, world: World, api: Caller) -> None:
        """DOMAIN T8, A11: half-open, and a month's end does not wander."""
        world.add_version(world.rule, 2, 200_000, first_months=12)
        for number in range(13):
            year, month = 2026 + number // 12, number % 12 + 1
            last = date(year, month, monthrange(year, month)[1])
            day = (last - date(2026, 1, 1)).days
            told = chargebee.paid(str(number), "cb", ADA, 1_000, day)
            told["content"]["invoice"]["date"] = chargebee.epoch(day)
            world.receive(told)

        assert [posted_to(api, f"inv_{number}") for number in range(12)] == [[200]] * 12
        assert posted_to(api, "inv_12") == []
        assert world.transaction_of("txn_12").reason == "window_over"

    @pytest.mark.parametrize(("mode", "second"), [("graduated", 6_500), ("slab", 7_500)])
    def test_t9_t10_tiers(self, mode: str, second: int, world: World, api: Caller) -> None:
        """DOMAIN T9, T10, A9: the second payment crosses the threshold."""
        tiers = {"mode": mode, "metric": "base_amount", "window": "lifetime", "steps": TIERS}
        world.add_version(world.rule, 2, 100_000, tiers=tiers)
        world.receive(
            chargebee.paid("a", "cb", ADA, 80_000), chargebee.paid("b", "cb", ADA, 50_000, 1)
        )

        assert (posted_to(api, "inv_a"), posted_to(api, "inv_b")) == ([8_000], [second])
