"""The whole story in a real browser: once by mouse, once by the keyboard alone."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from rewards_service.accounts import users
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import transaction
from tests.admin.visitor import PASSWORD
from tests.browser.conftest import Site, serving, window
from tests.browser.hands import Hand, Keyboard, Mouse
from tests.browser.test_pages import work_off
from tests.builders.chargebee import START, paid, refunded

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

HANDS: dict[str, Callable[["Page"], Hand]] = {"mouse": Mouse, "keyboard": Keyboard}


@pytest.fixture
def fresh(sqlite_template: Path, redis_url: str, tmp_path: Path) -> Iterator[Site]:
    """A service in which nobody was ever."""
    with serving(tmp_path, sqlite_template, redis_url, owned=False) as served:
        yield served


class TestStory:
    @pytest.mark.parametrize("hand", HANDS)
    def test_from_the_first_run_to_a_refund_after_the_payout(
        self, chromium: "Browser", fresh: Site, hand: str
    ) -> None:
        """V2, V4, V6: what was paid out and then refunded is owed back."""
        with window(chromium, fresh) as tab:
            person = Person(tab.page, HANDS[hand](tab.page), fresh)
            person.comes_in()
            person.connects()
            person.makes_partner_and_lead()
            person.hears(paid("1", "cb_1", "ada@engines.example", 10_000, soon()))
            person.approves("US$20.00")
            person.pays("Yes, US$20.00 to Ann is paid")
            person.hears(refunded("2", "txn_1", 2_500, soon() + 1))
            person.sees_debt("-US$5.00")

            assert tab.complaints == []


class Person:
    """Who owns this installation, with one window and one kind of hand."""

    def __init__(self, page: "Page", hand: Hand, site: Site) -> None:
        self.page, self.hand, self.site = page, hand, site
        self.webhook: tuple[str, str, str] = ("", "", "")

    def comes_in(self) -> None:
        """The link that `make run` prints, a password, the first sign-in."""
        with transaction(self.site.engine) as session:
            link = users.make_link(session, self.site.settings, None, "cli")
        self.page.goto(link)
        self._write("Your e-mail address", "olga@example.com")
        self._write("Password", PASSWORD)
        self._write("The same once more", PASSWORD)
        self._press("Make me the owner")
        self._write("E-mail address", "olga@example.com")
        self._write("Password", PASSWORD)
        self._press("Sign in")
        self.page.get_by_role("heading", name="Set-up", level=1).wait_for()

    def connects(self) -> None:
        """The set-up; what Chargebee is to be told is shown this once."""
        self._write("Chargebee site", "acme-test")
        self._press("Connect")
        self.page.get_by_text("acme-test is connected").wait_for()
        address, name, password = (
            self.page.locator(f"#webhook-{part}").input_value()
            for part in ("url", "user", "password")
        )
        self.webhook = (address, name, password)

    def makes_partner_and_lead(self) -> None:
        """A programme that pays 20 %, a partner in it, a lead of that partner."""
        self.hand.visit("Programmes", "m")
        self._follow("New programme")
        self._write("Name", "Resellers")
        self._write("First rule: percentage of the net amount", "20")
        self._press("Make the programme")
        self.page.get_by_role("heading", name="Resellers", level=1).wait_for()
        self.hand.visit("Partners", "a")
        self._follow("New partner")
        self._write("Name", "Ann")
        self._write("E-mail address", "ann@partner.example")
        self.hand.choose(self.page.get_by_label("Programme", exact=True), "Resellers")
        self._press("Add the partner")
        self.page.get_by_role("heading", name="Ann", level=1).wait_for()
        self.hand.visit("Leads", "l")
        self._follow("New lead")
        self._write("E-mail address", "ada@engines.example")
        self.hand.choose(self.page.get_by_label("Partner", exact=True), "Ann")
        self._press("Register it")
        self.page.get_by_role("heading", name="ada@engines.example", level=1).wait_for()

    def hears(self, event: dict[str, Any]) -> None:
        """Chargebee brings an event, and a worker handles it."""
        address, name, password = self.webhook
        answer = requests.post(address, json=event, auth=(name, password), timeout=60)
        assert answer.status_code == 200
        work_off(self.site)

    def approves(self, amount: str) -> None:
        """The one reward that waits."""
        self.hand.visit("Rewards", "r")
        self._follow("To review")
        row = self.page.locator("[data-row]").filter(has_text=amount)
        self.hand.tick(row.locator("[data-pick]"))
        self._press("Approve")
        self.page.get_by_text("1 reward approved.").wait_for()

    def pays(self, confirmed: str) -> None:
        """A payout of it, from draft to paid."""
        self.hand.visit("Payouts", "p")
        self._follow("Make payouts")
        self._press("Show what would be made")
        self._press("Make 1 draft")
        self._press("Submit to the partner")
        self._press("The partner agrees: ready to pay")
        self._follow("Mark as paid…")
        self._press(confirmed)
        self.page.get_by_text("It is paid, and so are all its rewards.").wait_for()

    def sees_debt(self, amount: str) -> None:
        """What is owed back stands among the rewards that the next payout takes up."""
        self.hand.visit("Rewards", "r")
        self._follow("Approved")
        self.page.locator("[data-row]").filter(has_text=amount).wait_for()

    def _write(self, label: str, text: str) -> None:
        self.hand.write(self.page.get_by_label(label, exact=True), text)

    def _press(self, name: str) -> None:
        self.hand.press(self.page.get_by_role("button", name=name, exact=True))

    def _follow(self, name: str) -> None:
        self.hand.press(self.page.locator("main").get_by_role("link", name=name, exact=True))


def soon() -> float:
    """The day of Chargebee's events that is now; in whole seconds, and after what was just made."""
    return (utc_now() + timedelta(seconds=1) - START) / timedelta(days=1)
