"""What a change of a rule would have cost over payments of the past."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from rewards_service.kit import ids
from rewards_service.rewards import preview as module
from rewards_service.rewards.preview import Amounts, Preview
from tests.builders.api import Caller, Json
from tests.builders.chargebee import at, paid, refunded
from tests.builders.whole import read
from tests.builders.world import World

ADA, BEA = "ada@one.example", "bea@two.example"
DAYS = {"from_on": "2026-01-01", "until_on": "2026-12-31"}


@pytest.fixture
def ann(world: World) -> int:
    """A partner with a customer who paid 100.00 in January and 50.00 in February."""
    key = world.partner("Ann")
    world.lead(ADA, key)
    world.receive(paid("1", "cb1", ADA, 10_000), paid("2", "cb1", ADA, 5_000, 40))
    return key


def preview(api: Caller, world: World, **body: Any) -> Json:
    key = ids.encode("rul", world.rule)
    answer = api.call("POST", f"/reward-rules/{key}/preview", json={**DAYS, **body})
    assert answer.status_code == 200, answer.text
    return dict(answer.get_json())


def sums(of: Json) -> tuple[int, int, int, int]:
    return (
        of["current_minor"], of["draft_minor"], of["others_minor"], of["difference_minor"],
    )  # fmt: skip


class TestPreview:
    def test_tells_each_partner_in_each_currency(self, api: Caller, world: World, ann: int) -> None:
        """DOMAIN A12: a rule is tried before it binds anybody."""
        bob = world.partner("Bob")
        world.lead(BEA, bob)
        world.receive(paid("3", "cb2", BEA, 1_000, currency_code="JPY"))

        found = preview(api, world, rate="0.30")

        assert found["version"] == 1
        assert (found["invoice_count"], found["changed_count"]) == (3, 3)
        assert [(one["partner_id"], one["currency"], *sums(one)) for one in found["partners"]] == [
            (ids.encode("par", ann), "USD", 3_000, 4_500, 0, 1_500),
            (ids.encode("par", bob), "JPY", 200, 300, 0, 100),
        ]
        assert {one["currency"]: sums(one) for one in found["totals"]} == {
            "JPY": (200, 300, 0, 100), "USD": (3_000, 4_500, 0, 1_500),
        }  # fmt: skip
        largest = found["invoices"][0]
        assert (largest["chargebee_invoice_id"], *sums(largest)) == (
            "inv_1", 2_000, 3_000, 0, 1_000,
        )  # fmt: skip

    def test_changes_nothing(self, api: Caller, world: World, ann: int) -> None:
        """DOMAIN V8: no reward, no entry, no version, no counter."""
        before = read(world.engine), _counts(world)
        preview(api, world, rate="0.50", first_payments=1)

        assert (read(world.engine), _counts(world)) == before

    @pytest.mark.parametrize(
        ("days", "expected"),
        [
            ({"from_on": "2026-01-01", "until_on": "2026-01-31"}, (2_000, 3_000, 0, 1_000)),
            ({"from_on": "2026-02-10", "until_on": "2026-02-10"}, (1_000, 1_500, 0, 500)),
        ],
    )
    def test_both_days_count(
        self, days: dict[str, str], expected: tuple[int, ...], api: Caller, world: World, ann: int
    ) -> None:
        assert sums(preview(api, world, rate="0.30", **days)["totals"][0]) == expected

    def test_a_refund_lowers_both_sides(self, api: Caller, world: World, ann: int) -> None:
        """DOMAIN A3."""
        world.receive(refunded("r", "txn_1", 10_000))

        assert sums(preview(api, world, rate="0.30")["totals"][0]) == (1_000, 1_500, 0, 500)

    @pytest.mark.parametrize(
        ("change", "expected"),
        [
            ({"first_payments": 1}, 2_000),
            ({"max_reward_minor": {"USD": 1_500}}, 2_500),
            ({"min_amount_minor": {"USD": 6_000}}, 2_000),
            ({"kind": "flat", "rate": None, "amounts": {"USD": 700}}, 1_400),
            (
                {"caps": [{"scope": "partner", "window": "lifetime", "amounts": {"USD": 2_200}}]},
                2_200,
            ),
            (
                {
                    "rate": None,
                    "tiers": {
                        "mode": "slab", "metric": "base_amount", "window": "lifetime",
                        "steps": [
                            {"up_to": {"USD": 12_000}, "rate": "0.10"},
                            {"up_to": None, "rate": "0.20"},
                        ],
                    },
                },
                2_000,
            ),
        ],
    )  # fmt: skip
    def test_all_that_a_rule_can_say_is_tried(
        self, change: Json, expected: int, api: Caller, world: World, ann: int
    ) -> None:
        """DOMAIN A9, A10, A11: what counts counts from the first payment on, in order."""
        assert sums(preview(api, world, **change)["totals"][0])[:2] == (3_000, expected)

    def test_what_was_before_the_days_still_counts(
        self, api: Caller, world: World, ann: int
    ) -> None:
        """DOMAIN A11: the first payment lies before, so the second is the second."""
        days = {"from_on": "2026-02-01", "until_on": "2026-02-28"}

        assert sums(preview(api, world, first_payments=1, **days)["totals"][0]) == (
            1_000, 0, 0, -1_000,
        )  # fmt: skip

    def test_other_rules_of_the_stack_group_are_counted(
        self, api: Caller, world: World, ann: int
    ) -> None:
        """DOMAIN A13: a draft that outranks another rule takes that one's cost away."""
        world.add_rule(100_000, stack_group="one", priority=5)

        found = preview(api, world, stack_group="one", priority=9)

        assert sums(found["totals"][0]) == (3_000, 3_000, -1_500, -1_500)

    def test_a_day_of_effect_leaves_what_was_before(
        self, api: Caller, world: World, ann: int
    ) -> None:
        """DOMAIN A12."""
        found = preview(api, world, rate="0.30", effective_from="2026-02-01")

        assert sums(found["totals"][0]) == (3_000, 3_500, 0, 500)

    def test_a_draft_that_is_no_rule_is_refused_at_its_field(
        self, api: Caller, world: World, ann: int
    ) -> None:
        key = ids.encode("rul", world.rule)
        answer = api.call("POST", f"/reward-rules/{key}/preview", json={"rate": "1.5"})
        assert answer.status_code == 422
        assert "rate" in answer.text

    def test_days_the_wrong_way_round_are_refused(
        self, api: Caller, world: World, ann: int
    ) -> None:
        key = ids.encode("rul", world.rule)
        body = {"from_on": "2026-02-01", "until_on": "2026-01-01"}
        assert api.call("POST", f"/reward-rules/{key}/preview", json=body).status_code == 422

    def test_too_much_for_a_request_is_refused_with_the_way_out(
        self, api: Caller, world: World, ann: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module.preview, "__defaults__", (None, None, 1))
        key = ids.encode("rul", world.rule)
        answer = api.call("POST", f"/reward-rules/{key}/preview", json={**DAYS, "rate": "0.30"})

        refused = dict(answer.get_json())
        assert (refused["status"], refused["code"]) == (422, "too_much_to_preview")
        assert "rewards preview-rule" in refused["detail"]

    def test_a_reader_may_preview(self, api: Caller, world: World, ann: int) -> None:
        key = ids.encode("rul", world.rule)
        reader = api.make_key(["programs:read"])
        path = f"/reward-rules/{key}/preview"
        assert api.call("POST", path, reader, json={"rate": "0.30"}).status_code == 200
        nobody = api.make_key(["events:read"])
        assert api.call("POST", path, nobody, json={"rate": "0.30"}).status_code == 403


def _counts(world: World) -> list[int]:
    tables = ("reward_rule_versions", "ledger_entries", "reward_counts", "metric_entries",
              "reward_due", "audit_entries")  # fmt: skip
    with world.engine.connect() as connection:
        return [
            connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one()  # noqa: S608
            for name in tables
        ]


class TestAmounts:
    @given(
        st.dictionaries(
            st.tuples(st.integers(1, 3), st.sampled_from(["USD", "JPY"])),
            st.builds(Amounts, *[st.integers(-100, 100)] * 3),
        )
    )
    def test_totals_are_the_sums_of_the_partners(
        self, partners: dict[tuple[int, str], Amounts]
    ) -> None:
        day = at(0).date()
        totals = Preview(1, 1, day, day, 0, 0, partners).totals

        assert set(totals) == {currency for _, currency in partners}
        for currency, total in totals.items():
            mine = [one for (_, known), one in partners.items() if known == currency]
            assert total.difference_minor == sum(one.difference_minor for one in mine)
            assert total.draft_minor == sum(one.draft_minor for one in mine)
