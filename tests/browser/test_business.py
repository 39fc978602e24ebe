"""Leads, deals, customers and transactions in a real browser."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.crm.models import Lead
from tests.admin.business.books import Books, books
from tests.browser.conftest import Site, Tab
from tests.browser.test_pages import LOOKS, faults, put_on
from tests.builders.site import webhook_app
from tests.builders.world import World

FILE = b"email,company,external_id\nfirst@file.example,First,crm-1\nsecond@file.example,,crm-2\n"


@pytest.fixture(scope="module")
def company(site: Site) -> Books:
    return books(World(webhook_app(site.settings), site.engine, site.settings))


class TestPagesAboutOneThing:
    def test_each_can_be_read_by_everybody_and_breaks_no_rule(
        self, tab: Tab, company: Books
    ) -> None:
        tab.sign_in()
        paths = [
            "/leads", "/transactions", f"/leads/{company.open_lead}", f"/deals/{company.deal}",
            f"/deals/{company.open_deal}/edit", f"/deals/{company.deal}/edit",
            f"/leads/{company.lead}/edit", f"/customers/{company.customer}/source",
            f"/customers/{company.customer}",
            f"/customers/{company.customer}/edit", f"/transactions/{company.earned}",
            f"/transactions/{company.nothing}",
        ]  # fmt: skip

        assert {path: found for path in paths if (found := faults(tab, path))} == {}
        assert tab.complaints == []


class TestFlows:
    def test_a_lead_by_hand_and_two_by_file(self, tab: Tab, company: Books, site: Site) -> None:
        tab.sign_in()
        page = tab.page
        page.get_by_role("link", name="Leads").click()
        page.get_by_role("link", name="New lead").click()
        page.get_by_role("button", name="Register it").click()
        assert page.get_by_label("E-mail address").get_attribute("aria-invalid") == "true"
        assert tab.violations() == []
        page.get_by_label("E-mail address").fill("hand@one.example")
        page.get_by_label("Partner").select_option(label="Ann · ann@partner.example")
        page.get_by_role("button", name="Register it").click()
        page.get_by_text("The lead is registered").wait_for()
        page.get_by_role("link", name="Edit").click()
        page.get_by_label("Company").fill("By hand & Co")
        page.get_by_role("button", name="Save").click()
        page.get_by_text("By hand & Co").wait_for()

        page.get_by_role("link", name="Leads").first.click()
        page.get_by_role("link", name="Import").click()
        field = page.get_by_label("CSV file")
        see = page.get_by_role("button", name="See what it would do")
        field.set_input_files({"name": "l.csv", "mimeType": "text/csv", "buffer": FILE + b"=x,,\n"})
        see.click()
        page.get_by_text("Begins like a formula").wait_for()
        assert tab.violations() == []
        field.set_input_files({"name": "l.csv", "mimeType": "text/csv", "buffer": FILE})
        see.click()
        page.get_by_role("button", name="Import 2 rows").wait_for()
        assert looks(tab) == []
        page.get_by_role("button", name="Import 2 rows").click()
        page.get_by_text("Imported 2 rows").wait_for()

        emails = {row.email for row in _leads(site)}
        assert {"hand@one.example", "first@file.example", "second@file.example"} <= emails
        assert [text for text in tab.complaints if "422" not in text] == []

    def test_why_no_reward_leads_to_the_partner_and_the_reward(
        self, tab: Tab, company: Books
    ) -> None:
        tab.sign_in()
        page = tab.page
        tab.open(f"/transactions/{company.nothing}")
        page.get_by_role("link", name="change its source partner").click()
        page.get_by_label("New source partner").select_option(label="Bob · bob@partner.example")
        page.get_by_label("From when on").select_option(value="yes")
        page.get_by_label("Why").fill("Bob sent the order")
        page.get_by_role("button", name="See what would happen").click()
        page.get_by_role("heading", name="This would happen").wait_for()
        assert "19.80" in page.locator(".card-once").inner_text()
        assert looks(tab) == []
        page.get_by_role("button", name="Change it, and move these rewards").click()
        page.get_by_text("The source partner is changed").wait_for()
        tab.open(f"/transactions/{company.nothing}")

        assert page.get_by_text("It earned a reward.").is_visible()
        assert tab.complaints == []


def looks(tab: Tab) -> list[str]:
    """What is wrong, in any look, with a page that a form has led to."""
    found = []
    for look in LOOKS:
        put_on(tab, look)
        wide = tab.page.evaluate(
            "[...document.body.querySelectorAll('*')].map((e) => [e.outerHTML.slice(0, 80),"
            " e.getBoundingClientRect().right]).filter((e) => e[1] > innerWidth + 1)"
        )
        if tab.page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append(f"{look}: wider than the window: {wide}")
        found += [f"{look}: {text}" for text in tab.violations()]
    return found


def _leads(site: Site) -> list[Lead]:
    with Session(site.engine) as session:
        return list(session.scalars(select(Lead).order_by(Lead.id)))
