"""The simulator's events carry what Chargebee's own samples carry (reference section 9, c)."""

import json
from pathlib import Path
from typing import Any

import pytest

from rewards_service.simulator.site import Row, Site
from rewards_service.simulator.verbs import say

EVENTS = Path(__file__).parents[1] / "payloads" / "chargebee" / "events"
# Members that came to the samples from an old site or from settings that we do not have.
SITE_SPECIFIC = {
    "transaction": {"three_d_secure", "initiator_type", "settled_at"},
    "invoice": {"dunning_status", "shipping_address", "line_item_tiers", "billing_address"},
    "customer": {"locale", "balances", "billing_address", "phone", "company", "vat_number"},
    "subscription": {"shipping_address", "coupon", "coupons", "trial_start", "trial_end"},
}


def content(site: Site, event_type: str) -> Row:
    rows = [r for r in site.tables["event"].rows.values() if r["event_type"] == event_type]
    found: Row = json.loads(rows[-1]["content"])
    return found


def sample(name: str) -> Any:
    return json.loads((EVENTS / f"real_pc1_{name}.json").read_bytes())["content"]


class TestEvents:
    @pytest.fixture
    def site(self) -> Site:
        site = Site()
        say(site, "stock")
        person = {"email": "a@b.example", "first_name": "Ada", "last_name": "Bee", "country": "US"}
        customer = say(site, "sign_up", **person)["customer_id"]
        done = say(site, "subscribe", customer_id=customer, plan_id="basic")
        say(site, "refund", invoice_id=done["invoice_id"], amount=2)
        return site

    @pytest.mark.parametrize("event_type", ["payment_succeeded", "payment_refunded"])
    @pytest.mark.parametrize("member", ["transaction", "invoice", "customer", "subscription"])
    def test_objects_have_the_members_of_the_real_ones(
        self, site: Site, event_type: str, member: str
    ) -> None:
        ours, theirs = content(site, event_type), sample(event_type)
        missing = theirs[member].keys() - ours[member].keys() - SITE_SPECIFIC[member]

        assert missing <= {"reference_number", "id_at_gateway"}

    def test_a_credit_note_has_the_members_of_a_real_one(self, site: Site) -> None:
        ours, theirs = content(site, "payment_refunded"), sample("payment_refunded")

        assert theirs["credit_note"].keys() - ours["credit_note"].keys() == set()
        assert theirs["credit_note"]["line_items"][0].keys() <= (
            ours["credit_note"]["line_items"][0].keys()
        )
