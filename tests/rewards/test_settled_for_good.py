"""What was rewarded stays as it was, whatever people set up or customers do afterwards."""

from collections import Counter

import pytest

from rewards_service.crm.models import DealShare
from rewards_service.kit import ids
from rewards_service.programs.models import Program
from rewards_service.replay.service import replay
from rewards_service.rewards.models import LedgerEntry, Reward
from tests.builders.api import Caller
from tests.builders.chargebee import Json, customer, event, paid, refund, refunded
from tests.builders.whole import violations
from tests.builders.world import World

ADA = "ada@one.example"


@pytest.fixture
def ann(world: World) -> int:
    key = world.partner("Ann")
    world.lead(ADA, key)
    return key


def sound(world: World) -> None:
    """No check finds anything; those of payouts know none of what is said to be paid here."""
    found = violations(world.engine)
    assert {name for name in found if not name.startswith("payout_")} == set()
    assert replay(world.engine).differences == []


class TestSetUpLater:
    def test_a_second_programme_pays_nothing_for_what_was_rewarded(
        self, world: World, api: Caller, ann: int
    ) -> None:
        """DOMAIN A12: not even when a refund has the invoice worked out again."""
        world.receive(paid("1", "cb1", ADA))
        other = world.add(Program(name="Other", timezone="UTC"))
        programs = [ids.encode("prg", key) for key in (world.program, other)]
        api.create("/reward-rules", program_id=programs[1], name="ten", kind="percent", rate="0.10")
        api.change(f"/partners/{ids.encode('par', ann)}", program_ids=programs)
        world.receive(refunded("r", "txn_1", 100))
        assert world.earned() == 1_980

        world.receive(paid("2", "cb1", ADA, day=2))
        assert world.earned(invoice="inv_2") == 3_000
        sound(world)

    @pytest.mark.parametrize("later", [False, True])
    def test_a_customer_that_moves_away_loses_nothing(
        self, later: bool, world: World, ann: int
    ) -> None:
        """DOMAIN A12, V10; partner-programs 2, Dub (d): whichever of the two is told first."""
        world.add_version(world.rule, 2, 200_000, conditions={"countries": ["DE"]})
        sale = paid("1", "cb1", ADA)
        sale["content"]["customer"]["billing_address"] = {"country": "DE"}
        there = customer("cb1", ADA, 5, billing_address={"country": "US"})
        move = event("ev_m", "customer_changed", 5, customer=there)
        world.receive(*((move, sale) if later else (sale, move)))
        world.receive(refunded("r", "txn_1", 100, 6))

        assert world.earned() == 1_980

    @pytest.mark.parametrize("status", ["pending", "paid"])
    def test_a_deal_of_a_later_payment_does_not_share_it(
        self, status: str, world: World, ann: int
    ) -> None:
        """DOMAIN S1, S7, A12."""
        bob = world.partner("Bob")
        world.receive(paid("1", "cb1", ADA))
        if status == "paid":
            world.settle(status)
        deal = world.deal("other@one.example", bob)
        for partner in (ann, bob):
            world.add(DealShare(deal_id=deal, partner_id=partner, basis_points=5_000))
        later = paid("2", "cb1", "other@one.example", day=5)
        world.receive(later, refunded("r", "txn_1", 100, 6))

        assert world.earned(ann, invoice="inv_1") == 1_980
        assert world.earned(bob, invoice="inv_1") == 0
        sound(world)

    @pytest.mark.parametrize(("status", "left"), [("pending", 1_000), ("approved", 2_000)])
    def test_a_deal_entered_later_shares_earlier_payments_until_a_reward_is_approved(
        self, status: str, left: int, world: World, ann: int
    ) -> None:
        """DOMAIN M16, S7: as if it had been there, but what a person approved stays."""
        bob = world.partner("Bob")
        world.receive(paid("1", "cb1", ADA))
        if status == "approved":
            world.settle(status)
            (reward,) = world.all(Reward)
            world.pin(reward.customer_id)
        deal = world.deal(ADA, bob)
        for partner in (ann, bob):
            world.add(DealShare(deal_id=deal, partner_id=partner, basis_points=5_000))
        world.switch(conflict="first_wins")
        world.receive(paid("2", "cb1", ADA, day=5))

        assert world.earned(ann, invoice="inv_1") == left
        assert world.earned(bob, invoice="inv_1") == 2_000 - left
        sound(world)

    def test_an_attribution_that_proves_earlier_locks_an_earlier_rate(
        self, world: World, api: Caller, ann: int
    ) -> None:
        """DOMAIN A12, V10: rate_lock, and the first payment arrives last."""
        rule = api.create(
            "/reward-rules", program_id=ids.encode("prg", world.program), name="locked",
            kind="percent", rate="0.10", rate_lock="at_attribution", effective_from="2025-01-01",
        )  # fmt: skip
        path = f"/reward-rules/{rule['id']}"
        api.change(path, rate="0.50", effective_from="2026-01-03")
        world.receive(paid("2", "cb1", ADA, day=5))
        assert world.earned() == 2_000 + 5_000
        world.receive(paid("1", "cb1", ADA, day=0))

        assert world.earned(invoice="inv_2") == 2_000 + 1_000


class TestDebts:
    def test_a_debt_on_an_open_reward_nets_with_the_next_payout(
        self, world: World, ann: int
    ) -> None:
        """DOMAIN A4, V4: nobody has to review it, and it is reviewed again when it is none."""
        world.receive(paid("1", "cb1", ADA, 5_000, total=10_000))
        world.settle("paid")
        world.receive(paid("2", "cb1", ADA, 5_000, 1, invoice="inv_1", total=10_000))
        assert statuses(world) == [("paid", 1_000), ("pending", 1_000)]
        world.receive(refunded("r", "txn_1", 5_000, 2), refunded("s", "txn_2", 5_000, 2))
        assert statuses(world) == [("paid", 1_000), ("approved", -1_000)]
        sound(world)

        world.receive(*(won(name, of) for name, of in (("r", "txn_1"), ("s", "txn_2"))))
        assert statuses(world) == [("paid", 1_000), ("pending", 1_000)]
        sound(world)

    def test_a_debt_that_was_written_off_is_not_given_again(
        self, world: World, api: Caller, ann: int
    ) -> None:
        """DOMAIN V3, V4: the dispute is won, but the partner had kept the money."""
        world.receive(paid("1", "cb1", ADA))
        world.settle("paid")
        world.receive(refunded("r", "txn_1", 10_000))
        debt = api.get("/rewards", status="approved")["data"][0]["id"]
        answer = api.call("POST", f"/rewards/{debt}/decline", json={"reason": "let off"})
        assert answer.status_code == 200
        world.receive(won("r", "txn_1"))

        assert statuses(world) == [("paid", 2_000), ("declined", -2_000)]
        sound(world)

    def test_who_may_not_write_off_may_not_hold_a_debt_either(
        self, world: World, api: Caller, ann: int
    ) -> None:
        """DOMAIN V4: a held debt would never be netted."""
        world.receive(paid("1", "cb1", ADA))
        world.settle("paid")
        world.receive(refunded("r", "txn_1", 10_000))
        debt = api.get("/rewards", status="approved")["data"][0]["id"]
        key = api.make_key(["rewards:write"])
        body = {"reason": "not now"}

        assert api.call("POST", f"/rewards/{debt}/hold", key, json=body).status_code == 403
        assert api.call("POST", f"/rewards/{debt}/hold", json=body).status_code == 200


class TestRefundUnderWay:
    def test_holds_what_is_approved_until_it_fails(self, world: World, ann: int) -> None:
        """DOMAIN A2, V2: no payout takes it meanwhile, and the approval comes back."""
        world.receive(paid("1", "cb1", ADA))
        world.settle("approved")
        world.receive(started("r"))
        assert statuses(world) == [("hold", 2_000)]
        assert violations(world.engine) == {}

        world.receive(ended("r"))
        assert statuses(world) == [("approved", 2_000)]
        sound(world)

    def test_holds_again_after_one_was_released(self, world: World, api: Caller, ann: int) -> None:
        """DOMAIN A2: what a person released was another refund."""
        world.receive(paid("1", "cb1", ADA), started("r"))
        reward = api.get("/rewards")["data"][0]["id"]
        assert api.call("POST", f"/rewards/{reward}/release", json={}).status_code == 200
        assert statuses(world) == [("pending", 2_000)]

        world.receive(ended("r"), started("s"))
        assert statuses(world) == [("hold", 2_000)]


def statuses(world: World) -> list[tuple[str, int]]:
    """(status, amount) of each reward that comes to something, the oldest first."""
    sums: Counter[int] = Counter()
    for entry in world.all(LedgerEntry):
        sums[entry.reward_id] += entry.amount_minor
    rewards = sorted(world.all(Reward), key=lambda row: row.id)
    return [(row.status, sums[row.id]) for row in rewards if sums[row.id]]


def started(name: str) -> Json:
    body = refund(f"txn_{name}", "txn_1", 10_000, 1, status="in_progress")
    return event(f"ev_{name}", "refund_initiated", 1, transaction=body)


def ended(name: str) -> Json:
    body = refund(f"txn_{name}", "txn_1", 10_000, 2, status="failure")
    return event(f"ev_{name}_failed", "transaction_updated", 2, transaction=body)


def won(name: str, of: str) -> Json:
    body = refund(f"txn_{name}", of, 5_000 if name == "s" else 10_000, 9, status="voided")
    return event(f"ev_{name}_won", "transaction_updated", 9, transaction=body)
