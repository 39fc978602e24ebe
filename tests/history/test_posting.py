"""Rewards for the past: as if its payments had come then, previewed to the cent, never twice."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine

from rewards_service.history.preview import TooMuchHistory, preview
from rewards_service.history.service import HistoryIncomplete
from rewards_service.replay.service import replay
from rewards_service.rewards.models import LedgerEntry, MetricEntry, Reward, RewardCount
from rewards_service.settings import Settings
from rewards_service.simulator.delivery import body, due
from rewards_service.simulator.faults import Faults
from rewards_service.simulator.play import play
from rewards_service.simulator.site import Site
from rewards_service.simulator.verbs import say
from rewards_service.transactions.models import Transaction
from tests.builders.site import webhook_app
from tests.builders.whole import read, violations
from tests.builders.world import World
from tests.history.fetched import Fetcher, simulated
from tests.simulator.test_into_service import REGISTERED, make_people

STEPS = [
    {"up_to": {"USD": 50_000, "EUR": 50_000}, "rate_millionths": 100_000},
    {"up_to": None, "rate_millionths": 150_000},
]
TIERS = {"mode": "graduated", "metric": "base_amount", "window": "month", "steps": STEPS}


@pytest.fixture
def second(settings: Settings, sqlite_template: Path, tmp_path: Path) -> Iterator[World]:
    """Another world, on a database of its own."""
    path = tmp_path / "second.db"
    shutil.copyfile(sqlite_template, path)
    engine = create_engine(f"sqlite:///{path}")
    own = replace(settings, database_url=f"sqlite:///{path}")
    yield World(webhook_app(own), engine, own)
    engine.dispose()


def webhooks(site: Site) -> list[bytes]:
    """Every webhook of a site, its customers with the addresses that they have in the end.

    History knows no others: to that extent it cannot come to the same.
    """
    rows = site.tables["customer"].rows
    found = []
    for call in due(site, Faults()):
        event = json.loads(body(site, call))
        customer = event["content"].get("customer")
        if customer is not None:
            customer.pop("email", None)
            email = rows[customer["id"]].get("email")
            customer |= {"email": email} if email else {}
        found.append(json.dumps(event).encode())
    return found


def standing(world: World) -> set[tuple[Any, ...]]:
    """Payments, but for those that were withdrawn at Chargebee."""
    return {
        (row.chargebee_transaction_id, row.amount_minor, row.status, row.refunded_minor,
         row.partner_id, row.reason)
        for row in world.all(Transaction)
        if row.withdrawn_at is None
    }  # fmt: skip


def counts(world: World) -> set[tuple[Any, ...]]:
    """What rules that count have counted, and where invoices stand under them."""
    return {
        (row.invoice_id, row.rule_id, row.partner_id, row.counted_on, row.ordinal, row.position)
        for row in world.all(RewardCount)
    }


class TestPost:
    @pytest.mark.parametrize("seed", [2, 3])
    def test_it_comes_to_what_webhooks_would_have_come_to(
        self, world: World, second: World, settings: Settings, seed: int
    ) -> None:
        """DOMAIN M13, V10: a replay of the log comes to the same, and so does the preview, which
        leaves no trace."""
        with simulated(seed) as server:
            server.runner.listen("http://127.0.0.1:1/", "user", "password")
            for _ in play(server.site, 300):
                pass
            for one in (world, second):
                make_people(one)
            second.accept(*webhooks(server.site))
            second.drain()
            fetcher = Fetcher(world, settings, server.url)
            fetcher.fetch()
            before = read(world.engine)
            cost = fetcher.cost()
            assert read(world.engine) == before
            fetcher.post()
            world.drain()

        live, past = read(second.engine), read(world.engine)
        assert [past[name] for name in SAME] == [live[name] for name in SAME]
        # A payment that failed in the end is not told of as one that succeeded.
        gone = {row for row in standing(second) - standing(world) if row[2] == "reversed"}
        assert standing(world) | gone == standing(second)
        assert sums(world) == {slot: amount for slot, (_, amount) in cost.partners.items()}
        assert violations(world.engine) == {}
        assert replay(world.engine).differences == []

    def test_each_refund_counts_on_its_own_day(
        self, world: World, second: World, settings: Settings
    ) -> None:
        """DOMAIN A9, V10: for rules that count, history comes in the order in which it happened."""
        with simulated() as server:
            site = server.site
            server.runner.listen("http://127.0.0.1:1/", "user", "password")
            customer = say(site, "sign_up", email="ada@one.example")["customer_id"]
            first, again = (paid_invoice(site, customer, 40_000) for _ in range(2))
            say(site, "wait", days=20)
            paid_invoice(site, customer, 30_000)
            say(site, "refund", invoice_id=first, amount=40_000)
            say(site, "wait", days=20)
            paid_invoice(site, customer, 40_000)
            say(site, "credit", invoice_id=paid_invoice(site, customer), amount=4_000,
                type="refundable")  # fmt: skip
            say(site, "chargeback", transaction_id=_payment_of(site, again))
            say(site, "wait", seconds=60)
            paid_invoice(site, customer, 30_000)
            for one in (world, second):
                one.lead("ada@one.example", one.partner(), REGISTERED)
                one.add_rule(100_000, tiers=TIERS)
            for told in webhooks(site):
                second.receive(told)
            fetcher = Fetcher(world, settings, server.url)
            fetcher.fetch()
            fetcher.post()
            world.drain()

        assert counts(world) == counts(second)
        assert len({position for *_, position in counts(world)}) >= 4
        assert metrics(world) == metrics(second)
        assert read(world.engine)["rewards"] == read(second.engine)["rewards"]
        assert violations(world.engine) == {}


SAME = ("customers", "leads", "deals", "rewards", "balances")


def _payment_of(site: Site, invoice: str) -> str:
    return str(site.find("invoice", invoice)["linked_payments"][0]["txn_id"])


def metrics(world: World) -> set[tuple[Any, ...]]:
    """What each payment and refund added to a metric, and on which day."""
    return {
        (row.invoice_id, row.source_id, row.counted_on, row.amount_minor)
        for row in world.all(MetricEntry)
    }


def sums(world: World) -> dict[tuple[int, str], int]:
    """(partner, currency) -> what was posted."""
    rewards = {row.id: (row.partner_id, row.currency) for row in world.all(Reward)}
    found: dict[tuple[int, str], int] = {}
    for entry in world.all(LedgerEntry):
        slot = rewards[entry.reward_id]
        found[slot] = found.get(slot, 0) + entry.amount_minor
    return {slot: amount for slot, amount in found.items() if amount}


def paid_invoice(site: Site, customer: str, amount: int = 10_000) -> str:
    invoice = str(say(site, "bill", customer_id=customer, amount=amount)["invoice_id"])
    say(site, "pay", invoice_id=invoice)
    say(site, "wait", seconds=60)
    return invoice


class TestOnce:
    @pytest.mark.parametrize("webhooks_first", [True, False])
    def test_a_payment_that_a_webhook_tells_of_too_is_rewarded_once(
        self, world: World, settings: Settings, webhooks_first: bool
    ) -> None:
        """DOMAIN V9: whichever comes first, and however often history is posted."""
        world.lead("ada@one.example", world.partner(), REGISTERED)
        with simulated() as server:
            server.runner.listen("http://127.0.0.1:1/", "user", "password")
            customer = say(server.site, "sign_up", email="ada@one.example")["customer_id"]
            for _ in range(3):
                paid_invoice(server.site, customer)
            told = webhooks(server.site)
            if webhooks_first:
                world.accept(*told)
                world.drain()
            fetcher = Fetcher(world, settings, server.url)
            fetcher.fetch()
            for _ in range(2):
                fetcher.post()
                world.drain()
            world.accept(*told)
            world.drain()

        events = [kind for kind, source, _ in fetcher.log() if source == "backfill"]
        assert events.count("payment_succeeded") == (0 if webhooks_first else 3)
        assert world.entries() == [2_000, 2_000, 2_000]
        assert violations(world.engine) == {}
        assert replay(world.engine).differences == []

    def test_interrupted_it_goes_on_with_what_is_missing(
        self, world: World, settings: Settings
    ) -> None:
        with simulated(invoices=620) as server:
            fetcher = Fetcher(world, settings, server.url)
            fetcher.fetch()
            with pytest.raises(TooMuchHistory):
                preview(world.engine, fetcher.id, most=619)
            fetcher.start_posting()
            rounds = 0
            while fetcher.shown()["state"] == "posting":
                fetcher.go_on(seconds=0.0)
                rounds += 1

        kinds = [kind for kind, _, _ in fetcher.log()]
        assert (rounds, kinds.count("payment_succeeded")) == (3, 620)
        assert fetcher.shown()["posted_events"] == 620


class TestRules:
    def test_the_rule_in_force_when_it_was_paid_counts(
        self, world: World, settings: Settings
    ) -> None:
        """DOMAIN A12: and the options in force when it is posted (M13)."""
        world.lead("ada@one.example", world.partner(), REGISTERED)
        with simulated() as server:
            site = server.site
            customer = say(site, "sign_up", email="ada@one.example")["customer_id"]
            paid_invoice(site, customer)
            changed_at = datetime.fromtimestamp(site.now + 1, UTC)
            world.add_version(world.rule, 2, 500_000, effective_from=changed_at)
            say(site, "wait", days=1)
            paid_invoice(site, customer)
            fetcher = Fetcher(world, settings, server.url)
            fetcher.fetch()
            fetcher.post()
            world.drain()

        assert sorted(world.entries()) == [2_000, 5_000]

    def test_nothing_is_posted_of_a_history_that_is_not_whole(
        self, world: World, settings: Settings
    ) -> None:
        fetcher = Fetcher(world, settings, "http://127.0.0.1:1")
        fetcher.begin()
        with pytest.raises(HistoryIncomplete):
            fetcher.start_posting()
        with pytest.raises(HistoryIncomplete):
            fetcher.cost()
