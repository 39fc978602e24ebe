"""Many hands at once: PostgreSQL decides by locks, SQLite by its one writer."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rewards_service.kit.db import transaction
from rewards_service.kit.errors import Conflict
from rewards_service.payouts import making, service
from rewards_service.payouts.models import Payout, PayoutLine
from tests.payouts.books import CUT_OFF, Books

HANDS = 6


class TestRaces:
    def test_payouts_made_at_once_share_no_reward(self, books: Books) -> None:
        """DOMAIN V6; partner-programs 3, pain 11: races between payouts."""
        partners = [books.partner(name) for name in ("Ann", "Bob", "Cay")]
        for partner in partners * 4:
            books.reward(partner, 100)
        start = Barrier(HANDS)

        def make(_: int) -> int:
            start.wait()
            with transaction(books.engine) as session:
                wanted = making.Wanted("USD", CUT_OFF)
                return len(making.create(session, wanted, "test").payouts)

        with ThreadPoolExecutor(HANDS) as pool:
            made = list(pool.map(make, range(HANDS)))

        assert sorted(made) == [0] * (HANDS - 1) + [len(partners)]
        with Session(books.engine) as session:
            query = select(func.count(), func.count(PayoutLine.reward_id.distinct()))
            assert session.execute(query.select_from(PayoutLine)).one() == (12, 12)
        assert books.violations() == {}

    def test_paid_and_cancelled_at_once_one_of_them_wins(self, books: Books) -> None:
        """DOMAIN V6."""
        reward = books.reward(books.partner(), 100)
        payout = books.payout()
        books.ready(payout)
        start = Barrier(HANDS)

        def end(hand: int) -> str:
            start.wait()
            try:
                with transaction(books.engine) as session:
                    if hand % 2:
                        return service.cancel(session, payout, None, "test").status
                    return service.mark_paid(session, payout, CUT_OFF, None, "test").status
            except Conflict:
                return "refused"

        with ThreadPoolExecutor(HANDS) as pool:
            ends = set(pool.map(end, range(HANDS)))

        status = books.get(Payout, payout).status
        assert ends == {status, "refused"}
        assert books.status(reward) == ["paid" if status == "paid" else "approved"]
        assert books.violations() == {}
