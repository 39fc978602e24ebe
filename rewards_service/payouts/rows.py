"""What files of payouts are made of: plain values, and how cells and amounts are written (pure)."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from io import StringIO
from typing import NamedTuple

from rewards_service.kit.money import format_minor

# A spreadsheet takes a text that begins so for a formula.
_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n")


class Payable(NamedTuple):
    """One payout as a bank or provider sees it: who gets how much, where, and for what."""

    payout_id: str
    partner_id: str
    partner_name: str
    partner_email: str
    currency: str
    total_minor: int
    pay_currency: str
    pay_minor: int | None
    cut_off: date
    invoice_number: str | None
    ready_at: datetime | None
    details: Mapping[str, str]  # as `partners.payout_details` has them

    @property
    def account_name(self) -> str:
        return self.details.get("account_name") or self.partner_name


class Line(NamedTuple):
    """One reward of a payout."""

    payout_id: str
    partner_id: str
    partner_name: str
    reward_id: str
    chargebee_invoice_id: str
    currency: str
    amount_minor: int
    pay_currency: str
    pay_minor: int | None
    rate: str | None
    rate_on: date | None
    rate_source: str | None


def decimal_text(amount_minor: int, currency: str) -> str:
    """Minor units as a decimal number: -1250 USD is "-12.50", 93 JPY "93", 1234 KWD "1.234"."""
    return format_minor(amount_minor, currency).partition(" ")[0]


def harmless(text: str | None) -> str:
    """A text cell that no spreadsheet takes for a formula: such a text gets a leading "'"."""
    if text is None:
        return ""
    return f"'{text}" if text.startswith(_FORMULA_SIGNS) else text


def csv_bytes(rows: Iterable[Sequence[str]]) -> bytes:
    """Cells as UTF-8 CSV with CRLF (RFC 4180)."""
    text = StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()
