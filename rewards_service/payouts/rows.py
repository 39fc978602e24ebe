"""What files of payouts are made of: plain values (pure)."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import NamedTuple


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
