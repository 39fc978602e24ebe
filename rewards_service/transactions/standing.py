"""What became of a payment, from its newest version and what took it back (pure)."""

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from rewards_service.kit.money import MAX_AMOUNT, exponent, round_amount

SUCCESS = "success"
CHARGEBACK = "chargeback"


class Standing(NamedTuple):
    """Status and money taken back, minor units, never more than the payment brought."""

    status: str
    refunded_minor: int


def is_settled(row: Any) -> bool:
    """Whether a refund or reversal has moved money (an open one only holds, A2)."""
    return row.status == SUCCESS and not row.deleted


def is_kept(payment: Any) -> bool:
    """Whether the payment itself still stands: late failures, voids and deletions do not."""
    return payment.status == SUCCESS and not payment.deleted


def standing(payment: Any, refunds: Iterable[Any]) -> Standing:
    """DOMAIN V3: refunds lower what is kept; a chargeback or late failure reverses."""
    settled = [row for row in refunds if is_settled(row)]
    taken = min(sum(row.amount_minor for row in settled), payment.amount_minor)
    if not is_kept(payment):
        return Standing("reversed", taken)
    if taken == 0:
        return Standing("succeeded", 0)
    if taken < payment.amount_minor:
        return Standing("partially_refunded", taken)
    by_force = any(
        row.kind == "payment_reversal" or row.payment_method == CHARGEBACK for row in settled
    )
    return Standing("reversed" if by_force else "refunded", taken)


def base_amount(payment: Any) -> int | None:
    """The amount in the site's base currency, at the payment's own rate; None without a rate.

    Source: DOMAIN A1, V7; 4500 EUR at 1.0825 are 4871 USD minor units.
    """
    if payment.base_currency is None or payment.exchange_rate is None:
        return None
    if payment.base_currency == payment.currency and payment.exchange_rate in ("1", "1.0"):
        return int(payment.amount_minor)
    shift = exponent(payment.base_currency) - exponent(payment.currency)
    exact = payment.amount_minor * Fraction(Decimal(payment.exchange_rate)) * Fraction(10) ** shift
    amount = round_amount(exact)
    return amount if amount <= MAX_AMOUNT else None
