"""Partners, programmes and the rule editor in a real browser."""

import re
from typing import TYPE_CHECKING

import pytest

from tests.admin.partners.company import Company, found
from tests.browser.conftest import Site, Tab
from tests.browser.test_pages import LOOKS, faults, put_on
from tests.builders.site import webhook_app
from tests.builders.world import World

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def company(site: Site) -> Company:
    return found(World(webhook_app(site.settings), site.engine, site.settings), site.settings)


class TestPages:
    def test_each_can_be_read_by_everybody_and_breaks_no_rule(
        self, tab: Tab, company: Company
    ) -> None:
        tab.sign_in()
        tabs = ("", "/edit", "/programs", "/statement", "/payout-details")
        pages = [
            "/partners", *(company.partner + tab for tab in tabs), company.program,
            f"{company.program}/edit", f"{company.program}/rules/new",
            company.rule(company.rich), company.rule(company.rich) + "/edit",
        ]  # fmt: skip
        wrong = {path: told for path in pages if (told := faults(tab, path))}

        assert wrong == {}
        assert tab.complaints == []


class TestEditor:
    def test_shows_the_cost_as_one_types_and_publishes_after_a_look(
        self, tab: Tab, company: Company
    ) -> None:
        tab.sign_in()
        put_on(tab, "light")
        tab.open(company.rule())
        tab.page.get_by_role("link", name="Edit").click()
        preview = tab.page.locator("#preview")
        preview.get_by_role("heading", name="By partner").wait_for()
        assert preview.get_by_text("+US$").count() == 0
        assert not tab.page.get_by_label("Amount for each paid invoice").is_visible()
        tab.page.get_by_role("textbox", name="Percentage").fill("30")
        preview.get_by_text("+US$60.00").first.wait_for()
        tab.page.get_by_text("A flat amount").click()
        tab.page.get_by_label("Amount for each paid invoice").fill("10 USD")
        preview.get_by_text("-US$90.00").first.wait_for()
        tab.page.get_by_text("A percentage").click()
        tab.page.get_by_text("Which payments").click()
        tab.page.get_by_label("Only customers from").fill("Germany")
        tab.page.get_by_role("button", name="Look at it").click()
        wrong = tab.page.locator(".field-error").inner_text()
        tab.page.wait_for_function("document.activeElement.name === 'conditions-countries'")
        tab.page.get_by_label("Only customers from").fill("")
        tab.page.get_by_role("textbox", name="Percentage").press("Enter")
        tab.page.get_by_role("heading", name="Publish version 3").wait_for()
        for look in LOOKS:
            put_on(tab, look)
            assert tab.violations() == []
        tab.page.get_by_role("button", name="Publish version 3").click()
        tab.page.get_by_text("Published: Standard, version 3.").wait_for()

        assert "ISO 3166" in wrong
        assert tab.page.get_by_text("30 % of the net amount of each payment.").first.is_visible()
        assert [text for text in tab.complaints if "422" not in text] == []

    def test_without_scripts_all_of_it_works_too(
        self, chromium: "Browser", site: Site, company: Company
    ) -> None:
        context = chromium.new_context(java_script_enabled=False, locale="en-GB")
        tab = Tab(context.new_page(), site)
        tab.sign_in()
        tab.open(company.program + "/rules/new")
        tab.page.get_by_label("Name", exact=True).fill("Bonus")
        tab.page.get_by_text("By payments").click()
        tab.page.get_by_role("button", name="Add step").click()
        tab.page.get_by_label("step 1").get_by_label("Percentage").fill("5")
        tab.page.get_by_role("button", name="Work out").click()
        cost = tab.page.locator("#preview").inner_text()
        tab.page.get_by_role("button", name="Look at it").click()
        tab.page.get_by_role("button", name="Publish").click()
        said = tab.page.get_by_text(re.compile("5 % for all payments")).first.inner_text()
        context.close()

        assert "+US$30.00" in cost
        assert said.startswith("5 % for all payments")


class TestPartner:
    def test_paused_and_reactivated_after_it_was_said_what_that_means(
        self, tab: Tab, company: Company
    ) -> None:
        tab.sign_in()
        tab.open(company.partner)
        put_on(tab, "phone")
        tab.page.get_by_text("Pause", exact=True).click()
        place = tab.page.locator(".menu[open] .menu-body").bounding_box()
        assert place is not None
        assert 0 <= place["x"] <= place["x"] + place["width"] <= 390
        assert tab.page.get_by_text("what was earned before stays").is_visible()
        tab.page.get_by_role("button", name="Pause from now on").click()
        tab.page.get_by_text("Reactivate", exact=True).click()
        assert tab.violations() == []
        tab.page.get_by_role("button", name="Reactivate from now on").click()
        tab.page.get_by_text("Active: payments from now on earn again.").wait_for()

        assert tab.complaints == []
