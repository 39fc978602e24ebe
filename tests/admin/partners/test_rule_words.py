"""Rules in plain words."""

from typing import Any

import pytest

from rewards_service.admin.partners import rule_words as words
from rewards_service.programs import terms
from rewards_service.programs.schemas import RuleSchema
from tests.admin.partners.company import RICH


def rule(**members: Any) -> dict[str, Any]:
    """A rule as `programs.terms` has it, from members of the API."""
    body = {"name": "x", "kind": "percent", **members}
    loaded = RuleSchema(exclude=("program_id", "level_id")).load(body)
    return terms.complete(loaded)


class TestHeadline:
    @pytest.mark.parametrize(
        ("members", "expected"),
        [
            ({"rate": "0.125"}, "12.5 % of the net amount of each payment."),
            (
                {"rate": "0.1", "first_months": 12,
                 "caps": [{"scope": "customer", "window": "lifetime", "amounts": {"EUR": 50_000}}]},
                "10 % of the net amount of each payment, first 12 months, at most 500.00 EUR per "
                "customer.",
            ),
            ({"rate": "0.2", "first_payments": 1, "base": "gross", "trigger": "deal"},
             "20 % of the gross amount of each payment, first payment of a customer, to the "
             "partner of the deal."),
            ({"kind": "flat", "amounts": {"USD": 500, "JPY": 400}},
             "400 JPY or 5.00 USD for each paid invoice."),
            ({"rate_steps": [{"payments": 1, "rate": "0.3"}, {"payments": 3, "rate": "0.2"},
                             {"rate": "0.1"}]},
             "30 % for the first payment of a customer, then 20 % for the next 3 payments of a "
             "customer, then 10 % from then on, of the net amount of each payment."),
            ({"rate": "0"}, "Nothing: this rule is ended."),
            ({"kind": "flat", "amounts": {"USD": 0}}, "Nothing: this rule is ended."),
        ],
    )  # fmt: skip
    def test_says_the_rule_in_a_sentence(self, members: Any, expected: str) -> None:
        assert words.headline(rule(**members)) == expected


class TestChanges:
    def test_names_every_member_that_differs_and_no_other(self) -> None:
        """Each member of the API, once changed, is a difference in words."""
        before = rule(**RICH)
        after = {
            "base": "net", "rounding": "half_even", "hold_days": 15, "first_months": 11,
            "first_payments": 21, "annual": "full", "min_amount_minor": {"USD": 1_001},
            "max_reward_minor": None, "caps": [], "trigger": "deal", "stack_group": None,
            "priority": 9, "rate_lock": "at_payment", "refund_allocation": "pro_rata",
            "tiers": {**before["tiers"], "window": "lifetime"},
        }  # fmt: skip
        told = {name: words.changes(before, {**before, name: new}) for name, new in after.items()}

        assert {name: len(found) for name, found in told.items()} == dict.fromkeys(after, 1)
        assert words.changes(before, dict(before)) == []
        assert told["max_reward_minor"] == [
            words.Change("Most per reward", "500.00 USD", "not set")
        ]
        for name in ("item_filter", "conditions"):
            assert len(words.changes(before, {**before, name: None})) == len(before[name])
