"""What goes into payouts, on both databases."""

from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from rewards_service.kit.db import rehearsal, transaction
from rewards_service.kit.errors import Unprocessable
from rewards_service.payouts import making
from rewards_service.payouts.models import Payout, PayoutLine, PayoutStatusChange
from rewards_service.payouts.proof import PayoutDisagreesWithLedger
from tests.payouts.books import CUT_OFF, Books


class TestCreate:
    def test_one_partner_and_one_currency_make_one_payout(self, books: Books) -> None:
        """DOMAIN V6."""
        ann, bob = books.partner("Ann"), books.partner("Bob")
        books.reward(ann, 1_000)
        books.reward(ann, 500)
        books.reward(bob, 300)
        books.reward(ann, 9_900, currency="EUR")
        made = books.make()

        assert [(p.partner_id, p.currency, p.total_minor) for p in made.payouts] == [
            (ann, "USD", 1_500), (bob, "USD", 300),
        ]  # fmt: skip
        assert books.total(books.payout(currency="EUR")) == 9_900
        assert books.violations() == {}

    def test_only_what_is_approved_and_available_goes_in(self, books: Books) -> None:
        """DOMAIN V2, V6."""
        ann = books.partner()
        taken = books.reward(ann, 100, available_on=CUT_OFF)
        later = books.reward(ann, 200, available_on=CUT_OFF + timedelta(days=1))
        others = [books.reward(ann, 400, status=name) for name in ("pending", "hold", "declined")]
        payout = books.payout()

        assert [line.reward_id for line in books.lines(payout)] == [taken]
        assert books.status(taken, later, *others) == [
            "in_payout", "approved", "pending", "hold", "declined",
        ]  # fmt: skip

    def test_what_is_owed_moves_with_it_in_the_ledger(self, books: Books) -> None:
        """DOMAIN V8."""
        ann = books.partner()
        books.reward(ann, 1_000)
        assert books.accounts(ann) == {"payable_approved": 1_000}

        books.payout()
        assert books.accounts(ann) == {"payable_in_payout": 1_000}

    def test_asked_again_it_finds_nothing_more(self, books: Books) -> None:
        """DOMAIN V6: nothing is in two payouts."""
        ann = books.partner()
        books.reward(ann, 1_000)
        books.payout(ann)
        again = books.make(ann)

        assert again.payouts == []
        assert [(one.partner_id, one.reason) for one in again.left_out] == [(ann, "nothing_due")]

    def test_a_refund_after_payout_is_taken_from_the_next_one(self, books: Books) -> None:
        """DOMAIN V4; partner-programs 3, pain 2; Dub (b): a refund after payout is not ignored."""
        ann = books.partner()
        paid = books.reward(ann, 1_000)
        books.pay(books.payout())
        books.take_back(paid, 400)
        books.reward(ann, 700)
        second = books.payout()

        assert sorted(books.amounts(second)) == [-400, 700]
        assert books.total(second) == 300
        books.pay(second)
        assert books.accounts(ann) == {"paid": 1_300}
        assert books.violations() == {}

    def test_a_refund_while_the_reward_is_in_a_payout_leaves_the_payout_as_it_is(
        self, books: Books
    ) -> None:
        """DOMAIN V4, A4; partner-programs 3, pain 11: payout drift."""
        ann = books.partner()
        reward = books.reward(ann, 1_000)
        payout = books.payout()
        debt = books.take_back(reward, 250)
        books.pay(payout)

        assert (books.total(payout), books.status(reward, debt)) == (1_000, ["paid", "approved"])
        assert books.accounts(ann) == {"paid": 1_000, "clawback_receivable": -250}
        assert books.violations() == {}

    def test_a_negative_balance_is_shown_and_carried(self, books: Books) -> None:
        """DOMAIN V4: never paid, never forgotten."""
        ann = books.partner()
        paid = books.reward(ann, 1_000)
        books.pay(books.payout())
        books.take_back(paid, 1_000)
        books.reward(ann, 300)
        made = books.make()

        assert made.payouts == []
        assert made.left_out == [making.LeftOut(ann, "negative_balance", -700)]
        books.reward(ann, 800)
        assert books.total(books.payout()) == 100

    def test_a_debt_in_one_currency_takes_nothing_from_another(self, books: Books) -> None:
        """DOMAIN V4: never cross-currency; partner-programs 3, pain 8."""
        ann = books.partner()
        paid = books.reward(ann, 1_000, currency="USD")
        books.pay(books.payout())
        books.take_back(paid, 600)
        books.reward(ann, 500, currency="EUR")

        assert books.total(books.payout(currency="EUR")) == 500
        assert books.make(currency="USD").left_out[0].balance_minor == -600

    def test_below_the_threshold_a_partner_waits(self, books: Books) -> None:
        """DOMAIN V6: threshold per currency."""
        ann, bob = books.partner("Ann"), books.partner("Bob")
        books.reward(ann, 4_999)
        books.reward(bob, 5_000)
        made = books.make(threshold=5_000)

        assert [payout.partner_id for payout in made.payouts] == [bob]
        assert made.left_out == [making.LeftOut(ann, "below_threshold", 4_999)]

    def test_a_reward_that_sums_to_nothing_is_left_open(self, books: Books) -> None:
        ann = books.partner()
        nothing, some = books.reward(ann, 0), books.reward(ann, 10)
        books.payout()

        assert books.status(nothing, some) == ["approved", "in_payout"]

    def test_an_unknown_partner_is_refused(self, books: Books) -> None:
        with pytest.raises(Unprocessable, match="no such partner"):
            books.make(4_711)

    def test_it_is_noted_who_made_it(self, books: Books) -> None:
        books.reward(books.partner(), 10)
        payout = books.payout()
        with transaction(books.engine) as session:
            (change,) = session.query(PayoutStatusChange).all()
            assert (change.payout_id, change.from_status, change.to_status, change.actor) == (
                payout, None, "draft", "test",
            )  # fmt: skip

    def test_a_rehearsal_leaves_nothing_behind(self, books: Books) -> None:
        reward = books.reward(books.partner(), 10)
        with transaction(books.engine) as session, rehearsal(session):
            made = making.create(session, making.Wanted("USD", CUT_OFF), "test")
            assert [payout.total_minor for payout in made.payouts] == [10]

        assert books.status(reward) == ["approved"]
        assert books.total(books.payout()) == 10

    def test_when_lines_and_ledger_disagree_nothing_is_made(self, books: Books) -> None:
        """DOMAIN V6; partner-programs 3, pain 12."""
        ann = books.partner()
        reward = books.reward(ann, 1_000)
        books.post_one_side(reward, 5)
        with pytest.raises(PayoutDisagreesWithLedger, match="stands"):
            books.make(ann)

        assert books.status(reward) == ["approved"]


class TestUniqueLines:
    def test_the_database_refuses_a_reward_in_two_payouts(self, books: Books) -> None:
        """DOMAIN V6; partner-programs 3, pain 11: the constraint decides, not a look-up."""
        reward = books.reward(books.partner(), 1_000)
        first = books.payout()
        with Session(books.engine) as session:
            line = PayoutLine(payout_id=first, reward_id=reward, amount_minor=1_000)
            session.add_all([line, _copy_of(session.get_one(Payout, first), line)])
            with pytest.raises(IntegrityError, match="reward_id"):
                session.flush()

        assert len(books.lines(first)) == 1


def _copy_of(payout: Payout, line: PayoutLine) -> Payout:
    """Another payout, for a line that is in the first already."""
    columns = {column.name: getattr(payout, column.name) for column in Payout.__table__.columns}
    copy = Payout(**{**columns, "id": 4_711})
    line.payout_id = copy.id
    return copy
