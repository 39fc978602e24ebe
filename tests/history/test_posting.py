"""Rewards for the past: as if its payments had come then, previewed to the cent, never twice."""

from datetime import UTC, datetime

import pytest

from rewards_service.history.preview import TooMuchHistory, preview
from rewards_service.history.service import HistoryIncomplete
from rewards_service.replay.service import replay
from rewards_service.settings import Settings
from rewards_service.simulator.play import play
from rewards_service.simulator.site import Site
from rewards_service.simulator.verbs import say
from tests.builders.whole import read, violations
from tests.builders.world import World
from tests.history.compared import SAME, counts, metrics, standing, sums, webhooks
from tests.history.fetched import Fetcher, simulated
from tests.simulator.test_into_service import REGISTERED, make_people

STEPS = [
    {"up_to": {"USD": 50_000, "EUR": 50_000}, "rate_millionths": 100_000},
    {"up_to": None, "rate_millionths": 150_000},
]
TIERS = {"mode": "graduated", "metric": "base_amount", "window": "month", "steps": STEPS}


class TestPost:
    def test_it_comes_to_what_webhooks_would_have_come_to(
        self, world: World, second: World, settings: Settings
    ) -> None:
        """DOMAIN M13, V10: a replay of the log comes to the same, and so does the preview, which
        leaves no trace."""
        with simulated(seed=2) as server:
            server.runner.listen("http://127.0.0.1:1/", "user", "password")
            for _ in play(server.site, 250):
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


def _payment_of(site: Site, invoice: str) -> str:
    return str(site.find("invoice", invoice)["linked_payments"][0]["txn_id"])


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
