"""Which part of an invoice's days of service lies within a rule's window (pure, DOMAIN A11)."""

from datetime import date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from rewards_service.programs.rules import GROSS, RuleVersion
from rewards_service.rewards.engine import selects
from rewards_service.rewards.figures import Invoice, Line


def share(invoice: Invoice, version: RuleVersion, first_on: date, end_on: date) -> Fraction:
    """The served part of the lines that count, by days within [first_on, end_on).

    A line without days of service, such as a fee, counts in full.
    """
    zone = ZoneInfo(version.timezone)
    whole = served = Fraction(0)
    for line in invoice.lines:
        if selects(version.terms.items, line):
            amount = Fraction(line.gross_minor if version.base == GROSS else line.net_minor)
            whole += amount
            served += amount * _part(line, first_on, end_on, zone)
    return served / whole if whole else Fraction(1)


def _part(line: Line, first_on: date, end_on: date, zone: ZoneInfo) -> Fraction:
    if line.from_at is None or line.to_at is None:
        return Fraction(1)
    # A period ends where the next begins, or a second before.
    start, end = _day(line.from_at, zone), _day(line.to_at + timedelta(seconds=1), zone)
    days = (end - start).days
    if days <= 0:
        return Fraction(1)
    within = (min(end, end_on) - max(start, first_on)).days
    return Fraction(max(within, 0), days)


def _day(at: datetime, zone: ZoneInfo) -> date:
    return at.astimezone(zone).date()
