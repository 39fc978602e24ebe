import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as rounds
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from rewards_service.kit.db import transaction
from rewards_service.kit.errors import RewardsError
from rewards_service.rewards import ledger
from rewards_service.rewards.ledger import Difference
from rewards_service.rewards.models import LedgerEntry, LedgerPosting, Reward
from rewards_service.rewards.review import LAWFUL
from tests.builders.chargebee import paid, refunded
from tests.builders.world import World
from tests.rewards.bookkeeping import (
    accounts,
    correct,
    review,
    rewards,
    shown,
    violations,
)

EMAIL = "ada@customer.example"


def post(world: World, status: str, *amounts: int) -> list[str]:
    (row,) = rewards(world)
    with transaction(world.engine) as session:
        return ledger.post(
            session,
            [Difference(row.id, row.partner_id, "USD", status, amount, None) for amount in amounts],
        )


class TestPost:
    def test_the_sign_names_the_entry_unless_its_kind_is_given(self, books: World) -> None:
        """DOMAIN V1."""
        assert post(books, "pending", 5, -5) == ["earn", "reverse"]
        (row,) = rewards(books)
        released = Difference(row.id, row.partner_id, "USD", "pending", 7, None, "cap_release")
        with transaction(books.engine) as session:
            assert ledger.post(session, [released]) == ["cap_release"]

    def test_what_is_not_approved_is_owed_as_pending(self, books: World) -> None:
        """DOMAIN V8."""
        post(books, "pending", 500)
        post(books, "hold", -900)

        assert accounts(books) == {"expense": 1_600, "payable_pending": -1_600}

    def test_an_approved_reward_below_zero_is_a_claim_of_ours(self, books: World) -> None:
        """DOMAIN V8: from zero on, what the partner owes stands on clawback_receivable."""
        review(books, "approved")

        post(books, "approved", -500)
        assert accounts(books) == {"expense": 1_500, "payable_approved": -1_500}
        post(books, "approved", -1_800)
        assert accounts(books) == {"expense": -300, "clawback_receivable": 300}
        post(books, "approved", -200, 100, 900)
        assert accounts(books) == {"expense": 500, "payable_approved": -500}

    def test_a_settled_reward_takes_no_entries(self, books: World) -> None:
        """DOMAIN A4."""
        for status in ("declined", "in_payout", "paid"):
            with pytest.raises(ValueError, match=f"{status} takes no more entries"):
                post(books, status, 1)

    def test_an_entry_of_nothing_is_a_mistake(self, books: World) -> None:
        """DOMAIN A8."""
        with pytest.raises(RewardsError, match="do not sum to zero"):
            post(books, "pending", 0)


class TestMove:
    WAY = (
        ("hold", {"expense": 2_000, "payable_pending": -2_000}),
        ("pending", {"expense": 2_000, "payable_pending": -2_000}),
        ("approved", {"expense": 2_000, "payable_approved": -2_000}),
        ("in_payout", {"expense": 2_000, "payable_in_payout": -2_000}),
        ("approved", {"expense": 2_000, "payable_approved": -2_000}),
        ("in_payout", {"expense": 2_000, "payable_in_payout": -2_000}),
        ("paid", {"expense": 2_000, "paid": -2_000}),
    )

    def test_what_is_owed_follows_the_status(self, books: World) -> None:
        """DOMAIN V2, V8: cancelling a payout returns it to approved."""
        for status, expected in self.WAY:
            review(books, status)
            assert accounts(books) == expected, status
            assert violations(books) == {}, status

    def test_what_is_declined_was_never_spent(self, books: World) -> None:
        """DOMAIN V2, V8: the entry of amount 0 has an expense side, its reward keeps its sum."""
        books.receive(paid("2", "cb1", EMAIL), paid("3", "cb1", EMAIL))
        _, held, approved = (row.id for row in rewards(books))
        review(books, "hold", held)
        review(books, "approved", approved)
        review(books, "declined")

        assert accounts(books) == {}
        assert shown(books) == [(1, "declined", 2_000)] * 3
        assert violations(books) == {}

    def test_nothing_is_written_where_nothing_is_carried(self, books: World) -> None:
        review(books, "hold")
        books.receive(refunded("r", "txn_1", 10_000))
        review(books, "approved")

        assert [entry.amount_minor for entry in books.all(LedgerEntry)] == [2_000, -2_000]

    def test_a_debt_stays_a_claim_until_a_payout_nets_it(self, books: World) -> None:
        """DOMAIN V4, V8: refund of a paid reward."""
        books.settle("paid")
        books.receive(refunded("r", "txn_1", 5_000))
        debt = rewards(books)[1].id

        assert shown(books) == [(1, "paid", 2_000), (2, "approved", -1_000)]
        assert accounts(books, debt) == {"expense": -1_000, "clawback_receivable": 1_000}
        review(books, "in_payout", debt)
        assert accounts(books, debt) == {"expense": -1_000, "payable_in_payout": 1_000}
        review(books, "paid", debt)
        assert accounts(books) == {"expense": 1_000, "paid": -1_000}
        assert violations(books) == {}

    def test_a_refund_after_approval_lowers_what_is_approved(self, books: World) -> None:
        """DOMAIN V4: the two rows net in the same payout."""
        review(books, "approved")
        books.receive(refunded("r", "txn_1", 5_000))

        assert shown(books) == [(1, "approved", 1_000)]
        assert accounts(books) == {"expense": 1_000, "payable_approved": -1_000}


class TestGuard:
    """What PostgreSQL refuses at commit; SQLite cannot, `rewards check` looks there."""

    def side(self, account: str, amount: int) -> dict[str, object]:
        return {"account": account, "partner_id": 1, "currency": "USD", "amount_minor": amount}

    def write(self, world: World, amount: int, **sides: int) -> None:
        (row,) = rewards(world)
        with transaction(world.engine) as session:
            entry = LedgerEntry(reward_id=row.id, kind="adjust", amount_minor=amount)
            session.add(entry)
            session.flush()
            for account, part in sides.items():
                session.add(LedgerPosting(entry_id=entry.id, **self.side(account, part)))

    def test_an_entry_of_nothing_only_has_to_balance(self, books: World) -> None:
        """DOMAIN V8."""
        self.write(books, 0, expense=-2_000, payable_pending=2_000)
        self.write(books, 0, payable_approved=-5, paid=5)

    def test_every_other_entry_is_refused(self, books: World) -> None:
        """DOMAIN V8."""
        cases: list[tuple[int, dict[str, int]]] = [
            (0, {}),
            (0, {"payable_approved": -5, "paid": 4}),
            (5, {"payable_approved": -5, "paid": 5}),
            (5, {"expense": 5, "payable_pending": -4}),
            (5, {"expense": 4, "payable_pending": -4}),
        ]
        if books.engine.dialect.name == "postgresql":
            for amount, sides in cases:
                with pytest.raises(IntegrityError, match="does not balance"):
                    self.write(books, amount, **sides)
            assert violations(books) == {}
            return
        for amount, sides in cases:
            self.write(books, amount, **sides)
        assert len(violations(books)["ledger"]) >= len(cases)


STEPS = st.lists(
    st.one_of(
        st.sampled_from([*LAWFUL]),
        st.integers(-3_000, 3_000).filter(bool),
        st.sampled_from(["refund", "pay"]),
    ),
    max_size=12,
)


class TestAnySequence:
    @given(STEPS)
    @rounds(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_balances_are_the_sums_of_entries(self, world: World, steps: list[str | int]) -> None:
        """DOMAIN V1, V8: the ledger sums to zero per currency, whatever people do in any order."""
        tag = f"{len(world.all(Reward))}_{len(world.all(LedgerEntry))}"
        email = f"{tag}@customer.example"
        world.lead(email, world.partner(f"P{tag}"))
        world.receive(paid(tag, f"cb{tag}", email, 4_000, invoice=tag, total=10_000))
        for number, step in enumerate(steps):
            self.do(world, tag, email, number, step)
        self.audit(world, tag)

    def do(self, world: World, tag: str, email: str, number: int, step: str | int) -> None:
        last = [row for row in rewards(world) if row.invoice_id == tag][-1]
        name = f"{tag}_{number}"
        if isinstance(step, int):
            correct(world, last.id, step)
        elif step == "refund":
            world.receive(refunded(f"r{name}", f"txn_{tag}", 700, number))
        elif step == "pay":
            world.receive(paid(name, f"cb{tag}", email, 300, number, invoice=tag, total=10_000))
        elif step == last.status or step in LAWFUL[last.status]:
            review(world, step, last.id, may_write_off=True)

    def audit(self, world: World, tag: str) -> None:
        keys = {row.id: row for row in rewards(world) if row.invoice_id == tag}
        sums = dict.fromkeys(keys, 0)
        for entry in world.all(LedgerEntry):
            if entry.reward_id in sums:
                sums[entry.reward_id] += entry.amount_minor
        for key, row in keys.items():
            owed = 0 if row.status == "declined" else sums[key]
            account = ledger.account_of(row.status, owed)
            expected = {"expense": owed, account: -owed} if owed else {}
            assert accounts(world, key) == expected, (row.status, owed)
        with Session(world.engine) as session:
            total = func.sum(LedgerPosting.amount_minor)
            query = select(total).group_by(LedgerPosting.currency)
            assert set(session.scalars(query)) == {0}
        assert violations(world) == {}
