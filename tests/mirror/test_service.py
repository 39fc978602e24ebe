"""What one event leaves in the mirror, by the whole way of an event."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from rewards_service.chargebee.catalog import CATALOG, GIFT
from rewards_service.chargebee.event_types import HANDLED
from rewards_service.chargebee.resources import KINDS
from rewards_service.chargebee.subscriptions import SUBSCRIPTION
from rewards_service.mirror.catalog import ChargebeeItemPrice
from rewards_service.mirror.kinds import MODELS
from rewards_service.mirror.models import ChargebeeInvoice, ChargebeeVersion
from rewards_service.mirror.subscriptions import ChargebeeSubscription, ChargebeeSubscriptionItem
from rewards_service.reports.digest import sections
from tests.builders.chargebee import at, event, invoice, paid
from tests.builders.revenue import item, sold, subscription
from tests.builders.whole import violations
from tests.builders.world import World
from tests.mirror.dump import rows_of, tell

EVENTS = Path(__file__).resolve().parent.parent / "payloads" / "chargebee" / "events"


def samples() -> list[dict[str, Any]]:
    """Chargebee's own events, and those made after its type definitions, that are followed."""
    found = [json.loads(path.read_bytes()) for path in sorted(EVENTS.glob("*.json"))]
    return [one for one in found if one["event_type"] in HANDLED and one["api_version"] == "v2"]


class TestStore:
    def test_every_object_that_a_sample_carries_is_kept_whole(self, session: Session) -> None:
        """Nothing of the official samples is lost, whatever the event is about."""
        for site, sample in enumerate(samples()):
            tell(session, site, sample)
            carried = {
                (kind, one["id"]): one
                for kind in KINDS
                for one in (
                    sample["content"].get(kind),
                    *sample["content"].get(f"{kind}s", ()),
                )
                if one
            }
            held = {
                (row["kind"], row["external_id"]): json.loads(row["body"])
                for row in rows_of(session, site, ChargebeeVersion)
            }

            assert held == carried, sample["id"]
            for kind, name in carried:
                names = [row["external_id"] for row in rows_of(session, site, MODELS[kind])]
                assert name in names, (sample["id"], kind)

    def test_parts_of_an_older_version_do_not_stay(self, session: Session) -> None:
        two = [item("pro-USD", 100), item("more-USD", 50)]
        for day, items in ((1, two), (2, two[1:]), (1.5, two)):
            bought = subscription("s", "c", day, subscription_items=items)
            tell(session, 1, event(f"e{day}", "subscription_changed", day, subscription=bought))

        (row,) = rows_of(session, 1, ChargebeeSubscriptionItem)
        assert (row["entity_id"], row["amount_minor"]) == ("more-USD", 50)

    def test_an_older_update_does_not_bring_back_what_was_deleted(self, session: Session) -> None:
        tell(session, 1, event("e2", "item_price_deleted", 2,
                               item_price=sold("item_price", "p", 2)))  # fmt: skip
        tell(session, 1, event("e1", "item_price_updated", 1,
                               item_price=sold("item_price", "p", 1, price=5)))  # fmt: skip
        tell(session, 1, event("e3", "item_price_updated", 3,
                               item_price=sold("item_price", "p", 3, price=7)))  # fmt: skip

        (row,) = rows_of(session, 1, ChargebeeItemPrice)
        assert (row["deleted"], row["deleted_at"], row["price_minor"]) == (True, at(2), None)
        assert len(rows_of(session, 1, ChargebeeVersion)) == 3


class TestOnTheWay:
    def test_an_event_that_no_reward_follows_fills_the_mirror(self, world: World) -> None:
        bought = subscription("s", "cb_1", 1)
        world.receive(event("ev", "subscription_started", 1, subscription=bought))

        assert world.ended("ev") == ("done", "mirrored")
        assert [row.mrr_minor for row in world.all(ChargebeeSubscription)] == [4_500]
        assert violations(world.engine) == {}

    @pytest.mark.parametrize("odd", [{"id": 5}, {"id": "s", "resource_version": "x"}, 7, ["a"]])
    def test_an_odd_subscription_holds_up_no_payment(self, world: World, odd: Any) -> None:
        """Only what money needs quarantines a payment."""
        world.lead("ada@one.example", world.partner())
        body = paid("a", "cb_1", "ada@one.example")
        body["content"]["subscription"] = odd
        world.receive(body)

        assert world.outcome("ev_a") == "transaction_recorded"
        assert (world.all(ChargebeeSubscription), world.earned()) == ([], 2_000)

    @pytest.mark.parametrize("odd", [{"id": 5}, {"id": "s", "deleted": "no"}, 7, None])
    def test_an_event_about_an_odd_object_is_quarantined(self, world: World, odd: Any) -> None:
        world.receive(event("ev", "subscription_changed", 1, subscription=odd))

        assert world.ended("ev") == ("quarantined", "bad_payload")

    def test_an_invoice_inside_another_event_lets_its_payment_earn(self, world: World) -> None:
        """DOMAIN M18: a share waits for its invoice, whichever event brings it."""
        world.lead("ada@one.example", world.partner())
        body = paid("a", "cb_1", "ada@one.example")
        bill = body["content"].pop("invoice")
        world.receive(body)
        assert world.earned() == 0
        renewed = event("ev_s", "subscription_renewed", 1, invoice=bill,
                        subscription=subscription("s", "cb_1", 1))  # fmt: skip
        world.receive(renewed)

        assert world.earned() == 2_000
        assert violations(world.engine) == {}

    def test_the_digest_tells_of_every_kind(self, world: World) -> None:
        """Whether a kind is in the digest shows when nothing but one of it is told."""
        with Session(world.engine) as session:
            seen = [sections(session)["mirror"]]
            for kind in (SUBSCRIPTION, *CATALOG, GIFT):
                name = "gift_claimed" if kind == GIFT else f"{kind}_created"
                tell(session, world.site.id, event("ev", name, 1, **{kind: sold(kind, "x", 1)}))
                seen.append(sections(session)["mirror"])

        assert len(set(seen)) == len(seen)

    def test_what_is_only_observed_leaves_no_trace(self, world: World) -> None:
        """DOMAIN V11."""
        world.switch(mode="observe")
        world.receive(event("ev", "invoice_generated", 1, invoice=invoice("i", "c", 5)),
                      event("ev_s", "mrr_updated", 1, subscription=subscription("s")))  # fmt: skip

        assert world.ended("ev_s") == ("done", "observed")
        assert world.all(ChargebeeSubscription) == world.all(ChargebeeInvoice) == []
        assert world.all(ChargebeeVersion) == []
