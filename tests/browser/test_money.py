"""Rewards and payouts in a real browser: their pages in every look, the way of money by mouse."""

import re
from pathlib import Path

import pytest

from rewards_service.kit import ids
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import transaction
from rewards_service.partners.models import Partner
from rewards_service.payouts import making, schedules
from rewards_service.rewards import adjusting
from rewards_service.rewards.review import change_status
from tests.admin.money.conftest import reward_ids
from tests.browser.conftest import Site, Tab
from tests.browser.test_pages import faults
from tests.builders.chargebee import paid, refunded
from tests.builders.site import webhook_app
from tests.builders.world import World

BY = "user:1"


@pytest.fixture(scope="module")
def business(site: Site) -> World:
    """Seven rewards in several statuses; two drafts, one of which lacks its rate; a schedule."""
    world = World(webhook_app(site.settings), site.engine, site.settings)
    people = {"Ann": range(1, 6), "Bob": range(6, 8)}
    for name, numbers in people.items():
        partner = world.partner(name)
        for number in numbers:
            email = f"customer-with-a-long-address-{number}@somewhere.example"
            world.lead(email, partner)
            world.accept(paid(str(number), f"cb{number}", email))
    world.accept(refunded("r1", "txn_1", 2_500))
    world.drain()
    keys = sorted(ids.decode("rew", one) or 0 for one in reward_ids(world))
    with transaction(site.engine) as session:
        session.get_one(Partner, 2).payout_currency = "EUR"
        change_status(session, [keys[0], keys[5]], "approved", None, BY)
        change_status(session, [keys[1]], "hold", "Who is this?", BY)
        change_status(session, [keys[2]], "declined", "Duplicate", BY)
        adjusting.adjust(session, keys[0], -150, "Goodwill " * 20, BY)
        making.create(session, making.Wanted("USD", utc_now().date()), BY)
        wanted = {"kind": "monthly", "day": 1, "program_id": None, "enabled": True,
                  "thresholds": {"USD": 5_000}}  # fmt: skip
        schedules.create_schedule(session, wanted, BY)
    return world


class TestLooks:
    def test_every_page_in_every_look(self, tab: Tab, business: World) -> None:
        first, held = (f"/rewards/{one}" for one in reward_ids(business)[:2])
        draft, unrated = (f"/payouts/{ids.encode('pay', key)}" for key in (1, 2))
        tab.sign_in()
        pages = (
            "/rewards?status=pending", first, held, f"{held}/adjust", draft, unrated,
            f"/payouts/schedules/{ids.encode('sch', 1)}",
        )  # fmt: skip
        wrong = {path: found for path in pages if (found := faults(tab, path))}

        assert wrong == {}
        assert tab.complaints == []


class TestWay:
    def test_from_the_queue_to_a_paid_payout(
        self, tab: Tab, business: World, tmp_path: Path
    ) -> None:
        page = tab.page
        tab.sign_in()
        menu = page.get_by_role("navigation", name="Main")
        menu.get_by_role("link", name="Rewards").click()
        page.get_by_role("link", name="To review").click()
        for pick in page.locator("[data-pick]").all()[1:]:
            pick.check()
        page.get_by_label("Reason").fill("Not a customer of ours")
        page.get_by_role("button", name="Decline…").click()
        assert page.get_by_text(re.compile(r"40\.00 in 2 rewards will not be paid")).is_visible()
        assert tab.violations() == []
        page.get_by_role("link", name="Go back").click()
        for pick in page.locator("[data-pick]").all():
            pick.check()
        page.get_by_role("button", name="Approve").click()
        page.get_by_text("3 rewards approved.").wait_for()

        menu.get_by_role("link", name="Payouts").click()
        page.get_by_role("link", name="Make payouts").click()
        page.get_by_label("Partner").fill("ann@partner.example")
        page.get_by_role("button", name="Show what would be made").click()
        assert tab.violations() == []
        page.get_by_role("button", name="Make 1 draft").click()
        page.get_by_role("button", name="Submit to the partner").click()
        page.get_by_label("Number of the invoice").fill("R-7")
        bill = tmp_path / "bill.pdf"
        bill.write_bytes(b"%PDF-1.7 a bill")
        page.get_by_label("Document").set_input_files(bill)
        page.get_by_role("button", name="Attach").click()
        page.get_by_text("The invoice is attached.").wait_for()
        page.get_by_role("button", name="The partner agrees").click()
        with page.expect_download() as handed:
            page.get_by_role("link", name="CSV").click()
        assert handed.value.suggested_filename.endswith("-csv.csv")
        page.get_by_role("link", name="Mark as paid").click()
        assert tab.violations() == []
        page.get_by_role("button", name="Yes, US$40.00 to Ann is paid").click()
        page.get_by_text("It is paid, and so are all its rewards.").wait_for()

        assert tab.complaints == []
