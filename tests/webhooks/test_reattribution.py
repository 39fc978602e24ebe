"""Another source partner by a person's word."""

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.crm.models import DealShare
from rewards_service.kit.db import transaction
from rewards_service.reports.checks import run_checks
from rewards_service.rewards.models import Reward
from rewards_service.rewards.review import change_status
from tests.builders.api import Caller, Json
from tests.builders.chargebee import at, paid, refunded
from tests.builders.world import World
from tests.webhooks.deciding import WHY, public

ADA = "ada@one.example"


def settle(world: World, invoice: str, *statuses: str) -> None:
    """Move the reward of an invoice from status to status."""
    with transaction(world.engine) as session:
        query = select(Reward.id).where(Reward.invoice_id == invoice).order_by(Reward.id)
        keys = list(session.scalars(query))
        for status in statuses:
            change_status(session, keys, status, WHY, "test")


def give(world: World, api: Caller, payer: str, partner: int | None, **more: Any) -> Json:
    """Give a payer's customer another source partner."""
    wanted = None if partner is None else public("par", partner)
    path = f"/customers/{public('cus', world.customer_of(payer).id)}"
    return api.change(path, source_partner_id=wanted, reason=WHY, **more)


@pytest.fixture
def ann(world: World) -> int:
    partner = world.partner("Ann")
    world.lead(ADA, partner)
    return partner


@pytest.fixture
def bob(world: World) -> int:
    return world.partner("Bob")


class TestProspective:
    def test_it_counts_from_now_on(self, world: World, api: Caller, ann: int, bob: int) -> None:
        """DOMAIN S5: default prospective."""
        world.receive(paid("p", "cb_1", ADA))
        shown = give(world, api, "cb_1", bob)
        world.receive(paid("q", "cb_1", ADA, day=1), refunded("r", "txn_p", 5_000, 2))

        assert shown["reward_changes"] == []
        assert (world.earned(ann), world.earned(bob)) == (1_000, 2_000)

    def test_shares_of_earlier_payments_stay(self, world: World, api: Caller, bob: int) -> None:
        """DOMAIN S5, S7: those of a deal that named the partner before."""
        cat, dan = world.partner("Cat"), world.partner("Dan")
        deal = world.deal(ADA, cat)
        for partner in (cat, dan):
            world.add(DealShare(deal_id=deal, partner_id=partner, basis_points=5_000))
        world.receive(paid("p", "cb_1", ADA))
        give(world, api, "cb_1", bob)
        world.receive(refunded("r", "txn_p", 5_000, 1), paid("q", "cb_1", ADA, day=2))

        assert [world.earned(partner) for partner in (cat, dan, bob)] == [500, 500, 2_000]


class TestRetroactive:
    def test_unpaid_rewards_move_and_paid_ones_stay(
        self, world: World, api: Caller, ann: int, bob: int
    ) -> None:
        """DOMAIN S5: reversing rows and new rows for what is unpaid."""
        world.receive(*(paid(name, "cb_1", ADA, day=day) for day, name in enumerate("pqrs")))
        settle(world, "inv_p", "approved", "in_payout", "paid")
        settle(world, "inv_q", "approved", "in_payout")
        settle(world, "inv_r", "approved")

        done = give(world, api, "cb_1", bob, retroactive=True)

        assert (world.earned(ann), world.earned(bob)) == (4_000, 4_000)
        assert done["kept_invoice_ids"] == ["inv_p", "inv_q"]
        assert done["reward_totals"] == [
            {"partner_id": public("par", ann), "currency": "USD", "amount_minor": -4_000},
            {"partner_id": public("par", bob), "currency": "USD", "amount_minor": 4_000},
        ]
        assert [amount for amount in world.entries() if amount] == [
            2_000, 2_000, 2_000, 2_000, -2_000, 2_000, -2_000, 2_000,
        ]  # fmt: skip
        with Session(world.engine) as session:
            failed = [check.id for check in run_checks(session) if not check.ok]
        assert [name for name in failed if not name.startswith("payout")] == []  # there is none

    def test_a_dry_run_shows_the_diff_first(
        self, world: World, api: Caller, ann: int, bob: int
    ) -> None:
        """DOMAIN S5."""
        world.receive(paid("p", "cb_1", ADA))
        shown = give(world, api, "cb_1", bob, retroactive=True, dry_run=True)

        assert shown["source_partner_id"] == public("par", ann)
        assert (world.earned(ann), world.earned(bob)) == (2_000, 0)
        done = give(world, api, "cb_1", bob, retroactive=True)
        assert [row["amount_minor"] for row in shown["reward_changes"]] == [-2_000, 2_000]
        for name in ("reward_changes", "reward_totals"):
            assert [_plain(row) for row in shown[name]] == [_plain(row) for row in done[name]]

    def test_it_stays_when_more_payments_come(
        self, world: World, api: Caller, ann: int, bob: int
    ) -> None:
        """DOMAIN S5, M17: also when an earlier payment of another payer has the lead's e-mail."""
        world.receive(paid("p", "cb_1", ADA, day=5))
        give(world, api, "cb_1", bob, retroactive=True)
        world.receive(paid("q", "cb_2", ADA, day=1), paid("r", "cb_1", ADA, day=6))

        assert (world.earned(ann), world.earned(bob)) == (0, 4_000)

    def test_payments_before_the_registration_earn_when_a_person_says_so(
        self, world: World, api: Caller, bob: int
    ) -> None:
        """DOMAIN S5, M16."""
        world.lead("new@one.example", world.partner("Ann"), at(1))
        world.receive(
            paid("p", "cb_1", "other@one.example"), paid("q", "cb_1", "new@one.example", day=2)
        )
        assert world.transaction_of("txn_p").reason == "before_attribution"

        give(world, api, "cb_1", bob, retroactive=True)

        assert world.earned(bob) == 4_000
        assert world.transaction_of("txn_p").reason is None

    def test_nobody_may_be_the_source_partner(self, world: World, api: Caller, ann: int) -> None:
        """DOMAIN S4, S5."""
        world.receive(paid("p", "cb_1", ADA))
        give(world, api, "cb_1", None, retroactive=True)

        assert world.earned(ann) == 0
        assert world.transaction_of("txn_p").reason == "no_source_partner"

    def test_it_names_the_partner_and_the_reason(self, world: World, api: Caller, ann: int) -> None:
        world.receive(paid("p", "cb_1", ADA))
        path = f"/customers/{public('cus', world.customer_of('cb_1').id)}"
        same = public("par", ann)

        assert api.pointers("PATCH", path, retroactive=True) == ["/source_partner_id"]
        assert api.pointers("PATCH", path, retroactive=True, source_partner_id=same) == ["/reason"]


def _plain(row: Json) -> Json:
    """Without words that name rewards by ids, which a dry run gives out in vain."""
    return {name: value for name, value in row.items() if name != "text"}
