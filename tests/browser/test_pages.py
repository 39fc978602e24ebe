"""Every page in a real browser: nothing blocked, nothing that somebody cannot read or reach."""

import os
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING
from zlib import crc32

from passlib.totp import TOTP

from rewards_service.rewards import jobs as rewards_jobs
from rewards_service.webhooks import jobs as events_jobs
from tests.admin.test_guard import TABLE
from tests.browser.conftest import Site, Tab

if TYPE_CHECKING:
    from playwright.sync_api import Browser

LOOKS = ("light", "dark", "phone")
# What opens stands inside the window; a closed one must not widen the page either.
# Opened one after the other: a closed one has no place.
_MENUS_OUTSIDE = """[...document.querySelectorAll('main details:has(> .menu-body)')].some((one) => {
  const was = one.open; one.open = true;
  const place = one.querySelector('.menu-body').getBoundingClientRect();
  one.open = was; return place.left < 0 || place.right > innerWidth; })"""
_ID = re.compile(r"[a-z]{3}_\w+")  # another in every run
# Pages of which the table knows only the pattern of the address, and steps of signing in.
_ELSEWHERE = re.compile(r"<|^/login/|^/static|^/account/passkeys/delete")


def paths() -> list[str]:
    """Every page that can be opened by its address alone."""
    lines = [line.split() for line in TABLE.read_text().splitlines()]
    return [rule for method, rule, _ in lines if method == "GET" and not _ELSEWHERE.search(rule)]


def work_off(site: Site) -> None:
    """Do what a worker would."""
    while events_jobs.drain(site.engine) + rewards_jobs.drain(site.engine):
        pass


def put_on(tab: Tab, look: str) -> None:
    wide, high = (390, 844) if look == "phone" else (1440, 900)
    tab.page.set_viewport_size({"width": wide, "height": high})
    tab.page.emulate_media(color_scheme="dark" if look == "dark" else "light")


def examined(path: str) -> Sequence[str]:
    """The looks in which axe sees a page: one of them, by turns of the addresses, or all."""
    if os.environ.get("LOOKS") == "all":
        return LOOKS
    return [LOOKS[crc32(_ID.sub("id", path).encode()) % len(LOOKS)]]


def faults(tab: Tab, path: str, status: int = 200) -> list[object]:
    """What is wrong with a page: its status, its width in any look, what axe finds in `examined`;
    `make pages-proof` examines all looks."""
    put_on(tab, "light")
    found: list[object] = [] if (came := tab.open(path)) == status else [came]
    for look in LOOKS:
        put_on(tab, look)
        if tab.page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append(f"{look}: wider than the window")
        if tab.page.evaluate(_MENUS_OUTSIDE):
            found.append(f"{look}: a menu stands outside the window")
        if look in examined(path):
            found += [f"{look}: {text}" for text in tab.violations()]
    return found


class TestEveryPage:
    def test_it_can_be_read_by_everybody_and_breaks_no_rule(self, tab: Tab) -> None:
        tab.sign_in()
        pages = [path for path in paths() if path != "/login"]
        wrong = {path: found for path in pages if (found := faults(tab, path))}

        assert len(pages) >= 9
        assert {look for path in pages for look in examined(path)} == set(LOOKS)
        assert wrong == {}
        assert tab.complaints == []

    def test_pages_for_strangers_and_errors_too(self, tab: Tab) -> None:
        assert faults(tab, "/login") == []
        assert faults(tab, "/welcome/made-up", status=404) == []
        assert [text for text in tab.complaints if "404" not in text] == []

    def test_the_theme_is_there_before_anything_is_drawn(self, tab: Tab) -> None:
        put_on(tab, "dark")
        tab.open("/login")
        assert tab.page.locator("html").get_attribute("data-bs-theme") == "dark"
        tab.page.get_by_role("img", name="Theme").click()
        tab.page.get_by_role("button", name="Light").click()

        assert tab.page.locator("html").get_attribute("data-bs-theme") == "light"
        assert tab.complaints == []


class TestKeyboard:
    def test_the_way_to_the_content_and_the_menus(self, tab: Tab) -> None:
        tab.sign_in()
        tab.page.keyboard.press("Tab")
        assert tab.page.evaluate("document.activeElement.textContent") == "Skip to the content"
        tab.page.keyboard.press("Enter")
        assert tab.page.evaluate("document.activeElement.id") == "content"
        menu = tab.page.locator(".user-button")
        menu.focus()
        tab.page.keyboard.press("Enter")
        assert tab.page.get_by_role("link", name="Your account").is_visible()
        tab.page.keyboard.press("Escape")
        assert not tab.page.get_by_role("link", name="Your account").is_visible()

    def test_the_navigation_of_a_phone_opens_and_closes(self, tab: Tab) -> None:
        put_on(tab, "phone")
        tab.sign_in()
        users = tab.page.get_by_role("link", name="Users")
        assert not users.is_visible()
        tab.page.get_by_role("link", name="Open the navigation").click()
        assert tab.violations() == []
        users.click()
        assert tab.page.get_by_role("heading", name="Users", exact=True).is_visible()


class TestWithoutScripts:
    def test_pages_are_read_and_forms_are_sent(self, chromium: "Browser", site: Site) -> None:
        context = chromium.new_context(
            java_script_enabled=False, viewport={"width": 390, "height": 844}
        )
        tab = Tab(context.new_page(), site)
        tab.sign_in()
        tab.page.get_by_role("link", name="Open the navigation").click()
        tab.page.get_by_role("link", name="Audit log").click()
        rows = tab.page.get_by_role("row").count()
        times = tab.page.locator("time").first.inner_text()
        first = tab.page.locator("[data-row]").first.bounding_box()
        folded = not tab.page.get_by_label("Action").is_visible()
        tab.page.get_by_text("Filters").click()
        tab.page.get_by_label("Action").fill("user.created")
        tab.page.get_by_role("button", name="Apply").click()
        kept = tab.page.get_by_label("Action").input_value()
        context.close()

        assert rows > 1
        assert times.endswith("UTC")
        assert folded
        assert first is not None
        assert first["y"] < 844 / 2  # half of the first screen
        assert kept == "user.created"  # open, where one is set

    def test_where_there_is_room_no_filter_is_folded(self, chromium: "Browser", site: Site) -> None:
        context = chromium.new_context(
            java_script_enabled=False, viewport={"width": 1440, "height": 900}
        )
        tab = Tab(context.new_page(), site)
        tab.sign_in()
        tab.open("/audit")
        shown = tab.page.get_by_label("Action").is_visible()
        button = tab.page.get_by_text("Filters").is_visible()
        tab.open("/reports/rewards")
        asked = tab.page.get_by_label("From month").is_visible()
        tab.open("/events?state=done")
        tops = [
            tab.page.get_by_label(title, exact=True).bounding_box()
            for title in ("Search an id or e-mail address", "Type")
        ]
        context.close()

        assert (shown, button, asked) == (True, False, True)
        assert tops[0] is not None
        assert tops[1] is not None
        assert tops[0]["y"] == tops[1]["y"]  # in one row, also where one is set


class TestPasskeys:
    def test_one_is_made_and_opens_the_door_instead_of_the_password(self, tab: Tab) -> None:
        devices = tab.page.context.new_cdp_session(tab.page)
        devices.send("WebAuthn.enable")
        device = {
            "protocol": "ctap2", "transport": "internal", "hasResidentKey": True,
            "hasUserVerification": True, "isUserVerified": True,
        }  # fmt: skip
        devices.send("WebAuthn.addVirtualAuthenticator", {"options": device})
        tab.sign_in()
        tab.open("/account/passkeys")
        tab.page.get_by_label("Name of the device").fill("Laptop")
        tab.page.get_by_label("instead of the password").check()
        tab.page.get_by_role("button", name="Go on").click()
        tab.page.get_by_role("button", name="Remove Laptop").wait_for()
        tab.page.locator(".user-button").click()
        tab.page.get_by_role("button", name="Sign out").click()
        tab.page.get_by_role("button", name="Use a passkey").click()
        tab.page.wait_for_url(tab.site.address + "/")

        assert tab.complaints == []


class TestFirstSteps:
    def test_from_the_first_page_to_a_green_event_and_a_reward(self, tab: Tab, site: Site) -> None:
        tab.sign_in()
        tab.page.get_by_role("link", name="Begin the set-up").click()
        tab.page.get_by_label("Chargebee site").fill("acme-test")
        tab.page.get_by_role("button", name="Connect").click()
        password = tab.page.get_by_label("Password", exact=True).input_value()
        assert len(password) >= 24
        tab.page.get_by_role("button", name="Send a test event").click()
        tab.page.get_by_text("On its way").wait_for()
        work_off(site)
        tab.page.get_by_text("It came through.").wait_for()
        assert tab.violations() == []
        tab.page.get_by_role("button", name="Load sample data").click()
        tab.page.get_by_text("3 payments are on their way").wait_for()
        work_off(site)
        tab.page.reload()

        assert tab.page.get_by_label("To review").locator(".figure-count").inner_text() == "3"
        assert tab.complaints == []

    def test_a_second_factor_by_its_picture_and_key(self, tab: Tab) -> None:
        tab.sign_in()
        tab.open("/account/two-factor")
        tab.page.get_by_role("button", name="Set up an app").click()
        key = tab.page.locator(".qr-key code").inner_text()
        picture = tab.page.locator(".qr img")
        assert picture.evaluate("(image) => image.complete && image.naturalWidth > 0")
        assert tab.violations() == []
        tab.page.get_by_label("Code").fill(TOTP(key).generate().token)
        tab.page.get_by_role("button", name="Switch it on").click()
        app = tab.page.get_by_role("listitem").filter(has_text="Authenticator app")
        assert "on" in app.locator(".badge").inner_text()
        tab.open("/account/two-factor")
        tab.page.get_by_role("button", name="Switch it off").click()

        assert tab.complaints == []
