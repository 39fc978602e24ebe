"""The reports there are: what each answers, what can be asked of it."""

from collections.abc import Mapping
from datetime import timedelta

from rewards_service.admin.numbers import drawing
from rewards_service.admin.numbers.asking import END_OF_DAY, START_OF_DAY, Field, Report
from rewards_service.admin.tones import worded
from rewards_service.kit.clock import utc_now
from rewards_service.reports import conversions, leaders, periods
from rewards_service.reports.grouping import DIMENSIONS
from rewards_service.rewards.models import STATUSES

_METRICS = {
    "net": "Earned, less what was taken back", "earned": "Earned", "paid": "Paid out",
    "rewards": "Number of rewards", "conversions": "Leads and deals won",
}  # fmt: skip
_CURRENCY = Field("currency", "Currency", hint="Such as EUR; empty: each by itself.")
_CONVERT = Field("convert_to", "Convert to", hint="A currency; at the rates on record.")
_PARTNER = Field("partner_id", "Partner", "partner")
_PROGRAM = Field("program_id", "Programme", "program")
_STATUS = Field("status", "Status", "choice", {name: worded(name) for name in STATUSES})


def _lately() -> Mapping[str, str]:
    """The last 30 days."""
    since = utc_now().date() - timedelta(days=30)
    return {"registered_at[gte]": f"{since}"}


def _this_month() -> Mapping[str, str]:
    return {"month": f"{utc_now():%Y-%m}"}


REPORTS = {
    "rewards": Report(
        "Rewards", "What was earned, taken back and paid, summed by whatever you choose.",
        "chart-bar", "/reports/rewards",
        (
            Field("group_by", "Group by", "many", {
                name: name.replace("program", "programme") for name in DIMENSIONS
            }),
            Field("month[gte]", "From month", "month"), Field("month[lt]", "Before month", "month"),
            _PARTNER, _PROGRAM, _STATUS, _CURRENCY, _CONVERT,
        ),
        drawing.rewards, lambda: {"group_by": "month"},
    ),
    "timeseries": Report(
        "Rewards over time", "Day by day, week by week, month by month, in a time zone.",
        "trending-up", "/reports/rewards/timeseries",
        (
            Field("interval", "Every", "choice", {name: name for name in periods.INTERVALS}),
            Field("happened_at[gte]", "From", "date"), Field("happened_at[lt]", "Before", "date"),
            Field("timezone", "Time zone", hint="Such as Europe/Berlin; empty: UTC."),
            _PARTNER, _STATUS, _CURRENCY, _CONVERT,
        ),
        drawing.timeseries,
    ),
    "leaderboard": Report(
        "Leaderboard", "The partners that came first in a year, a quarter or a month.",
        "star", "/reports/partners/leaderboard",
        (
            Field("metric", "By", "choice", {name: _METRICS[name] for name in leaders.METRICS}),
            Field("period", "Period", hint="2026, 2026-Q1, 2026-01 or all."),
            _CURRENCY, _CONVERT, Field("limit", "How many", hint="Up to 1,000; empty: 10."),
        ),
        drawing.leaderboard, lambda: {"period": f"{utc_now():%Y}"},
    ),
    "statement": Report(
        "Statement", "A partner's month: what was owed, what changed it, what is owed; as known "
        "now, or as it was known then.",
        "file-text", "/reports/partners/{partner_id}/statement",
        (
            _PARTNER, Field("month", "Month", "month"),
            Field("as_of", "Known on", "date", hint="As it was known at the end of that day, UTC; "
                  "empty: now.", at=END_OF_DAY), _CURRENCY,
        ),
        drawing.statement, _this_month, ("partner_id", "month"),
    ),
    "liability": Report(
        "Liability", "What is owed to partners and not paid, now or as it was at a moment.",
        "scale", "/reports/liability",
        (
            Field("as_of", "As of", "date", hint="The end of that day, UTC; empty: now.",
                  at=END_OF_DAY),
            _PARTNER, _CURRENCY, _CONVERT,
        ),
        drawing.liability,
    ),
    "conversion": Report(
        "Conversion", "From registration to the first payment: how many leads and deals, how long.",
        "target", "/reports/conversion",
        (
            Field("registered_at[gte]", "Registered from", "date", at=START_OF_DAY),
            Field("registered_at[lt]", "Registered before", "date", at=START_OF_DAY),
            Field("kind", "What", "choice", {name: f"{name}s" for name in conversions.KINDS}),
            _PARTNER,
        ),
        drawing.conversion, _lately, asks_by_itself=False,
    ),
}  # fmt: skip
