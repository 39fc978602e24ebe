"""Events, the workbench and the queue, in a real browser."""

import pytest
from redis import Redis

from tests.admin.inspect import queues, stories
from tests.admin.inspect.stories import Lived, conflict_path, path_of
from tests.browser.conftest import Site, Tab
from tests.browser.test_pages import faults
from tests.builders.site import webhook_app
from tests.builders.world import World


@pytest.fixture(scope="module")
def lived(site: Site) -> Lived:
    """Everything happened, and a job failed."""
    app = webhook_app(site.settings)
    stories.happen(World(app, site.engine, site.settings))
    app.extensions["rewards_webhooks"].close()
    connection = Redis.from_url(site.settings.redis_url)
    connection.flushall()
    queues.stand(connection)
    connection.close()
    return Lived(site.engine)


class TestPages:
    def test_they_can_be_read_by_everybody_and_break_no_rule(self, tab: Tab, lived: Lived) -> None:
        tab.sign_in()
        pages = [
            "/unmatched", "/queue", conflict_path(lived), path_of(lived, "ev_p"),
            path_of(lived, "ev_bidi"), path_of(lived, "ev_u", "/attach"),
        ]  # fmt: skip
        wrong = {path: found for path in pages if (found := faults(tab, path))}

        assert wrong == {}
        assert tab.complaints == []


class TestFlows:
    def test_a_failed_event_is_looked_into_and_replayed(self, tab: Tab, lived: Lived) -> None:
        tab.sign_in()
        tab.open("/events")
        tab.page.get_by_role("link", name="Failed (1)").click()
        tab.page.locator("[data-row] a").click()
        tab.page.locator("summary", has_text="transaction").click()
        assert tab.page.get_by_text("txn_dead").first.is_visible()
        tab.page.get_by_role("button", name="Try a replay").click()
        tab.page.get_by_role("heading", name="What a replay would change").wait_for()
        assert tab.violations() == []
        tab.page.get_by_role("button", name="Replay now").click()
        tab.page.get_by_text("Handled again: now unknown customer.").wait_for()

        assert lived.outcome("ev_dead") == "unknown_customer"
        assert tab.complaints == []

    def test_a_payment_is_given_to_whom_it_almost_matched(self, tab: Tab, lived: Lived) -> None:
        tab.sign_in()
        tab.open("/unmatched")
        tab.page.get_by_role("link", name="eve@two.example").click()
        tab.page.get_by_label("eve@two.exmaple").check()
        tab.page.get_by_label("Why").fill("She mistyped it")
        tab.page.get_by_role("button", name="See what follows").click()
        tab.page.get_by_role("heading", name="What follows").wait_for()
        assert tab.page.get_by_text("for Ann").is_visible()
        assert tab.violations() == []
        tab.page.get_by_role("button", name="Give it away for good").click()
        tab.page.get_by_text("The payment has its owner now").wait_for()

        assert lived.outcome("ev_u") == "transaction_recorded"

    def test_a_conflict_is_decided(self, tab: Tab, lived: Lived) -> None:
        tab.sign_in()
        tab.open(conflict_path(lived))
        tab.page.get_by_text("Choose Bob").click()
        tab.page.get_by_label("Why").fill("He closed it")
        tab.page.get_by_role("button", name="See what follows").click()
        tab.page.get_by_role("heading", name="What follows").wait_for()
        assert tab.violations() == []
        tab.page.get_by_role("button", name="Decide it so").click()
        tab.page.get_by_role("heading", name="The decision").wait_for()

        assert tab.complaints == []
