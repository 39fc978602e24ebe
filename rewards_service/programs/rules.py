"""A reward rule as a value, and which version of it governs a payment (pure)."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

PERCENT = "percent"
FLAT = "flat"
NET = "net"
GROSS = "gross"


class RuleVersion(NamedTuple):
    """One immutable version of a rule. Rates in millionths, amounts in minor units."""

    id: int
    rule_id: int
    program_id: int
    version: int
    name: str
    kind: str
    rate_millionths: int | None
    amounts: Mapping[str, int] | None
    base: str
    rounding: str
    hold_days: int
    effective_from: datetime | None
    timezone: str
    created_at: datetime


def in_force(versions: Iterable[RuleVersion], paid_at: datetime) -> list[RuleVersion]:
    """The newest version of each rule that was effective at the payment (A12), by rule id."""
    found: dict[int, RuleVersion] = {}
    for version in sorted(versions, key=lambda item: (item.rule_id, item.version)):
        if version.effective_from is None or version.effective_from <= paid_at:
            found[version.rule_id] = version
    return [found[rule_id] for rule_id in sorted(found)]


def available_on(version: RuleVersion, paid_at: datetime) -> date:
    """The first day a reward may be paid out: payment day + hold days, programme time (V5)."""
    day = paid_at.astimezone(ZoneInfo(version.timezone)).date()
    return day + timedelta(days=version.hold_days)
