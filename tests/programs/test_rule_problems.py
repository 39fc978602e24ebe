"""What no reward rule may say, without a database."""

from collections.abc import Iterator
from typing import Any

import pytest

from rewards_service.programs import terms
from rewards_service.programs.rule_schemas import TermsSchema
from rewards_service.programs.rules import read_terms
from tests.builders.api import Json
from tests.programs.rule_bodies import FLAT, GRADUATED, STEPPED, TIERED, nameless
from tests.programs.rule_values import FIVE, PERCENT, kept_row, rule, shown
from tests.test_api_hostile_input import HOSTILE


def wrong(**body: Any) -> list[str]:
    """The members of a body that do not fit together."""
    return [problem.member for problem in terms.problems(rule(**body))]


def tiers(*steps: Json, **changed: Any) -> Json:
    return {"kind": "percent", "tiers": {**GRADUATED, **changed, "steps": list(steps)}}


def mutations(value: Any) -> Iterator[Any]:
    """The value with something odd in each of its places in turn."""
    if not isinstance(value, dict | list):
        return
    for place in value if isinstance(value, dict) else range(len(value)):
        for odd in (*HOSTILE, *mutations(value[place])):
            changed = value.copy()
            changed[place] = odd
            yield changed
        less = value.copy()
        del less[place]
        yield less


class TestProblems:
    @pytest.mark.parametrize(
        ("body", "members"),
        [
            ({**PERCENT, "amounts": {"USD": 1}}, ["amounts"]),
            ({**PERCENT, "flat_refund": "at_zero"}, ["flat_refund"]),
            ({**PERCENT, "flat_refund_threshold": "0.5"}, ["flat_refund_threshold"]),
            ({"kind": "percent"}, ["rate"]),
            ({**PERCENT, "tiers": GRADUATED}, ["rate"]),
            ({**PERCENT, "rate_steps": [{"rate": "0.1"}]}, ["rate"]),
            ({"kind": "percent", "tiers": GRADUATED, "rate_steps": [{"rate": "0.1"}]},
             ["rate_steps"]),
            ({"kind": "flat"}, ["amounts"]),
            ({**FIVE, "rate": "0.20"}, ["rate"]),
            ({**FIVE, "tiers": GRADUATED}, ["tiers"]),
            ({**FIVE, "rate_steps": [{"rate": "0.1"}]}, ["rate_steps"]),
            ({**FIVE, "flat_refund": "threshold"}, ["flat_refund_threshold"]),
            ({**FIVE, "flat_refund_threshold": "0.5"}, ["flat_refund_threshold"]),
            ({**FIVE, "flat_refund": "pro_rata", "flat_refund_threshold": "0.5"},
             ["flat_refund_threshold"]),
            ({**FIVE, "flat_refund": "threshold", "flat_refund_threshold": "0"},
             ["flat_refund_threshold"]),
            ({**PERCENT, "annual": "prorate"}, ["annual"]),
            ({**FIVE, "max_reward_minor": {"EUR": 1, "USD": 499}}, ["max_reward_minor/USD"]),
            ({**FIVE, "max_reward_minor": {"USD": 500}}, []),
        ],
    )  # fmt: skip
    def test_members_fit_together(self, body: Json, members: list[str]) -> None:
        """DOMAIN A7, A9, A11: what contradicts itself is refused, each member by its name."""
        assert wrong(**body) == members

    def test_only_the_last_rate_step_goes_on_for_ever(self) -> None:
        steps = [{"rate": "0.5"}, {"payments": None, "rate": "0.1"}, {"rate": "0"}]

        assert wrong(kind="percent", rate_steps=steps) == [
            "rate_steps/0/payments", "rate_steps/1/payments",
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("body", "member"),
        [
            (tiers({"up_to": {"USD": 1}, "rate": "0.1"}), "tiers/steps/0/up_to"),
            (tiers({"rate": "0.1"}, {"rate": "0.2"}), "tiers/steps/0/up_to"),
            (tiers({"up_to": 5, "rate": "0.1"}, {"rate": "0.2"}), "tiers/steps/0/up_to"),
            (tiers({"up_to": {"USD": 5}, "rate": "0.1"}, {"up_to": {"USD": 5}, "rate": "0.1"},
                   {"rate": "0.2"}), "tiers/steps/1/up_to"),
            (tiers({"up_to": {"USD": 5}, "rate": "0.1"}, {"up_to": {"EUR": 6}, "rate": "0.1"},
                   {"rate": "0.2"}), "tiers/steps/1/up_to"),
            (tiers({"up_to": {"USD": 5, "EUR": 9}, "rate": "0.1"},
                   {"up_to": {"USD": 6, "EUR": 8}, "rate": "0.1"}, {"rate": "0.2"}),
             "tiers/steps/1/up_to"),
            (tiers({"up_to": {"USD": 5}, "rate": "0.1"}, {"rate": "0.2"}, metric="new_customers"),
             "tiers/steps/0/up_to"),
            (tiers({"up_to": 5, "rate": "0.1"}, {"up_to": 4, "rate": "0.1"}, {"rate": "0.2"},
                   metric="new_customers"), "tiers/steps/1/up_to"),
        ],
    )  # fmt: skip
    def test_steps_of_tiers_rise_and_the_last_has_no_end(self, body: Json, member: str) -> None:
        """DOMAIN A9."""
        assert wrong(**body) == [member]

    def test_tiers_of_new_customers_and_of_one_step_are_lawful(self) -> None:
        """DOMAIN A9."""
        by_customers = tiers({"up_to": 5, "rate": "0.1"}, {"rate": "0.2"}, metric="new_customers")

        assert wrong(**by_customers) == []
        assert wrong(**tiers({"rate": "0.1"})) == []

    def test_only_slabs_of_amounts_are_restated(self) -> None:
        """DOMAIN A9."""
        last: Json = {"rate": "0.1"}

        assert wrong(**tiers(last, restate=True, mode="slab")) == []
        assert wrong(**tiers(last, restate=True)) == ["tiers/restate"]
        assert wrong(**tiers(last, restate=True, mode="slab", metric="new_customers")) == [
            "tiers/restate"
        ]

    def test_a_scope_has_one_cap_in_a_window(self) -> None:
        """DOMAIN A10."""
        cap = {"scope": "partner", "window": "month", "amounts": {"USD": 1}}
        caps = [cap, {**cap, "window": "lifetime"}, {**cap, "amounts": {"EUR": 2}}]

        assert wrong(**PERCENT, caps=caps) == ["caps/2"]

    @pytest.mark.parametrize(
        ("include", "exclude", "members"),
        [
            (["pro"], ["pro"], ["item_filter/exclude/0"]),
            (["a", "pro-1"], ["b", "pro-*"], ["item_filter/exclude/1"]),
            (["pro-*"], ["pro-*"], ["item_filter/exclude/0"]),
            (["pro-x*"], ["pro-*"], ["item_filter/exclude/0"]),
            (["pro-*"], ["pro-x", "pro-x*"], []),
            (["pro"], ["pro-*"], []),
        ],
    )
    def test_nothing_is_included_that_is_excluded(
        self, include: list[str], exclude: list[str], members: list[str]
    ) -> None:
        assert wrong(**PERCENT, item_filter={"include": include, "exclude": exclude}) == members

    def test_no_country_or_customer_is_wanted_and_excluded(self) -> None:
        conditions = {
            "countries": ["DE", "AT"], "excluded_countries": ["US", "AT"],
            "customer_ids": ["a"], "excluded_customer_ids": ["a"],
        }  # fmt: skip

        assert wrong(**PERCENT, conditions=conditions) == [
            "conditions/excluded_countries/1", "conditions/excluded_customer_ids/0",
        ]  # fmt: skip

    def test_all_that_is_wrong_is_said_at_once(self) -> None:
        assert wrong(kind="percent", amounts={"USD": 1}, annual="prorate") == [
            "amounts", "rate", "annual",
        ]  # fmt: skip


class TestShapes:
    @pytest.mark.parametrize("full", [TIERED, STEPPED, FLAT], ids=["tiers", "steps", "flat"])
    def test_no_value_breaks_a_rule(self, full: Json) -> None:
        """Each member in turn is something odd: it is refused by name, or makes a lawful rule."""
        body = nameless(full)
        for changed in mutations(body):
            top = next(name for name in body if changed.get(name) is not body[name])
            refused = TermsSchema().validate(changed)
            if refused:
                assert list(refused) == [top]
                continue
            members = rule(**changed)
            if not terms.problems(members):
                read_terms(kept_row(members).terms)
                shown(members)

    @pytest.mark.parametrize("full", [TIERED, STEPPED, FLAT], ids=["tiers", "steps", "flat"])
    def test_no_value_breaks_a_change(self, full: Json) -> None:
        """A change may leave members of the rule out, but none of the objects inside."""
        before, schema = rule(**PERCENT), TermsSchema(partial=True)
        for changed in mutations(nameless(full)):
            if not schema.validate(changed):
                members = terms.changed(before, schema.load(changed))
                if not terms.problems(members):
                    read_terms(kept_row(members).terms)

    @pytest.mark.parametrize(
        ("member", "value"),
        [
            ("first_months", True),
            ("first_payments", 0),
            ("priority", 1.0),
            ("min_amount_minor", {"USD": 0}),
            ("max_reward_minor", {}),
            ("caps", [{"scope": "customer", "window": "year", "amounts": {"USD": 1}}]),
            ("item_filter", {}),
            ("item_filter", {"include": []}),
            ("item_filter", {"include": ["*"]}),
            ("item_filter", {"include": ["a*b"]}),
            ("item_filter", {"include": ["a", "a"]}),
            ("item_filter", {"entity_types": ["plan_price"]}),
            ("conditions", {"countries": ["de"]}),
            ("conditions", {"countries": ["UK"]}),
            ("conditions", {"country": ["DE"]}),
            ("stack_group", ""),
        ],
    )
    def test_odd_values_are_refused(self, member: str, value: Any) -> None:
        assert list(TermsSchema().validate({**PERCENT, member: value})) == [member]
