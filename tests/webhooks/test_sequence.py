"""Rules that count: an event comes to the same, alone or in a batch."""

from itertools import count
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rewards_service.inbox.models import ReceivedEvent
from rewards_service.replay.service import replay
from rewards_service.rewards.models import LedgerEntry, Reward
from rewards_service.transactions.models import RewardDue
from tests.builders.chargebee import (
    Json,
    credit_note,
    epoch,
    event,
    invoice,
    paid,
    payment,
    refund,
    refunded,
)
from tests.builders.world import World

ADA, BEN = "ada@{}.example", "ben@{}.example"
STEPS = [{"up_to": {"USD": 15_000}, "rate_millionths": 100_000}, {"rate_millionths": 200_000}]


def tiers(mode: str, window: str = "lifetime", **more: Any) -> Json:
    return {"tiers": {"mode": mode, "metric": "base_amount", "window": window, "steps": STEPS,
                      **more}}  # fmt: skip


def cap(scope: str, window: str) -> Json:
    return {"caps": [{"scope": scope, "window": window, "amounts": {"USD": 1_500}}]}


RULES: list[Json] = [
    tiers("slab"), tiers("graduated"), tiers("slab", restate=True), tiers("slab", "month"),
    tiers("slab", "rolling_12_months"), cap("partner", "lifetime"), cap("customer", "month"),
    {"first_payments": 1}, {"first_months": 1}, {**tiers("slab"), **cap("partner", "month")},
    {"rate_steps": [{"payments": 1, "rate_millionths": 500_000}, {"rate_millionths": 100_000}]},
]  # fmt: skip


def half(name: str, day: float, email: str) -> Json:
    return paid(name, "cb1", email, 5_000, day, total=10_000, invoice="inv_1")


def without_invoice(body: Json) -> Json:
    del body["content"]["invoice"]
    return body


def reapplied(name: str, to: str, day: float) -> Json:
    moved = {**payment(name, "cb1", 10_000, {to: 10_000}, day), "date": epoch(0)}
    return event(f"ev_{name}_moved", "transaction_updated", day, transaction=moved)


def chargeback(of: str, day: float, **more: Any) -> Json:
    found = refund("txn_c", of, 10_000, day, payment_method="chargeback", **more)
    return event(f"ev_c_{day}", "payment_refunded", day, transaction=found)


def changed(name: str, total: int, day: float, **more: Any) -> Json:
    found = {**invoice(name, "cb1", total, day, **more), "date": epoch(0)}
    return event(f"ev_{name}_{day}", "invoice_updated", day, invoice=found)


def stories(site: str) -> dict[str, list[Json]]:
    """Events in the order in which the log has them."""
    ada, ben = ADA.format(site), BEN.format(site)
    first, second = paid("1", "cb1", ada), paid("2", "cb1", ada, day=3)
    later = paid("3", "cb2", ben, day=6)
    return {
        "the invoice late": [without_invoice(first), second, changed("inv_1", 10_000, 4)],
        "a second half": [half("1", 0, ada), second, half("1b", 4, ada)],
        "an earlier half late": [half("1b", 4, ada), second, half("1", 0, ada)],
        "the refund first": [refunded("r", "txn_1", 10_000), second, first, later],
        "the payer known later": [
            paid("1", "cb2", "nobody@x.example"), second, later, paid("5", "cb1", ada, day=7)
        ],
        "another invoice": [first, second, reapplied("txn_1", "inv_9", 4),
                            changed("inv_9", 10_000, 4), later],
        "the invoice grows": [first, second, changed("inv_1", 20_000, 4),
                              paid("1b", "cb1", ada, day=5, total=20_000, invoice="inv_1"), later],
        "the invoice voided": [first, second, changed("inv_1", 10_000, 4, status="voided"), later],
        "a dispute won": [first, second, chargeback("txn_1", 4), later,
                          chargeback("txn_1", 5, status="voided")],
        "an adjustment": [first, second, later,
                          event("ev_n", "credit_note_created", 7,
                                credit_note=credit_note("cn", "inv_1", 6_000, 7))],
    }  # fmt: skip


@pytest.fixture
def counting(world: World) -> World:
    for terms in RULES:
        world.add_rule(100_000, **terms)
    return world


@pytest.fixture
def partners(counting: World) -> tuple[World, Any]:
    """Makes a site with a partner of its own, as often as it is asked."""
    numbers = count()

    def make() -> tuple[str, int]:
        site = f"site{next(numbers)}"
        ann = counting.partner(site)
        counting.lead(ADA.format(site), ann)
        counting.lead(BEN.format(site), ann)
        counting.site = counting.connect(site)
        return site, ann

    return counting, make


def earned(world: World, partner: int) -> dict[tuple[int, str], int]:
    """(rule version, invoice) -> what the partner has for it."""
    query = (
        select(Reward.rule_version_id, Reward.invoice_id, func.sum(LedgerEntry.amount_minor))
        .join(LedgerEntry, LedgerEntry.reward_id == Reward.id)
        .where(Reward.partner_id == partner)
        .group_by(Reward.rule_version_id, Reward.invoice_id)
    )
    with Session(world.engine) as session:
        return {(rule, name): int(total) for rule, name, total in session.execute(query) if total}


def both_ways(world: World, make: Any, told: Any, cuts: set[int]) -> tuple[Any, Any]:
    """What a partner earns of events one after the other, and in batches that end at `cuts`."""
    site, alone = make()
    world.receive(*told(site))
    site, together = make()
    for number, body in enumerate(told(site)):
        world.accept(body)
        if number in cuts:
            world.drain()
    world.drain()
    with Session(world.engine) as session:
        states = set(session.scalars(select(ReceivedEvent.state)))
    assert states <= {"done"}
    assert world.all(RewardDue) == []
    return earned(world, alone), earned(world, together)


class TestProcess:
    @pytest.mark.parametrize("story", stories(""))
    def test_a_batch_comes_to_what_its_events_come_to_one_by_one(
        self, story: str, partners: tuple[World, Any]
    ) -> None:
        """DOMAIN V10, A9-A11: counters follow the log, whenever the worker happens to look."""
        world, make = partners
        alone, together = both_ways(world, make, lambda site: stories(site)[story], set())
        assert alone
        assert together == alone
        assert replay(world.engine).differences == []

    def test_what_one_leaves_of_a_cap_goes_to_who_waited_not_to_who_comes_next(
        self, partners: tuple[World, Any]
    ) -> None:
        """DOMAIN A10: a refund frees room for the second, before the third is there."""
        world, make = partners

        def told(site: str) -> list[Json]:
            payers = [paid("1", "cb1", ADA.format(site)), paid("2", "cb2", BEN.format(site), day=1)]
            return [*payers, refunded("r", "txn_1", 10_000, 2),
                    paid("3", "cb1", ADA.format(site), day=3)]  # fmt: skip

        alone, together = both_ways(world, make, told, {1})
        capped = 1 + 1 + RULES.index(cap("partner", "lifetime"))
        assert (alone[(capped, "inv_2")], alone[(capped, "inv_3")]) == (1_000, 500)
        assert together == alone

    @settings(max_examples=3, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        story=st.sampled_from(sorted(stories(""))),
        other=st.sampled_from(sorted(stories(""))),
        seed=st.integers(0, 1_000_000),
        cuts=st.sets(st.integers(0, 8), max_size=3),
    )
    def test_wherever_batches_end_the_log_alone_decides(
        self, story: str, other: str, seed: int, cuts: set[int], partners: tuple[World, Any]
    ) -> None:
        """DOMAIN V10: stories mixed, in any order of arrival."""
        world, make = partners

        def told(site: str) -> list[Json]:
            both = stories(site)
            some = {body["id"]: body for body in (*both[story], *both[other])}
            mixed = sorted(some.values(), key=lambda body: body["id"])
            Random(seed).shuffle(mixed)  # noqa: S311
            return mixed

        alone, together = both_ways(world, make, told, cuts)
        assert together == alone
