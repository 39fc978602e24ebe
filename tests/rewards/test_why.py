"""What a payment earned by which rule, and why it earned nothing if it did not."""

import re

import pytest

from rewards_service.kit import ids
from rewards_service.reports.payment_checks import REASONS
from rewards_service.rewards import reasons
from tests.builders.api import Caller, Json
from tests.builders.chargebee import at, paid, refunded
from tests.builders.world import World

ADA = "ada@one.example"


def explained(api: Caller, world: World, name: str) -> Json:
    key = ids.encode("txn", world.transaction_of(name).id)
    return api.get(f"/transactions/{key}/explanation")


class TestReasons:
    def test_every_reason_has_its_sentence(self) -> None:
        """DOMAIN V11: one closed list, in explanations as well."""
        assert set(reasons.OF_PAYMENTS) == set(REASONS)
        assert set(reasons.OF_RULES) == {*REASONS, "outranked", "condition_not_met"}


class TestExplanation:
    def test_a_payment_that_earned_shows_the_sum(self, api: Caller, world: World) -> None:
        """DOMAIN A4, V11."""
        ann = world.partner("Ann")
        world.lead(ADA, ann)
        world.receive(paid("1", "cb1", ADA))

        found = explained(api, world, "txn_1")

        assert found["reason"] is None
        (invoice,) = found["invoices"]
        (rule,) = invoice["rules"]
        (reward,) = api.get("/rewards")["data"]
        assert invoice["reward_ids"] == [reward["id"]]
        assert (rule["amount_minor"], rule["reason"]) == (2_000, None)
        assert rule["partner_id"] == ids.encode("par", ann)
        same = api.get(f"/rewards/{reward['id']}/explanation")
        assert (rule["steps"], rule["text"]) == (same["steps"], same["text"])
        assert "It earned a reward." in found["text"]

    @pytest.mark.parametrize(
        ("terms", "reason", "shown"),
        [
            ({"min_amount_minor": {"USD": 20_000}}, "below_minimum", "less than the rule's"),
            ({"item_filter": {"include": ["basic*"]}}, "not_eligible_lines", "No line"),
            ({"conditions": {"countries": ["DE"]}}, "no_rule", "not for this customer or country"),
        ],
    )  # fmt: skip
    def test_a_rule_that_gave_nothing_says_why(
        self, terms: Json, reason: str, shown: str, api: Caller, world: World
    ) -> None:
        """DOMAIN A10, A13, V11."""
        world.add_version(world.rule, 2, 200_000, **terms)
        world.lead(ADA, world.partner("Ann"))
        world.receive(paid("1", "cb1", ADA))

        found = explained(api, world, "txn_1")

        assert found["reason"] == reason
        assert found["invoices"][0]["reason"] == reason
        assert shown in found["text"]
        assert world.earned() == 0

    def test_the_sum_is_shown_though_nothing_came_of_it(self, api: Caller, world: World) -> None:
        """DOMAIN V11: a partner can redo it."""
        world.add_version(world.rule, 2, 200_000, min_amount_minor={"USD": 20_000})
        world.lead(ADA, world.partner("Ann"))
        world.receive(paid("1", "cb1", ADA))

        (rule,) = explained(api, world, "txn_1")["invoices"][0]["rules"]

        assert rule["amount_minor"] == 0
        assert "100.00 USD" in rule["text"]
        assert [step["label"] for step in rule["steps"]][:3] == ["eligible", "payable", "payment"]

    def test_payments_that_nobody_brought(self, api: Caller, world: World) -> None:
        """DOMAIN S2, S4, V11: no partner, before the attribution, inactive partner."""
        world.lead("zoe@nobody.example")
        world.deal("new@one.example", world.partner("Ann"), registered_at=at(30))
        late = world.partner("Bob")
        world.set_status(late, "paused", at(-10))
        world.lead("bob@one.example", late)
        world.receive(
            paid("1", "cb1", "zoe@nobody.example"),
            paid("2", "cb2", "new@one.example"),
            paid("3", "cb3", "bob@one.example"),
        )

        told = [explained(api, world, f"txn_{number}") for number in (1, 2, 3)]

        assert [one["reason"] for one in told] == [
            "no_source_partner", "before_attribution", "partner_inactive",
        ]  # fmt: skip
        assert "has no source partner" in told[0]["text"]
        assert "before its customer was attributed" in told[1]["text"]
        assert "not active" in told[2]["text"]

    def test_a_rule_that_lost_to_another_is_named(self, api: Caller, world: World) -> None:
        """DOMAIN A13."""
        world.add_version(world.rule, 2, 200_000, stack_group="one", priority=5)
        loser = world.add_rule(300_000, stack_group="one", priority=1)
        world.lead(ADA, world.partner("Ann"))
        world.receive(paid("1", "cb1", ADA))

        (invoice,) = explained(api, world, "txn_1")["invoices"]

        why = {rule["rule"]["id"]: rule["reason"] for rule in invoice["rules"]}
        assert why == {ids.encode("rul", world.rule): None, ids.encode("rul", loser): "outranked"}
        assert "Another rule of its stack group goes before it." in invoice["text"]

    def test_what_a_refund_left_is_told_as_it_stands_now(self, api: Caller, world: World) -> None:
        """DOMAIN A3, A4."""
        world.lead(ADA, world.partner("Ann"))
        world.receive(paid("1", "cb1", ADA), refunded("r", "txn_1", 10_000))

        (rule,) = explained(api, world, "txn_1")["invoices"][0]["rules"]

        assert rule["amount_minor"] == 0
        assert re.search(r"less 100\.00 USD taken back", rule["text"])

    def test_an_unknown_payment_is_not_found(self, api: Caller) -> None:
        key = ids.encode("txn", 99)
        assert api.call("GET", f"/transactions/{key}/explanation").status_code == 404

    def test_used_up_rate_steps_are_a_window_that_is_over(self, api: Caller, world: World) -> None:
        """DOMAIN A11, V11."""
        steps = [{"payments": 1, "rate_millionths": 500_000}]
        world.add_version(world.rule, 2, 0, rate_steps=steps)
        world.lead(ADA, world.partner("Ann"))
        world.receive(paid("1", "cb1", ADA), paid("2", "cb1", ADA, day=1))

        assert explained(api, world, "txn_1")["reason"] is None
        assert explained(api, world, "txn_2")["reason"] == "window_over"

    def test_a_cap_names_its_limit_and_what_others_hold(self, api: Caller, world: World) -> None:
        """DOMAIN A10: 22.00 are allowed, 20.00 are taken, 2.00 are left."""
        caps = [{"scope": "partner", "window": "month", "amounts": {"USD": 2_200}}]
        world.add_version(world.rule, 2, 200_000, caps=caps)
        world.lead(ADA, world.partner("Ann"))
        world.receive(paid("1", "cb1", ADA), paid("2", "cb1", ADA, day=1))

        (rule,) = explained(api, world, "txn_2")["invoices"][0]["rules"]

        assert rule["amount_minor"] == 200
        assert (
            "A cap of the rule (partner, month) leaves 2.00 USD, for of the 22.00 USD that it "
            "allows around 2026-01-02 others hold 20.00 USD: capped from 20.00 USD."
        ) in rule["text"]
