"""Dividing amounts without losing a minor unit (pure)."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from rewards_service.kit.money import round_amount


def share_out(amount: int, weights: Sequence[int]) -> list[int]:
    """`amount` (minor units, >= 0) in proportion to `weights`; the shares sum to it exactly.

    Shares are cut to whole units; what is left goes, one each, to the largest remainders, the
    first of equals first. Weights that are all 0 count alike.
    """
    whole = sum(weights)
    if whole == 0:
        weights, whole = [1] * len(weights), len(weights)
    shares = [amount * weight // whole for weight in weights]
    remainders = [amount * weight % whole for weight in weights]
    by_size = sorted(range(len(weights)), key=lambda position: -remainders[position])
    for position in by_size[: amount - sum(shares)]:
        shares[position] += 1
    return shares


def part(amount: int, percent: Decimal) -> int:
    """`percent` (0 to 100) of `amount` minor units, half-even."""
    return round_amount(Fraction(amount) * Fraction(percent) / 100)


def included(amount: int, percent: Decimal) -> int:
    """The tax inside `amount` minor units that hold it already, half-even."""
    rate = Fraction(percent) / 100
    return round_amount(Fraction(amount) * rate / (1 + rate))
