"""The pages of a connected site with real data, and what an owner does there by mouse."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from rewards_service.history import service as history
from rewards_service.history.running import go_on, to_chargebee
from rewards_service.integrations.service import change_integration
from rewards_service.kit import ids
from rewards_service.kit.db import transaction
from rewards_service.reconciliation import jobs as comparisons
from rewards_service.reconciliation import service as comparing
from rewards_service.reconciliation.sites import Sites
from rewards_service.simulator.api import KEY
from rewards_service.simulator.history import make_history
from rewards_service.simulator.play import email_of
from rewards_service.simulator.server import SimulatorServer
from tests.browser.conftest import Site, Tab, serving
from tests.browser.test_pages import faults, put_on, work_off
from tests.builders.site import webhook_app
from tests.builders.world import World

PAST = 6  # payments of four customers
LONG = 60.0
SEEN = 2  # the site whose pages are only looked at: fetched, and compared before


@pytest.fixture(scope="module")
def site(
    sqlite_template: Path, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """The service with a site that has a past at a simulated Chargebee."""
    folder = tmp_path_factory.mktemp("site")
    with SimulatorServer(pumping=False) as chargebee:
        chargebee.runner.say("stock", {})
        make_history(chargebee.site, PAST)
        with serving(
            folder, sqlite_template, redis_url, CHARGEBEE_API_BASE=chargebee.url,
            CHARGEBEE_REQUESTS_PER_MINUTE="0",
        ) as served:  # fmt: skip
            world = World(webhook_app(served.settings), served.engine, served.settings)
            world.lead(email_of(1), world.partner("Ann"))
            set_up(served, world.site.id, name="A <b>name</b> \u202egnp")
            set_up(served, world.connect("seen-test").id, name="Seen")
            with transaction(served.engine) as session:
                comparing.ask(session, SEEN, "cli")
                history.begin(session, SEEN, "cli")
            comparisons.drain(served.engine, Sites(served.settings))
            fetch(served)
            yield served


def set_up(site: Site, key: int, **more: str) -> None:
    with transaction(site.engine) as session:
        change_integration(session, site.settings, key, {"api_key": KEY, **more}, "test")


def fetch(site: Site) -> None:
    assert go_on(site.engine, to_chargebee(site.settings), LONG)


class TestOneSite:
    def test_an_owner_goes_through_all_of_it(self, tab: Tab, site: Site) -> None:
        page = tab.page
        put_on(tab, "light")
        tab.sign_in()
        page.get_by_role("link", name="Integrations").click()
        page.get_by_role("link", name="A <b>name</b>").click()

        third = page.get_by_label("Create transaction from payment")
        page.get_by_label("Convert lead to customer").uncheck()
        page.get_by_label("Associate deal with customer").uncheck()
        page.get_by_role("button", name="Switch it off, too").click()
        assert not third.is_checked()
        page.get_by_label("Convert lead to customer").check()
        third.check()
        page.get_by_role("button", name="Save").click()
        page.get_by_text("Saved. It holds for everything").wait_for()

        page.get_by_role("link", name="Webhook", exact=True).click()
        page.get_by_role("button", name="Make it in Chargebee").click()
        page.get_by_text("Chargebee has the webhook as it should be.").first.wait_for()
        page.get_by_role("button", name="Send a test event").click()
        page.get_by_text("On its way").wait_for()
        work_off(site)
        page.get_by_text("It came through.").wait_for()
        page.get_by_text("Make another password").click()
        page.get_by_role("button", name="Make it and show it once").click()
        assert len(page.get_by_role("textbox", name="Password").input_value()) >= 24
        assert tab.violations() == []

        page.get_by_role("link", name="History", exact=True).click()
        page.get_by_role("button", name="Fetch the history").click()
        page.get_by_role("button", name="Pause").wait_for()
        fetch(site)
        page.get_by_role("link", name="Work out the cost").click()
        page.get_by_text("Make these rewards").click()
        page.get_by_role("button", name="Yes, make them").click()
        page.get_by_text("their rewards wait for review").wait_for()
        fetch(site)
        work_off(site)
        page.get_by_text("Last made").wait_for()

        page.get_by_role("link", name="Reconciliation").click()
        page.get_by_role("button", name="Compare now").click()
        page.get_by_text("Waiting for a worker").wait_for()
        assert comparisons.drain(site.engine, Sites(site.settings)) > 0
        page.get_by_role("link", name="Show the result").click()
        page.get_by_role("heading", name="Both sides added up").wait_for()
        assert tab.complaints == []

    def test_every_page_can_be_read_by_everybody(self, tab: Tab) -> None:
        """With a comparison that found differences, and a past that costs something."""
        place = f"/integrations/{ids.encode('int', SEEN)}"
        tab.sign_in()
        pages = ["", "/webhook/check", "/health", "/properties", "/api-key/check", "/gap-filling",
                 "/history", "/history/cost", "/reconciliation",
                 f"/reconciliation/{ids.encode('rec', 1)}"]  # fmt: skip
        wrong = {path: found for path in pages if (found := faults(tab, place + path))}

        assert wrong == {}
        assert tab.page.get_by_text("Missing at Chargebee").is_visible()
        assert tab.page.get_by_text("Its event never arrived").first.is_visible()
        assert tab.complaints == []

    def test_what_is_refused_can_be_read_too(self, tab: Tab) -> None:
        tab.sign_in()
        tab.open(f"/integrations/{ids.encode('int', SEEN)}")
        for option in ("Convert lead to customer", "Associate deal with customer"):
            tab.page.get_by_label(option).uncheck()
        tab.page.get_by_label("Create transaction from payment").check()
        tab.page.get_by_role("button", name="Save").click()
        tab.page.get_by_role("button", name="Switch it off, too, and save").wait_for()

        for look in ("dark", "phone"):
            put_on(tab, look)
            assert tab.violations() == []
