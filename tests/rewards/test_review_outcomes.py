"""What comes of a review: holds that stay or end, rewards that are settled."""

import pytest

from rewards_service.rewards.changes import MACHINE_HOLDS
from rewards_service.rewards.review import WriteOffNeedsAdmin
from tests.builders.chargebee import at, paid, refunded
from tests.builders.world import World
from tests.rewards.bookkeeping import accounts, review, rewards, shown, violations

EMAIL = "ada@customer.example"


class TestHolds:
    """What the machine and people hold, and who may lift it."""

    def two_claim(self, world: World) -> None:
        """A customer whom a lead and a deal name different partners for."""
        world.lead(EMAIL, world.partner())
        world.deal(EMAIL, world.partner("Bob"))
        world.receive(paid("1", "cb1", EMAIL))

    def test_a_persons_hold_is_no_machines(self) -> None:
        assert "by_hand" not in MACHINE_HOLDS

    def test_the_machine_leaves_a_persons_hold_alone(self, books: World) -> None:
        review(books, "hold")
        books.receive(refunded("r", "txn_1", 5_000))

        (reward,) = rewards(books)
        assert (reward.status, reward.hold_reason) == ("hold", "by_hand")
        assert shown(books) == [(1, "hold", 1_000)]

    def test_what_a_person_released_is_not_held_again_for_that(self, world: World) -> None:
        """DOMAIN S2: the conflict is still open, but a person has looked."""
        self.two_claim(world)
        assert rewards(world)[0].hold_reason == "conflict"
        review(world, "pending")
        world.receive(refunded("r", "txn_1", 5_000))

        assert shown(world) == [(1, "pending", 1_000)]
        assert rewards(world)[0].released_holds == ["conflict"]

    def test_it_is_held_again_for_another_reason(self, world: World) -> None:
        """DOMAIN A2: an open refund is a reason of its own."""
        self.two_claim(world)
        review(world, "pending")
        opened = refunded("r", "txn_1", 1, status="in_progress")
        world.receive({**opened, "event_type": "refund_initiated"})

        assert [(row.status, row.hold_reason) for row in rewards(world)] in (
            [("hold", "refund_open")],
            [("pending", None)],  # the conflict comes first among the reasons
        )

    def test_a_persons_hold_replaces_the_machines_and_ends_in_a_new_judgement(
        self, world: World
    ) -> None:
        self.two_claim(world)
        review(world, "hold")
        assert rewards(world)[0].hold_reason == "by_hand"
        assert review(world, "hold") == []
        review(world, "pending")
        world.drain()

        assert (rewards(world)[0].status, rewards(world)[0].hold_reason) == ("hold", "conflict")
        assert violations(world) == {}

    def test_an_approval_may_be_taken_back_by_a_hold(self, books: World) -> None:
        """DOMAIN V8: what is owed is pending again."""
        review(books, "approved")
        review(books, "hold")

        assert accounts(books) == {"expense": 2_000, "payable_pending": -2_000}


class TestSettled:
    def test_declined_stays_declined_and_more_opens_the_next(self, world: World) -> None:
        """DOMAIN A4, V2."""
        world.lead(EMAIL, world.partner())
        world.receive(paid("1", "cb1", EMAIL, 5_000, invoice="inv", total=10_000))
        review(world, "declined")
        world.receive(paid("2", "cb1", EMAIL, 5_000, 1, invoice="inv", total=10_000))

        assert shown(world) == [(1, "declined", 1_000), (2, "pending", 1_000)]
        assert accounts(world) == {"expense": 1_000, "payable_pending": -1_000}
        assert violations(world) == {}

    def test_what_was_refused_is_not_taken_back_as_well(self, books: World) -> None:
        """DOMAIN V2, V4: who never got it does not owe it; partial or full refund alike."""
        review(books, "declined")
        books.receive(refunded("r", "txn_1", 4_000), refunded("s", "txn_1", 6_000, 1))

        assert shown(books) == [(1, "declined", 2_000)]
        assert accounts(books) == {}
        assert violations(books) == {}

    def test_a_paid_reward_is_taken_back_by_a_debt_of_the_same_currency(self, books: World) -> None:
        """DOMAIN V4: negative, approved, carried; partner-programs 2, PartnerStack: clawback only
        through support."""
        books.settle("paid")
        books.receive(refunded("r", "txn_1", 10_000))

        assert shown(books) == [(1, "paid", 2_000), (2, "approved", -2_000)]
        assert accounts(books) == {"clawback_receivable": 2_000, "paid": -2_000}
        assert {row.currency for row in rewards(books)} == {"USD"}

    def test_refusing_a_debt_is_a_write_off(self, books: World) -> None:
        """DOMAIN V4: it needs an admin."""
        books.settle("paid")
        books.receive(refunded("r", "txn_1", 10_000))
        debt = rewards(books)[1].id

        with pytest.raises(WriteOffNeedsAdmin, match=r"stands at -20\.00 USD: the partner owes it"):
            review(books, "declined", debt)
        review(books, "declined", debt, may_write_off=True)
        assert accounts(books) == {"expense": 2_000, "paid": -2_000}
        assert violations(books) == {}

    def test_a_reward_on_a_date_far_ago_keeps_its_day(self, books: World) -> None:
        """DOMAIN V5: neither a review nor a refund resets the clock."""
        before = rewards(books)[0].available_on
        review(books, "hold")
        review(books, "pending")
        books.receive(refunded("r", "txn_1", 5_000, 40))

        assert rewards(books)[0].available_on == before == at(0).date()
