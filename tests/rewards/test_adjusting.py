"""What people add to rewards, or take from them, by hand."""

import pytest

from rewards_service.audit.models import AuditEntry
from rewards_service.kit.errors import Unprocessable
from rewards_service.kit.money import MAX_AMOUNT
from rewards_service.rewards.models import LedgerEntry
from rewards_service.rewards.review import WriteOffNeedsAdmin
from tests.builders.chargebee import paid, refunded
from tests.builders.world import World
from tests.rewards.bookkeeping import (
    PERSON,
    accounts,
    correct,
    review,
    rewards,
    shown,
    violations,
)

EMAIL = "ada@customer.example"


class TestAdjust:
    def test_an_open_reward_takes_it(self, books: World) -> None:
        """DOMAIN V1: an entry of its own, with who and why; no amount is changed."""
        (reward,) = rewards(books)
        assert correct(books, reward.id, -300) == reward.id
        entry = books.all(LedgerEntry)[-1]

        assert (entry.kind, entry.amount_minor) == ("adjust", -300)
        assert (entry.actor, entry.reason) == (PERSON, "agreed by phone")
        assert entry.cause_event_id is None
        assert shown(books) == [(1, "pending", 1_700)]
        assert accounts(books) == {"expense": 1_700, "payable_pending": -1_700}

    def test_it_survives_every_recalculation(self, books: World) -> None:
        """DOMAIN A4, V1: a refund takes back what the payment earned, not what a person gave."""
        correct(books, rewards(books)[0].id, 500)
        books.receive(refunded("r", "txn_1", 5_000))
        assert shown(books) == [(1, "pending", 1_500)]
        books.receive(refunded("s", "txn_1", 5_000, 1))

        assert shown(books) == [(1, "pending", 500)]
        assert violations(books) == {}

    def test_beside_a_settled_reward_it_opens_the_next(self, books: World) -> None:
        """DOMAIN A4: approved when it takes, pending when it gives; the settled one stays."""
        books.receive(paid("2", "cb1", EMAIL))
        first, second = (row.id for row in rewards(books))
        books.settle("paid")
        correct(books, first, -300)
        correct(books, second, 400)

        assert shown(books) == [
            (1, "paid", 2_000), (1, "paid", 2_000), (2, "approved", -300), (2, "pending", 400),
        ]  # fmt: skip
        assert violations(books) == {}

    def test_the_open_one_beside_it_takes_what_follows(self, books: World) -> None:
        """DOMAIN A4: entries post to the open seq."""
        (paid_one,) = rewards(books)
        books.settle("paid")
        books.receive(refunded("r", "txn_1", 5_000))
        debt = rewards(books)[1].id

        assert correct(books, paid_one.id, -100) == debt
        assert shown(books)[1] == (2, "approved", -1_100)

    def test_what_a_partner_owes_is_written_off_by_an_admin_only(self, books: World) -> None:
        """DOMAIN V4: Admin and a reason; what is added on top of the debt is owed again."""
        books.settle("paid")
        books.receive(refunded("r", "txn_1", 5_000))
        debt = rewards(books)[1].id

        with pytest.raises(WriteOffNeedsAdmin):
            correct(books, debt, 1, may_write_off=False)
        correct(books, debt, 1_200)
        assert accounts(books, debt) == {"expense": 200, "payable_approved": -200}
        assert violations(books) == {}

    def test_a_refused_reward_can_be_made_good(self, books: World) -> None:
        """DOMAIN V2: declined is for good; another takes its place."""
        review(books, "declined")
        correct(books, rewards(books)[0].id, 2_000)

        assert shown(books) == [(1, "declined", 2_000), (2, "pending", 2_000)]
        assert accounts(books) == {"expense": 2_000, "payable_pending": -2_000}
        assert violations(books) == {}

    def test_a_sum_that_cannot_be_stored_is_refused(self, books: World) -> None:
        with pytest.raises(Unprocessable):
            correct(books, rewards(books)[0].id, MAX_AMOUNT)

    def test_it_is_audited_with_before_and_after(self, books: World) -> None:
        correct(books, rewards(books)[0].id, -300)
        entry = next(e for e in books.all(AuditEntry) if e.action == "reward.adjusted")

        assert (entry.actor, entry.reason) == (PERSON, "agreed by phone")
        assert entry.detail["before"] == {"amount_minor": 2_000}
        assert entry.detail["after"] == {"amount_minor": 1_700, "status": "pending", "seq": 1}
        assert entry.detail["amount_minor"] == -300
