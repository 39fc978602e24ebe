"""Names and ids from outside, as long as they may be: nothing is pushed aside by them."""

from rewards_service.accounts import users
from rewards_service.kit import ids
from rewards_service.kit.db import transaction
from rewards_service.partners.service import create_partner
from tests.browser.conftest import Site, Tab
from tests.browser.test_pages import put_on
from tests.builders.chargebee import paid
from tests.builders.site import webhook_app
from tests.builders.world import World

LONG = "W" * 190
LISTS = ("/partners", "/leads", "/customers", "/transactions", "/rewards")
# How much wider than its place a table is: a long name may take some room, and no more.
_WIDER = """Math.max(1, ...[...document.querySelectorAll('main .table-responsive')].map(
  (table) => table.scrollWidth / table.clientWidth))"""


_LINES = """(element) => Math.round(
  element.getBoundingClientRect().height / parseFloat(getComputedStyle(element).lineHeight))"""


def _of(partner: int) -> str:
    return f"/partners/{ids.encode('par', partner)}"


class TestLongNames:
    def test_they_break_and_leave_room_for_the_rest(self, tab: Tab, site: Site) -> None:
        world = World(webhook_app(site.settings), site.engine, site.settings)
        partner = world.partner(LONG)
        world.lead("eve@buyer.example", partner)
        event = paid("9" * 40, "c" * 45, "eve@buyer.example")
        event["content"]["customer"]["company"] = LONG
        world.receive(event)
        one = _of(partner)
        with transaction(site.engine) as session:
            users.create_user(session, site.settings, f"{'v' * 60}@{'w' * 60}.example", "viewer")
        paid_by = f"/transactions/{ids.encode('txn', world.transaction_of('txn_' + '9' * 40).id)}"
        tab.sign_in()
        put_on(tab, "light")
        widths = {}
        for path in (*LISTS, "/users"):
            tab.open(path)
            widths[path] = tab.page.evaluate(_WIDER)
        put_on(tab, "phone")
        wider = []
        for path in (*LISTS, "/users", one, paid_by):
            tab.open(path)
            if tab.page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                wider.append(path)

        assert {path: wide for path, wide in widths.items() if wide > 1.2} == {}
        assert wider == []

    def test_a_list_cuts_them_after_three_lines_and_the_page_of_the_thing_does_not(
        self, tab: Tab, site: Site
    ) -> None:
        wanted = {"name": "Name " * 38, "email": "name@long.example", "status": "active"}
        with transaction(site.engine) as session:
            partner = create_partner(session, wanted, "test").id
        tab.sign_in()
        put_on(tab, "phone")
        high = []
        for path, place in (("/partners", "[data-row] bdi"), (_of(partner), "h1")):
            tab.open(path)
            name = tab.page.locator(place, has_text="Name Name").first
            high.append(name.evaluate(_LINES))

        assert high[0] == 3
        assert high[1] > 3
