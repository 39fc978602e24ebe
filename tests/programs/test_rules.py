from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewards_service.programs.rules import (
    Cap,
    RateStep,
    RuleVersion,
    Terms,
    Tiers,
    TierStep,
    available_on,
    in_force,
)

START = datetime(2026, 1, 1, tzinfo=UTC)


def version(
    rule: int, number: int, effective_day: int | None = None, hold_days: int = 0,
    timezone: str = "UTC",
) -> RuleVersion:  # fmt: skip
    since = None if effective_day is None else START + timedelta(effective_day)
    return RuleVersion(10 * rule + number, rule, 1, number, "rule", "percent", 1, None, "net",
                       "half_even", hold_days, since, timezone, START)  # fmt: skip


def chosen(versions: list[RuleVersion], day: float) -> list[tuple[int, int]]:
    found = in_force(versions, START + timedelta(day))
    return [(item.rule_id, item.version) for item in found]


class TestInForce:
    @pytest.mark.parametrize(
        ("day", "number"), [(-1_000, 1), (9, 1), (9.999, 1), (10, 2), (19, 2), (20, 3), (99, 3)]
    )
    def test_the_payment_date_chooses_the_version(self, day: float, number: int) -> None:
        """DOMAIN A12: the newest that was effective at the payment."""
        assert chosen([version(1, 1), version(1, 2, 10), version(1, 3, 20)], day) == [(1, number)]

    def test_a_rule_that_was_not_effective_yet_is_not_in_force(self) -> None:
        """DOMAIN V11: rule_not_effective."""
        assert chosen([version(1, 1, 10)], 9) == []

    def test_a_newer_version_that_reaches_back_further_wins(self) -> None:
        assert chosen([version(1, 1, 10), version(1, 2, 5)], 20) == [(1, 2)]

    def test_the_number_of_a_version_decides_not_the_key_it_is_kept_under(self) -> None:
        """DOMAIN A12."""
        assert chosen([version(1, 1)._replace(id=99), version(1, 2, 5)], 20) == [(1, 2)]

    def test_each_rule_is_chosen_for_itself_by_its_id(self) -> None:
        """DOMAIN A13: all rules pay."""
        assert chosen([version(2, 1), version(1, 1, 5), version(1, 2, 8)], 6) == [(1, 1), (2, 1)]

    @given(st.permutations([version(1, 1), version(1, 2, 10), version(2, 1, 3), version(2, 2, 3)]),
           st.integers(-5, 15))  # fmt: skip
    def test_the_order_of_loading_does_not_matter(
        self, versions: list[RuleVersion], day: int
    ) -> None:
        assert chosen(versions, day) == chosen(sorted(versions, key=lambda v: v.id), day)


class TestCounts:
    @pytest.mark.parametrize(
        "terms",
        [
            Terms(first_payments=12), Terms(first_months=12),
            Terms(caps=(Cap("partner", "month", {"USD": 1}),)),
            Terms(tiers=Tiers("slab", "new_customers", "month", (TierStep(None, 1),))),
            Terms(rate_steps=(RateStep(1, 500_000),)),
        ],
    )  # fmt: skip
    def test_windows_caps_tiers_and_steps_depend_on_what_came_before(self, terms: Terms) -> None:
        """DOMAIN V10: these follow the order of the log."""
        assert terms.counts is True

    def test_nothing_else_does(self) -> None:
        """DOMAIN V10: independent of the order of arrival."""
        terms = Terms("deal", 5, "main", "at_attribution", min_amounts={"USD": 1},
                      max_rewards={"USD": 9}, refund_allocation="by_line")  # fmt: skip

        assert terms.counts is False


class TestAvailableOn:
    @pytest.mark.parametrize(
        ("timezone", "hold_days", "expected"),
        [
            ("UTC", 0, date(2026, 1, 31)),
            ("UTC", 30, date(2026, 3, 2)),
            ("Asia/Tokyo", 0, date(2026, 2, 1)),
            ("America/New_York", 0, date(2026, 1, 31)),
            ("Asia/Tokyo", 1, date(2026, 2, 2)),
        ],
    )
    def test_counts_days_from_the_payment_in_the_programmes_time(
        self, timezone: str, hold_days: int, expected: date
    ) -> None:
        """DOMAIN V5."""
        paid_at = datetime(2026, 1, 31, 23, 30, tzinfo=UTC)
        rule = version(1, 1, hold_days=hold_days, timezone=timezone)

        assert available_on(rule, paid_at) == expected

    def test_a_day_of_25_hours_is_one_day(self) -> None:
        """DOMAIN V5: days of the calendar, not hours."""
        rule = version(1, 1, hold_days=1, timezone="Europe/Berlin")

        assert available_on(rule, datetime(2026, 10, 24, 22, 30, tzinfo=UTC)) == date(2026, 10, 26)
