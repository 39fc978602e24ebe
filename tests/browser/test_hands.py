"""Keys, the search over everything, toasts: what pages gain where scripts run."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from rewards_service.admin import web
from rewards_service.kit.db import transaction
from rewards_service.partners.models import Partner
from tests.admin.hands import trying
from tests.browser.conftest import Site, Tab
from tests.browser.test_pages import LOOKS, faults, put_on

if TYPE_CHECKING:
    from playwright.sync_api import Page


@pytest.fixture(scope="module", autouse=True)
def things() -> Iterator[None]:
    """One more page: a list of things that can be chosen."""
    given = web.BLUEPRINTS
    web.BLUEPRINTS = (*given, trying.blueprint)
    yield
    web.BLUEPRINTS = given


@pytest.fixture
def tab(things: None, tab: Tab) -> Tab:
    trying.marked.clear()
    tab.sign_in()
    return tab


def press(tab: Tab, *keys: str) -> None:
    for key in keys:
        tab.page.keyboard.press(key)


def focused(page: "Page") -> str:
    return str(page.evaluate("document.activeElement.innerText.trim()"))


def path(tab: Tab) -> str:
    return tab.page.url.removeprefix(tab.site.address)


class TestKeyboard:
    def test_rows_are_walked_chosen_and_opened(self, tab: Tab) -> None:
        page, bar = tab.page, tab.page.locator(".bulk")
        tab.open("/trying")
        assert not bar.get_by_role("button", name="Mark").is_visible()
        press(tab, "j", "j", "k", "j")
        assert focused(page) == "Ben"
        press(tab, "x", "j", "j", "Shift+X")
        assert bar.get_by_role("status").inner_text() == "3 of 5 chosen"
        assert bar.get_by_role("button", name="Mark").is_visible()
        assert tab.violations() == []
        press(tab, "a")
        assert page.locator("[data-pick]:checked").count() == 5
        press(tab, "a")
        assert not bar.get_by_role("button", name="Mark").is_visible()
        press(tab, "k", "k", "k", "k", "Enter")
        page.wait_for_url("**/trying/Ann")

        assert tab.complaints == []

    def test_who_types_types(self, tab: Tab) -> None:
        tab.open("/trying")
        press(tab, "/")
        field = tab.page.get_by_label("Name")
        tab.page.keyboard.type("?gojkxa/")
        assert field.input_value() == "?gojkxa/"
        tab.page.locator("h1").click()
        press(tab, "Control+j", "Alt+g", "o")

        assert path(tab) == "/trying"
        assert not tab.page.locator("#shortcuts").is_visible()

    def test_letters_lead_to_pages_that_are_there(self, tab: Tab) -> None:
        press(tab, "g", "y")
        tab.page.wait_for_url("**/users")
        press(tab, "g", "z", "h")  # nothing, and what follows stands alone
        assert path(tab) == "/users"
        press(tab, "g", "o")
        tab.page.wait_for_url(tab.site.address + "/")

        assert tab.complaints == []

    def test_the_help_lists_what_works_here_and_switches_it_off(self, tab: Tab) -> None:
        page, box = tab.page, tab.page.locator("#shortcuts")
        tab.open("/trying")
        for look in LOOKS:
            put_on(tab, look)
            press(tab, "?")
            assert box.is_visible()
            assert tab.violations() == []
            press(tab, "Escape")
        put_on(tab, "light")
        press(tab, "?")
        assert "Choose the row" in box.inner_text()
        letters = box.locator("[data-jump]").evaluate_all("all => all.map(a => a.dataset.jump)")
        assert len(letters) == len(set(letters)) >= 4
        box.get_by_label("Single keys").uncheck()
        assert "Next row" not in box.inner_text()
        press(tab, "Escape")
        page.reload()
        press(tab, "j", "?", "g", "o")
        assert not box.is_visible()
        assert path(tab) == "/trying"
        page.locator(".user-button").click()
        page.get_by_role("button", name="Keyboard shortcuts").click()
        box.get_by_label("Single keys").check()
        press(tab, "Escape", "j")

        assert focused(page) == "Ann"
        assert tab.complaints == []


class TestPalette:
    def test_it_finds_as_one_types_and_goes_there(self, tab: Tab, site: Site) -> None:
        name = "\u202eAnn <b>& Sons"
        with transaction(site.engine) as session:
            session.add(Partner(name=name, email="a@p.example", email_key="a@p.example",
                                status="active"))  # fmt: skip
        page = tab.page
        tab.open("/users")
        press(tab, "/")
        options = page.locator("#palette").get_by_role("option")
        field = page.get_by_role("combobox", name="Search everything")
        options.nth(2).wait_for()
        press(tab, "ArrowUp")
        last = options.last.get_attribute("id")
        assert field.get_attribute("aria-activedescendant") == last
        page.keyboard.type("audi")
        page.get_by_text("1 result", exact=True).wait_for()
        for look in LOOKS:
            put_on(tab, look)
            assert tab.violations() == []
        press(tab, "Enter")
        page.wait_for_url("**/audit")
        press(tab, "Control+k", "Escape")
        assert not page.locator("#palette").is_visible()
        page.get_by_role("link", name="Search everything").click()
        page.keyboard.type("users")
        options.filter(has_text="Users").click()
        page.wait_for_url("**/users")

        assert faults(tab, "/search?q=a@p.example") == []
        assert page.locator("bdi", has_text="Ann <b>& Sons").count() == 1
        assert tab.complaints == []


class TestToasts:
    def test_what_can_be_undone_stays_and_is_undone(self, tab: Tab) -> None:
        page = tab.page
        page.clock.install()
        tab.open("/trying")
        press(tab, "j", "x")
        page.get_by_role("button", name="Mark").click()
        toast = page.locator(".toasts > .alert")
        toast.get_by_text("1 marked.").wait_for()
        page.clock.run_for(60_000)
        assert tab.violations() == []
        assert trying.marked == {"Ann"}
        toast.get_by_role("button", name="Undo").click()
        page.get_by_text("Back as it was").wait_for()
        assert trying.marked == set()
        toast.hover()
        page.clock.run_for(60_000)
        assert toast.is_visible()
        page.mouse.move(0, 0)
        page.clock.run_for(60_000)

        assert toast.count() == 0
        assert tab.complaints == []
