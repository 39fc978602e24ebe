"""Fetching goes on where it was left, whatever ended it, and within the budget."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import update

from rewards_service.history import fetching, running
from rewards_service.history.models import Backfill, BackfillList
from rewards_service.inbox.models import ReceivedEvent
from rewards_service.kit.db import transaction
from rewards_service.mirror.models import ChargebeeInvoice
from rewards_service.settings import Settings
from rewards_service.simulator.delivery import body, due
from rewards_service.simulator.faults import Faults
from rewards_service.simulator.verbs import say
from rewards_service.webhooks import processing
from tests.builders.whole import violations
from tests.builders.world import World
from tests.history.fetched import Fetcher, simulated

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
INVOICES = 230  # three pages of invoices and of payments
ALL = {"customer": 23, "invoice": 230, "transaction": 230}


def number_of(world: World, model: Any) -> int:
    return len(world.all(model))


@pytest.fixture
def page_by_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """So small a history is otherwise fetched before anybody can interrupt it."""
    monkeypatch.setattr(running, "PAGES_AT_ONCE", {"postgresql": 1, "sqlite": 1})
    monkeypatch.setattr(fetching, "AHEAD", 1)


class TestGoOn:
    def test_everything_is_mirrored_and_nothing_is_rewarded(
        self, world: World, settings: Settings
    ) -> None:
        """DOMAIN M13: a backfill makes rewards only when it is told to. Rows that never changed,
        and so have no updated_at, are there; so are deleted ones."""
        with simulated(invoices=INVOICES) as server:
            gone = say(server.site, "bill", customer_id=_customer(server.site), amount=500)
            say(server.site, "delete_invoice", invoice_id=gone["invoice_id"])
            fetcher = Fetcher(world, settings, server.url)
            shown = fetcher.fetch()

        invoices = world.all(ChargebeeInvoice)
        assert shown["state"] == "done"
        assert fetcher.counted("listed") == fetcher.counted("kept") == ALL | {"invoice": 231}
        assert len(invoices) == 231
        assert sum(row.resource_version == 0 for row in invoices) == 12
        assert [row.external_id for row in invoices if row.deleted] == [gone["invoice_id"]]
        assert (world.customers(), world.entries()) == ([], [])
        assert {kind for kind, _, _ in fetcher.log()} == {"objects_listed"}
        assert {line[1:] for line in fetcher.log()} == {("backfill", "mirrored")}
        assert violations(world.engine) == {}

    def test_what_is_known_already_is_not_kept_twice(
        self, world: World, settings: Settings
    ) -> None:
        with simulated(invoices=INVOICES) as server:
            fetcher = Fetcher(world, settings, server.url)
            fetcher.fetch()
            events = number_of(world, ReceivedEvent)
            say(server.site, "change_email", customer_id=_customer(server.site), email="new@b.co")
            fetcher.fetch()

        assert fetcher.counted("listed") == ALL
        assert fetcher.counted("kept") == {"customer": 1}
        assert number_of(world, ReceivedEvent) == events + 1

    @pytest.mark.usefixtures("page_by_page")
    def test_it_goes_on_behind_the_page_that_was_kept_last(
        self, world: World, settings: Settings
    ) -> None:
        with simulated(invoices=INVOICES) as server:
            fetcher = Fetcher(world, settings, server.url)
            fetcher.begin()
            rounds = 0
            while fetcher.shown()["state"] == "running":
                assert fetcher.go_on(seconds=0.0, at_once=1)
                rounds += 1

        assert rounds >= 2
        assert fetcher.counted("listed") == ALL
        assert fetcher.versions() == sum(ALL.values())

    @pytest.mark.usefixtures("page_by_page")
    def test_paused_it_rests_until_it_is_begun_again(
        self, world: World, settings: Settings
    ) -> None:
        with simulated(invoices=INVOICES) as server:
            fetcher = Fetcher(world, settings, server.url)
            fetcher.begin()
            fetcher.go_on(told=lambda _shown: fetcher.pause(), at_once=1)
            assert (fetcher.shown()["state"], fetcher.go_on()) == ("paused", False)
            assert 0 < sum(fetcher.counted("listed").values()) < sum(ALL.values())
            assert fetcher.fetch()["state"] == "done"

        assert fetcher.counted("listed") == ALL

    @pytest.mark.usefixtures("page_by_page")
    def test_who_lost_the_lease_keeps_nothing_more(self, world: World, settings: Settings) -> None:
        def steal(_shown: object) -> None:
            with transaction(world.engine) as session:
                session.execute(update(Backfill).values(lease_token="another"))

        with simulated(invoices=INVOICES) as server:
            fetcher = Fetcher(world, settings, server.url)
            fetcher.begin()
            fetcher.go_on(told=steal, at_once=1)
            listed = sum(fetcher.counted("listed").values())
            assert fetcher.go_on() is False
            with transaction(world.engine) as session:
                session.execute(update(Backfill).values(lease_until=LONG_AGO))
            assert fetcher.fetch()["state"] == "done"

        assert 0 < listed < sum(ALL.values())
        assert fetcher.counted("listed") == ALL

    def test_an_offset_that_chargebee_forgot_begins_the_list_anew(
        self, world: World, settings: Settings
    ) -> None:
        with simulated(invoices=30) as server:
            fetcher = Fetcher(world, settings, server.url)
            fetcher.begin()
            with transaction(world.engine) as session:
                session.execute(update(BackfillList).values(next_offset="long ago"))
            assert fetcher.go_on()

        assert fetcher.counted("kept") == {"customer": 3, "invoice": 30, "transaction": 30}

    def test_a_refused_key_is_told_and_a_better_one_goes_on(
        self, world: World, settings: Settings
    ) -> None:
        with simulated(invoices=30) as server:
            fetcher = Fetcher(world, settings, server.url)
            fetcher.set_key("wrong")
            shown = fetcher.fetch()
            assert (shown["state"], fetcher.go_on()) == ("failed", False)
            assert "does not know the API key" in shown["error"]
            fetcher.set_key("simulator_key")
            assert fetcher.fetch()["error"] is None

        assert fetcher.counted("kept")["invoice"] == 30

    def test_an_object_that_cannot_be_read_stands_aside_alone(
        self, world: World, settings: Settings
    ) -> None:
        with simulated(invoices=INVOICES) as server:
            rows = server.site.tables["invoice"].rows
            names = list(rows)[40:42]
            for name in names:
                rows[name]["total"] = "10.00"
            fetcher = Fetcher(world, settings, server.url)
            fetcher.fetch()

        assert fetcher.counted("refused") == {"invoice": 2}
        assert fetcher.counted("kept") == ALL | {"invoice": INVOICES - 2}
        kept = {row.external_id for row in world.all(ChargebeeInvoice)}
        assert kept == rows.keys() - set(names)
        assert [line[2] for line in fetcher.log()].count("bad_payload") == 2
        assert violations(world.engine) == {}

    def test_pages_that_fail_unforeseen_are_left_to_the_workers(
        self, world: World, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        process = processing.process
        failures = iter([RuntimeError("a bug")])

        def fail_once(*arguments: Any, **named: Any) -> Any:
            for failure in failures:
                raise failure
            return process(*arguments, **named)

        monkeypatch.setattr(processing, "process", fail_once)
        with simulated(invoices=30) as server:
            fetcher = Fetcher(world, settings, server.url)
            assert fetcher.fetch()["state"] == "done"
        assert None in {line[2] for line in fetcher.log()}
        world.drain()

        assert {line[2] for line in fetcher.log()} == {"mirrored"}
        assert number_of(world, ChargebeeInvoice) == 30
        assert violations(world.engine) == {}

    @pytest.mark.usefixtures("page_by_page")
    def test_switched_off_in_between_it_stops(self, world: World, settings: Settings) -> None:
        with simulated(invoices=INVOICES) as server:
            fetcher = Fetcher(world, settings, server.url)
            fetcher.begin()
            fetcher.go_on(told=lambda _shown: world.switch(mode="off"))

        assert fetcher.shown()["state"] == "failed"
        assert "all_off" not in {line[2] for line in fetcher.log()}

    def test_a_missed_refund_of_a_known_payment_takes_its_reward_back(
        self, world: World, settings: Settings
    ) -> None:
        """DOMAIN A2: what is mirrored counts, whichever way it came."""
        world.lead("ada@one.example", world.partner())
        with simulated() as server:
            site = server.site
            server.runner.listen("http://127.0.0.1:1/", "user", "password")
            customer = say(site, "sign_up", email="ada@one.example")["customer_id"]
            invoice = say(site, "bill", customer_id=customer, amount=10_000)["invoice_id"]
            say(site, "pay", invoice_id=invoice)
            world.accept(*(body(site, call) for call in due(site, Faults())))
            world.drain()
            earned = world.earned()
            say(site, "refund", invoice_id=invoice)
            Fetcher(world, settings, server.url).fetch()
            world.drain()

        assert (earned > 0, world.earned()) == (True, 0)
        assert violations(world.engine) == {}


def _customer(site: Any) -> str:
    return str(next(iter(site.tables["customer"].rows)))
