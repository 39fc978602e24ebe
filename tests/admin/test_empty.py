"""An installation in which nothing has happened: each list says so, and what leads on."""

import re

import pytest

from tests.admin.conftest import Enter
from tests.admin.visitor import Visitor
from tests.builders.api import Caller

BY_PAYMENTS = ("/rewards", "/transactions", "/customers", "/events", "/partners", "/programs")
# List -> where it leads an owner; what makes the first one stands in the head of the others.
FIRST = {
    "/payouts": ["/rewards"], "/unmatched": ["/transactions"], "/leads": [], "/deals": [],
    "/keys": [], "/webhook-endpoints": [],
}  # fmt: skip


def steps(person: Visitor, path: str) -> list[str]:
    """Where what a list offers in the place of its rows leads, and what its buttons send."""
    text = person.get(path).text
    found = re.search(r'<div class="empty-action">(.*?)</div>', text, re.DOTALL)
    assert found is not None, path
    return re.findall(r'(?:href|action)="([^"]+)"', found.group(1))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
class TestEmptyInstallation:
    def test_what_payments_bring_leads_to_the_set_up_until_a_site_is_there(
        self, owner: Visitor, api: Caller
    ) -> None:
        begin = {path: steps(owner, path) for path in BY_PAYMENTS}
        api.create("/integrations", kind="chargebee", site="acme")
        then = [steps(owner, path)[:1] for path in BY_PAYMENTS]

        assert set(map(tuple, begin.values())) == {("/setup", "/setup/sample")}
        assert then == [
            ["/transactions"], ["/unmatched"], ["/leads"], ["/integrations"], [], [],
        ]  # fmt: skip

    def test_no_button_stands_twice_on_a_page(self, owner: Visitor) -> None:
        assert {path: steps(owner, path) for path in FIRST} == FIRST

        for path, made in (("/leads", "/leads/new"), ("/partners", "/partners/new")):
            assert owner.get(path).text.count(f'href="{made}"') == 1

    def test_nobody_is_led_to_where_they_may_not_go(self, enter: Enter) -> None:
        viewer = enter("viewer")
        offered = {path: steps(viewer, path) for path in (*BY_PAYMENTS, "/leads", "/payouts")}

        assert offered == {
            "/rewards": ["/transactions"], "/transactions": ["/unmatched"],
            "/customers": ["/leads", "/deals"], "/events": ["/integrations"],
            "/partners": [], "/programs": [], "/leads": [], "/payouts": ["/rewards"],
        }  # fmt: skip

    def test_it_says_what_is_not_there_and_how_it_comes(self, owner: Visitor) -> None:
        leads = owner.get("/leads").text

        assert '<p class="empty-title">No leads yet.</p>' in leads
        assert "Register the first one, or bring in a file of your CRM." in leads

    def test_filters_show_where_there_is_something_to_filter(self, owner: Visitor) -> None:
        assert 'class="filters"' not in owner.get("/leads").text
        assert 'class="filters"' in owner.get("/leads?status=lost").text
        assert '<a class="btn" href="/leads">Show all</a>' in owner.get("/leads?status=lost").text
