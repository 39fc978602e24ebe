"""Whatever takes money back: alone, repeated, before its payment and in every order (V3, M15)."""

from collections import defaultdict
from collections.abc import Mapping
from itertools import permutations, zip_longest
from typing import NamedTuple

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.crm.models import Lead
from rewards_service.kit.db import transaction
from rewards_service.rewards.models import LedgerEntry, Reward
from rewards_service.transactions.models import Transaction
from tests.builders.chargebee import Json, event, payment
from tests.builders.whole import violations
from tests.builders.world import REGISTERED, World
from tests.proofs.reversal_tables import PART, TABLES, TOTAL, Case, email_of, pay, reward, take

Runs = dict[str, tuple[str, list[Json]]]  # payment -> (its case, its events in the order told)


class Found(NamedTuple):
    entries: list[int]
    hold: str | None  # of the last reward
    standing: str


def write_runs(table: Mapping[str, Case]) -> Runs:
    """Each case in every order there is, and with each event told three times."""
    runs = {}
    for number, (name, case) in enumerate(table.items()):
        for turn, order in enumerate(permutations(range(len(case.events("x"))))):
            p = f"c{number}o{turn}"
            events = case.events(p)
            runs[p] = name, [events[place] for place in order]
        events = case.events(f"c{number}twice")
        again = [e for told in events for e in (told, told, {**told, "id": f"{told['id']}_b"})]
        runs[f"c{number}twice"] = name, again
    return runs


def play(world: World, runs: Runs) -> None:
    """Tell each run's events one at a time, all runs side by side."""
    ann = world.partner("Ann")
    with transaction(world.engine) as session:
        session.add_all(
            Lead(email=email_of(p), email_key=email_of(p), partner_id=ann, status="accepted",
                 registered_at=REGISTERED)
            for p in runs
        )  # fmt: skip
    for turn in zip_longest(*(events for _, events in runs.values())):
        world.accept(*(told for told in turn if told is not None))
        world.drain()


def look(world: World, runs: Runs) -> dict[str, Found]:
    """What came of each run."""
    entries: dict[str, list[int]] = defaultdict(list)
    with Session(world.engine) as session:
        rewards = session.scalars(select(Reward).order_by(Reward.id)).all()
        holds = {row.invoice_id: row.hold_reason for row in rewards}
        invoices = {row.id: row.invoice_id for row in rewards}
        for entry in session.scalars(select(LedgerEntry).order_by(LedgerEntry.id)):
            entries[invoices[entry.reward_id]].append(entry.amount_minor)
        query = select(Transaction.chargebee_transaction_id, Transaction.status)
        kept = query.where(Transaction.withdrawn_at.is_(None))
        standing = {name: status for name, status in session.execute(kept)}  # noqa: C416
    return {p: Found(entries[f"inv_{p}"], holds.get(f"inv_{p}"), standing[f"txn_{p}"])
            for p in runs}  # fmt: skip


def is_right(case: Case, found: Found) -> bool:
    """The sum is right, no entry took more than there was, none was of nothing."""
    sums = [sum(found.entries[: place + 1]) for place in range(len(found.entries))]
    within = all(0 <= amount <= reward(TOTAL) for amount in sums) and 0 not in found.entries
    ended = (sum(found.entries), found.standing) == (case.earned, case.standing)
    return ended and within and (found.hold == case.hold or not found.entries)


class TestMatrix:
    @pytest.mark.parametrize("table", TABLES)
    def test_in_every_order_it_leaves_the_same_reward(self, table: str, world: World) -> None:
        """DOMAIN A2, A3, A14, V3, M15, V10: also before its payment; nothing is taken twice."""
        runs = write_runs(TABLES[table])

        play(world, runs)

        found = look(world, runs)
        wrong = [
            (name, [told["id"] for told in events], found[p])
            for p, (name, events) in runs.items()
            if not is_right(TABLES[table][name], found[p])
        ]
        assert wrong == []
        assert violations(world.engine) == {}


class TestPaymentsThatNeverCame:
    @pytest.mark.parametrize("status", ["failure", "timeout", "needs_attention", "in_progress"])
    def test_what_did_not_succeed_earns_nothing(self, status: str, world: World) -> None:
        """DOMAIN M1."""
        world.lead(email_of("p"), world.partner("Ann"))
        tried = payment("txn_p", "cb_p", TOTAL, {"inv_p": TOTAL}, status=status)
        for kind in ("payment_failed", "transaction_created", "payment_initiated"):
            world.receive(event(f"ev_{kind}", kind, 0, transaction=tried))

        assert (world.earned(), world.customers()) == (0, [])

    def test_a_refund_whose_payment_never_comes_stays_parked(self, world: World) -> None:
        """DOMAIN M15."""
        told = take("p", "r", PART, 1)
        world.receive(told)

        assert world.ended(told["id"]) == ("done", "parked_missing_parent")
        assert world.entries() == []

    def test_a_second_payment_of_the_invoice_is_untouched_by_a_refund_of_the_first(
        self, world: World
    ) -> None:
        """DOMAIN A2, A4: 4000 kept of the first, all of the second."""
        world.lead(email_of("p"), world.partner("Ann"))
        rest = TOTAL - 6_000
        second = {**pay("p", rest, invoice="inv_p"), "id": "ev_second"}
        second["content"]["transaction"]["id"] = "txn_second"
        world.receive(pay("p", 6_000, invoice="inv_p"), second, take("p", "r", 2_000, 1))

        assert world.earned(invoice="inv_p") == reward(TOTAL - 2_000)
