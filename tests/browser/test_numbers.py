"""Reports, keys, webhooks and settings in a real browser, with something in them."""

from typing import TYPE_CHECKING

import pytest

from rewards_service.app import create_app
from rewards_service.kit import ids
from tests.browser.conftest import Site, Tab
from tests.browser.test_pages import faults, put_on
from tests.builders.chargebee import paid
from tests.builders.world import World

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NAME = "Ann <b>\u202egnp.exe Gesellschaft für außerordentlich lange Namen mbH"


@pytest.fixture(scope="module")
def partner(site: Site) -> str:
    """A partner with a reward in two currencies."""
    world = World(create_app(site.settings), site.engine, site.settings)
    key = world.partner(NAME)
    world.lead("eve@buyer.example", key)
    world.lead("max@buyer.example", key)
    world.receive(
        paid("1", "cb1", "eve@buyer.example", 1_000_000),
        paid("2", "cb2", "max@buyer.example", 150_000, currency_code="JPY"),
    )
    return ids.encode("par", key)


class TestReports:
    def test_every_report_with_its_picture(self, tab: Tab, partner: str) -> None:
        tab.sign_in()
        month = f"/reports/statement?partner_id={partner}&month=2026-01"
        wrong = "/reports/rewards?month[gte]=x"

        for path in ("/", "/reports/rewards?group_by=partner&group_by=month", month):
            assert faults(tab, path) == []
        assert faults(tab, wrong, 422) == []
        assert [text for text in tab.complaints if "422" not in text] == []

    def test_a_picture_is_drawn_and_changes_with_the_theme(self, tab: Tab, partner: str) -> None:
        tab.sign_in()
        tab.open("/reports/leaderboard?period=all")
        canvas = tab.page.locator("canvas").first
        light = canvas.evaluate("(element) => element.toDataURL()")
        put_on(tab, "dark")
        tab.page.locator("html[data-bs-theme=dark]").wait_for()
        dark = canvas.evaluate("(element) => element.toDataURL()")

        assert "The table below has the same numbers" in str(canvas.get_attribute("aria-label"))
        assert len(light) > 2_000
        assert light != dark

    def test_without_scripts_there_is_the_table(
        self, chromium: "Browser", site: Site, partner: str
    ) -> None:
        context = chromium.new_context(java_script_enabled=False)
        tab = Tab(context.new_page(), site)
        tab.sign_in()
        tab.open("/reports/rewards")
        tab.page.get_by_label("partner", exact=True).check()
        tab.page.get_by_role("button", name="Show").click()
        shown = tab.page.get_by_role("cell", name="Gesellschaft").first.is_visible()
        pictures = tab.page.locator("canvas:visible").count()
        context.close()

        assert shown
        assert pictures == 0


class TestKeysAndWebhooks:
    def test_a_key_is_made_seen_once_and_revoked(self, tab: Tab) -> None:
        tab.sign_in()
        tab.open("/keys")
        tab.page.get_by_role("link", name="New key").first.click()
        tab.page.get_by_label("Name").fill("BI export")
        tab.page.get_by_role("button", name="Make the key").click()
        tab.page.get_by_text("A key needs at least one scope.").wait_for()
        assert tab.violations() == []
        tab.page.get_by_role("checkbox", name="rewards:read").check()
        tab.page.get_by_role("button", name="Make the key").click()
        assert tab.page.get_by_label("Key", exact=True).input_value().startswith("rk_")
        assert tab.violations() == []
        tab.page.get_by_role("link", name="I have it").click()
        path = tab.page.url.removeprefix(tab.site.address)
        assert faults(tab, path) == []
        tab.page.locator("summary", has_text="Revoke").click()
        assert tab.violations() == []
        tab.page.get_by_role("button", name="Yes, revoke it").click()
        tab.page.get_by_text("The key is revoked").wait_for()

        assert [text for text in tab.complaints if "422" not in text] == []

    def test_an_endpoint_its_test_event_and_its_tools(self, tab: Tab) -> None:
        tab.sign_in()
        tab.open("/webhook-endpoints/new")
        tab.page.get_by_label("Address").fill("https://93.184.216.34/hooks/" + "x" * 120)
        tab.page.get_by_role("checkbox", name="*", exact=True).check()
        tab.page.get_by_role("button", name="Make the endpoint").click()
        assert tab.page.get_by_label("Secret", exact=True).input_value().startswith("whsec_")
        assert tab.violations() == []
        tab.page.get_by_role("link", name="I have it").click()
        tab.page.get_by_role("button", name="Send a test event").click()
        tab.page.get_by_text("A test event is on its way").wait_for()
        path = tab.page.url.removeprefix(tab.site.address)
        tab.page.get_by_role("link", name="webhook.test").click()
        delivery = tab.page.url.removeprefix(tab.site.address)

        for one in (path, delivery):
            assert faults(tab, one) == []
        assert tab.complaints == []


class TestSettings:
    def test_a_rate_is_entered(self, tab: Tab) -> None:
        tab.sign_in()
        tab.open("/settings/rates")
        for label, value in (("From", "EUR"), ("To", "USD"), ("Day", "2026-01-31"),
                             ("Rate", "1.0842"), ("Source", "ECB")):  # fmt: skip
            tab.page.locator("form.rate-form").get_by_label(label, exact=True).fill(value)
        tab.page.get_by_role("button", name="Keep the rate").click()
        tab.page.get_by_role("cell", name="1 EUR = 1.0842 USD").wait_for()

        assert tab.violations() == []
        assert tab.complaints == []
