"""Whatever happens on a simulated site, its money adds up and its words are Chargebee's."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rewards_service.simulator.books import differences
from rewards_service.simulator.events import shown
from rewards_service.simulator.play import play
from rewards_service.simulator.saving import loaded, saved
from rewards_service.simulator.site import Site
from rewards_service.simulator.verbs import VERBS, say
from rewards_service.simulator.wire import dumps
from tests.simulator.schemas import wrong_object, wrong_webhook

SCHEMAS = {
    "customer": "Customer", "item_family": "ItemFamily", "item": "Item",
    "item_price": "ItemPrice", "plan": "Plan", "addon": "Addon",
    "subscription": "Subscription", "invoice": "Invoice", "credit_note": "CreditNote",
    "transaction": "Transaction", "gift": "Gift",
}  # fmt: skip


def played(seed: int, steps: int) -> Site:
    site = Site(seed)
    for _ in play(site, steps):
        pass
    return site


def money(row: dict[str, Any]) -> dict[str, Any]:
    """What of an object is about money: not when it last changed, nor how its invoices stand."""
    links = row.get("linked_invoices", ())
    applied = [(link["invoice_id"], link["applied_amount"]) for link in links]
    members = ("status", "amount", "amount_unused", "total", "deleted", "voided_at")
    return {"applied": applied, **{name: row.get(name) for name in members}}


class TestPlay:
    @settings(max_examples=25, deadline=None)
    @given(seed=st.integers(0, 2**32), steps=st.integers(1, 150))
    def test_amounts_add_up_after_every_step(self, seed: int, steps: int) -> None:
        site = Site(seed)
        for _ in play(site, steps):
            assert differences(site) == []

    def test_the_same_seed_makes_the_same_bytes(self) -> None:
        assert saved(played(7, 200)) == saved(played(7, 200))

    def test_another_seed_makes_other_business(self) -> None:
        assert saved(played(7, 50)) != saved(played(8, 50))

    def test_it_goes_on_from_where_it_was_saved(self) -> None:
        whole, half = played(3, 120), played(3, 60)
        again = loaded(saved(half))
        for _ in play(again, 60):
            pass

        assert saved(again) == saved(whole)

    def test_every_verb_of_a_business_happens(self) -> None:
        told = {verb for seed in range(1, 13) for verb, _ in play(Site(seed), 300)}

        assert VERBS.keys() - told == {"stock", "delete_invoice", "delete_credit", "use_credit"}

    @pytest.mark.parametrize("seed", range(1, 9))
    def test_no_money_changes_without_an_event(self, seed: int) -> None:
        """Of a payment and of a credit note, the newest event tells what the API shows."""
        site = played(seed, 300)
        told = {}
        for event in site.tables["event"].rows.values():
            for kind, row in json.loads(event["content"]).items():
                if kind in ("transaction", "credit_note"):
                    told[kind, row["id"]] = money(row)
        shown_now = {
            (kind, key): money(json.loads(dumps(row)))
            for kind in ("transaction", "credit_note")
            for key, row in site.tables[kind].rows.items()
        }

        assert told == shown_now

    def test_resource_versions_only_grow(self) -> None:
        site = played(5, 150)
        events = [json.loads(row["content"]) for row in site.tables["event"].rows.values()]
        seen: dict[str, int] = {}
        for content in events:
            row = content.get("invoice")
            if row is not None:
                assert row["resource_version"] >= seen.get(row["id"], 0)
                seen[row["id"]] = row["resource_version"]
        assert seen


@pytest.mark.parametrize("seed", [1, 2])
class TestShape:
    def test_every_record_is_as_the_description_has_it(self, seed: int) -> None:
        site = played(seed, 250)
        wrong = {
            f"{kind} {key}": found
            for kind, name in SCHEMAS.items()
            for key, row in site.tables[kind].rows.items()
            if (found := wrong_object(name, json.loads(dumps(row))))
        }

        assert wrong == {}

    def test_every_event_is_as_the_description_has_it(self, seed: int) -> None:
        site = played(seed, 250)
        events = [json.loads(dumps(shown(row))) for row in site.tables["event"].rows.values()]
        wrong = {event["id"]: found for event in events if (found := wrong_webhook(event))}

        assert wrong == {}
        assert len({event["event_type"] for event in events}) >= 25


class TestSay:
    def test_a_customer_can_have_every_member_a_form_has(self) -> None:
        site = Site()
        done = say(site, "sign_up", email="a@b.example", country="DE", card=False, cf_Tier="Gold")
        row = site.find("customer", done["customer_id"])

        assert (row["email"], row["cf_Tier"], row["card_status"]) == (
            "a@b.example", "Gold", "no_card"
        )  # fmt: skip
        assert row["billing_address"]["country"] == "DE"
