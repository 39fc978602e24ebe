"""The way of a payout to paid or cancelled, on both databases."""

from collections.abc import Callable
from datetime import date, timedelta
from itertools import product

import pytest
from sqlalchemy import select

from rewards_service.audit.models import AuditEntry
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import transaction
from rewards_service.kit.errors import NotFound, Unprocessable
from rewards_service.payouts import service
from rewards_service.payouts.models import Payout, PayoutStatusChange
from rewards_service.payouts.proof import PayoutDisagreesWithLedger
from rewards_service.payouts.service import MOVES, PayoutWrongStatus
from tests.payouts.books import CUT_OFF, Books

ON = date(2026, 4, 2)


def move(books: Books, payout: int, to_status: str) -> None:
    with transaction(books.engine) as session:
        if to_status == "pending":
            service.submit(session, payout, "test")
        elif to_status == "ready":
            service.accept(session, payout, "test")
        elif to_status == "paid":
            service.mark_paid(session, payout, ON, None, "test")
        else:
            service.cancel(session, payout, None, "test")


WAYS = {
    "draft": (),
    "pending": ("pending",),
    "ready": ("pending", "ready"),
    "paid": ("pending", "ready", "paid"),
    "cancelled": ("cancelled",),
}


def made(books: Books, status: str) -> int:
    """A payout of a partner of its own, led to a status."""
    partner = books.partner()
    books.reward(partner, 1_000)
    payout = books.payout(partner)
    for step in WAYS[status]:
        move(books, payout, step)
    return payout


class TestMoves:
    def test_only_what_the_table_allows_can_be_done(self, books: Books) -> None:
        """DOMAIN V6."""
        for start, to_status in product(WAYS, ("pending", "ready", "paid", "cancelled")):
            payout = made(books, start)
            if to_status in MOVES.get(start, ()) or to_status == start:
                move(books, payout, to_status)
                assert books.get(Payout, payout).status == to_status
            else:
                with pytest.raises(PayoutWrongStatus, match=f"is {start}"):
                    move(books, payout, to_status)
                assert books.get(Payout, payout).status == start
        assert books.violations() == {}

    def test_said_twice_it_is_done_once(self, books: Books) -> None:
        for end in ("paid", "cancelled"):
            payout = made(books, "draft")
            for name in WAYS[end]:
                move(books, payout, name)
                move(books, payout, name)
            change = PayoutStatusChange
            with transaction(books.engine) as session:
                query = select(change.to_status).where(change.payout_id == payout)
                moves = session.scalars(query.order_by(change.id)).all()

            assert list(moves) == ["draft", *WAYS[end]]

    def test_there_has_to_be_such_a_payout(self, books: Books) -> None:
        with pytest.raises(NotFound):
            move(books, 4_711, "cancelled")

    def test_every_move_of_money_is_in_the_audit_log_with_before_and_after(
        self, books: Books
    ) -> None:
        books.reward(books.partner(), 1_000)
        payout = books.payout()
        books.pay(payout)
        with transaction(books.engine) as session:
            query = select(AuditEntry).where(AuditEntry.subject_kind == "payout")
            entries = session.scalars(query.order_by(AuditEntry.id)).all()

        assert [entry.action for entry in entries] == [
            "payout.created", "payout.pending", "payout.ready", "payout.paid",
        ]  # fmt: skip
        assert entries[-1].detail["before"] == {"status": "ready"}
        assert entries[-1].detail["after"]["total_minor"] == 1_000


class TestMarkPaid:
    def test_the_rewards_are_paid_and_the_ledger_with_them(self, books: Books) -> None:
        """DOMAIN V2, V6, V8."""
        ann = books.partner()
        reward = books.reward(ann, 1_000)
        payout = books.payout()
        books.pay(payout, ON, "bank-1")
        found = books.get(Payout, payout)

        assert (found.paid_on, found.reference, found.status) == (ON, "bank-1", "paid")
        assert books.status(reward) == ["paid"]
        assert books.accounts(ann) == {"paid": 1_000}

    def test_a_payout_is_not_paid_a_second_time(self, books: Books) -> None:
        """DOMAIN V6: other words for a payment that was made are refused, not overwritten."""
        books.reward(books.partner(), 1_000)
        payout = books.payout()
        books.pay(payout, ON, "bank-1")
        for on, reference in ((ON, "bank-2"), (CUT_OFF, "bank-1")):
            with pytest.raises(PayoutWrongStatus), transaction(books.engine) as session:
                service.mark_paid(session, payout, on, reference, "test")

        assert books.get(Payout, payout).reference == "bank-1"

    def test_not_on_a_day_that_has_not_come(self, books: Books) -> None:
        books.reward(books.partner(), 1_000)
        payout = books.payout()
        books.ready(payout)
        late = utc_now().date() + timedelta(days=2)
        with (
            pytest.raises(Unprocessable, match="has not come"),
            transaction(books.engine) as session,
        ):
            service.mark_paid(session, payout, late, None, "test")

    def test_when_it_disagrees_with_the_ledger_nothing_is_moved(self, books: Books) -> None:
        """DOMAIN V6; partner-programs 3, pain 12: a statement that disagrees with the money."""
        for name, tamper in TAMPERING.items():
            ann = books.partner()
            reward = books.reward(ann, 1_000)
            payout = books.payout(ann)
            books.ready(payout)
            tamper(books, reward, payout)
            with pytest.raises(PayoutDisagreesWithLedger), transaction(books.engine) as session:
                service.mark_paid(session, payout, ON, None, "test")

            found = books.get(Payout, payout).status, books.status(reward)
            assert found == ("ready", ["in_payout"]), name


def _total(books: Books, reward: int, payout: int) -> None:
    books.change("UPDATE payouts SET total_minor = 999 WHERE status = 'ready'")


def _line(books: Books, reward: int, payout: int) -> None:
    _total(books, reward, payout)
    books.change("UPDATE payout_lines SET amount_minor = 999 WHERE active")


TAMPERING: dict[str, Callable[[Books, int, int], None]] = {
    "total": _total,
    "line": _line,
    "entry": lambda books, reward, payout: books.post_behind(reward, 1),
    "entries that cancel out": lambda books, reward, payout: books.post_behind(reward, 1, -1),
}


class TestCancel:
    def test_the_rewards_are_free_for_the_next_payout(self, books: Books) -> None:
        """DOMAIN V2: cancelling a payout returns its rows to approved."""
        for start in ("draft", "pending", "ready"):
            ann = books.partner()
            paid = books.reward(ann, 100)
            books.pay(books.payout(ann))
            rewards = [books.reward(ann, 1_000), books.take_back(paid, 60)]
            payout = books.payout(ann)
            for step in WAYS[start]:
                move(books, payout, step)
            books.cancel(payout)

            assert books.status(*rewards) == ["approved", "approved"]
            assert books.accounts(ann) == {
                "paid": 100, "payable_approved": 1_000, "clawback_receivable": -60,
            }  # fmt: skip
            again = books.payout(ann)
            assert books.amounts(again) == books.amounts(payout)
        assert books.violations() == {}

    def test_the_reason_is_kept(self, books: Books) -> None:
        books.reward(books.partner(), 100)
        payout = books.payout()
        with transaction(books.engine) as session:
            service.cancel(session, payout, "wrong month", "test")
        with transaction(books.engine) as session:
            query = select(PayoutStatusChange.reason).order_by(PayoutStatusChange.id.desc())
            assert session.scalars(query).first() == "wrong month"
