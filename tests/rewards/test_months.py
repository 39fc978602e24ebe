"""The month roll-up: kept by whoever posts, made anew from the ledger, filled for old databases."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, delete, select
from sqlalchemy.orm import Session

from rewards_service.kit.db import transaction
from rewards_service.kit.migrate import downgrade, upgrade
from rewards_service.kit.money import MAX_AMOUNT
from rewards_service.payouts import making, service
from rewards_service.rewards import months
from rewards_service.rewards.models import LedgerEntry, RewardMonth
from rewards_service.rewards.months import effect_of
from tests.builders.chargebee import at, paid, refunded
from tests.builders.world import World

AT = datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC)
LATER = datetime(2026, 2, 1, tzinfo=UTC)
NAMES = (*months.KEY, *months.COLUMNS)


def kept(engine: Engine) -> set[tuple[Any, ...]]:
    with Session(engine) as session:
        return {
            tuple(getattr(row, name) for name in NAMES)
            for row in session.scalars(select(RewardMonth))
        }


def entry(key: int, partner: int, amount: int, effect: str = "earned") -> dict[str, Any]:
    return {"id": key, "partner_id": partner, "currency": "USD", "happened_at": AT,
            "posted_at": LATER, "effect": effect, "owed_minor": amount, "opens": True}  # fmt: skip


def side(key: int, amount: int) -> dict[str, Any]:
    return {"entry_id": key, "account": "payable_pending", "amount_minor": -amount}


@pytest.fixture
def busy(world: World) -> World:
    """Earned, approved, paid on the last of January, and taken back in part."""
    partner = world.partner()
    world.lead("ada@a.example", partner)
    world.receive(
        paid("1", "cb1", "ada@a.example", day=2), paid("2", "cb1", "ada@a.example", day=40)
    )
    world.settle("approved")
    wanted = making.Wanted("USD", at(90).date(), [partner])
    with transaction(world.engine) as session:
        (payout,) = making.create(session, wanted, "test").payouts
        service.submit(session, payout.id, "test")
        service.accept(session, payout.id, "test")
        service.mark_paid(session, payout.id, AT.date(), None, "test")
    world.receive(refunded("r", "txn_1", 4_000, day=60))
    return world


class TestEffectOf:
    """DOMAIN V8."""

    @pytest.mark.parametrize(
        ("kind", "amount", "sides", "expected"),
        [
            ("earn", 5, {"expense": 5, "payable_pending": -5}, ("earned", 5)),
            ("cap_release", 5, {"expense": 5, "payable_pending": -5}, ("earned", 5)),
            ("reverse", -5, {"expense": -5, "clawback_receivable": 5}, ("reversed", -5)),
            ("adjust", -5, {"expense": -5, "payable_approved": 5}, ("adjusted", -5)),
            ("adjust", 0, {"payable_pending": 5, "payable_approved": -5}, (None, 0)),
            ("adjust", 0, {"payable_pending": 5, "expense": -5}, ("declined", -5)),
            ("adjust", 0, {"clawback_receivable": -5, "expense": 5}, ("declined", 5)),
            ("adjust", 0, {"payable_in_payout": 5, "paid": -5}, ("paid", -5)),
            ("adjust", 0, {"payable_in_payout": -5, "paid": 5}, ("paid", 5)),
        ],
    )
    def test_it_is_what_the_sides_do_to_what_is_owed(
        self, kind: str, amount: int, sides: Mapping[str, int], expected: tuple[str | None, int]
    ) -> None:
        assert effect_of(kind, amount, sides) == expected


class TestAdd:
    def test_whoever_adds_at_the_same_time_adds_to_the_same(self, engine: Engine) -> None:
        """In whatever order each names the partners: nobody waits for ever, nothing is lost."""

        def post(turn: int) -> None:
            partners = [1, 2, 3] if turn % 2 else [3, 2, 1]
            entries = [entry(key, key, 10) for key in partners]
            with transaction(engine) as session:
                months.add(session, entries, [side(key, 10) for key in partners])

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(post, range(20)))

        names = ("partner_id", "month_on", "known_on", "earned_minor", "pending_minor", "rewards")
        happened, known = AT.date().replace(day=1), LATER.date()
        assert {tuple(row[NAMES.index(name)] for name in names) for row in kept(engine)} == {
            (partner, happened, known, 200, 200, 20) for partner in (1, 2, 3)
        }

    def test_a_sum_may_be_larger_than_an_amount(self, engine: Engine) -> None:
        with transaction(engine) as session:
            for key in (1, 2):
                months.add(session, [entry(key, 1, MAX_AMOUNT)], [])

        (row,) = kept(engine)
        earned = row[NAMES.index("earned_minor")]
        exact = engine.dialect.name == "postgresql"  # SQLite's integers end where amounts do
        assert earned == 2 * MAX_AMOUNT if exact else earned == pytest.approx(2 * MAX_AMOUNT)


class TestRebuild:
    def test_it_comes_to_what_was_kept(self, busy: World) -> None:
        before = kept(busy.engine)
        with transaction(busy.engine) as session:
            session.execute(delete(RewardMonth))
            months.rebuild(session)

        assert kept(busy.engine) == before
        assert {row[1].month for row in before} >= {1, 2, 3}


class TestMigration:
    def test_what_was_posted_before_is_dated_and_summed(self, busy: World) -> None:
        def read() -> list[Any]:
            names = ("id", "partner_id", "currency", "happened_at", "effect", "owed_minor", "opens")
            with Session(busy.engine) as session:
                query = select(*(getattr(LedgerEntry, name) for name in names))
                return [tuple(row) for row in session.execute(query.order_by(LedgerEntry.id))]

        before, url = (read(), kept(busy.engine)), busy.engine.url.render_as_string(False)
        busy.engine.dispose()
        downgrade(url, "0014")
        upgrade(url)

        assert (read(), kept(busy.engine)) == before
        assert {row[4] for row in before[0]} == {"earned", "paid", "reversed", None}
