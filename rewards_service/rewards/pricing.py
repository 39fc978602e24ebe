"""From a base to an amount: rates, tiers, flat amounts, minimum and maximum (pure, DOMAIN A5-A11).

Every function is given the rule version and answers exact fractions until `whole_target` rounds
once.
"""

from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple

from rewards_service.kit.money import RATE_UNIT, round_amount
from rewards_service.programs.rules import (
    AT_ZERO,
    BASE_AMOUNT,
    FLAT,
    GRADUATED,
    PRO_RATA,
    RuleVersion,
    Tiers,
    TierStep,
)
from rewards_service.rewards.figures import Sum


class Slice(NamedTuple):
    """A part of the base at one rate; `from_minor` is the metric before it (A9)."""

    base: Fraction
    rate_millionths: int
    from_minor: int | None = None


class Priced(NamedTuple):
    """A target before caps and split, minor units, with the steps that led to it."""

    amount_minor: int
    uncapped_minor: int  # before the rule's maximum for one reward
    slices: tuple[Slice, ...]


def threshold(step: TierStep, currency: str) -> int | None:
    """Up to where a step reaches, in the currency; None for the open end."""
    if step.up_to is None or isinstance(step.up_to, int):
        return step.up_to
    return step.up_to.get(currency)


def prices_in(version: RuleVersion, currency: str) -> bool:
    """Whether the rule names what it needs in a currency (A7)."""
    if version.kind == FLAT:
        return currency in (version.amounts or {})
    tiers = version.terms.tiers
    if tiers is None or tiers.metric != BASE_AMOUNT:
        return True
    return all(threshold(step, currency) is not None for step in tiers.steps[:-1])


def rate_at(tiers: Tiers, reached: int, currency: str) -> int:
    """The rate of the step that a metric has reached; thresholds belong to the lower step."""
    for step in tiers.steps:
        end = threshold(step, currency)
        if end is None or reached <= end:
            return step.rate_millionths
    return tiers.steps[-1].rate_millionths


def slices(
    version: RuleVersion, base: Fraction, currency: str, position: int, ordinal: int
) -> tuple[Slice, ...]:
    """The base cut into parts with their rates.

    `position`: slab, the metric that chose the rate; graduated, the metric before the invoice.
    `ordinal`: the invoice's place among the customer's.
    """
    terms = version.terms
    if terms.tiers is not None:
        if terms.tiers.mode == GRADUATED and terms.tiers.metric == BASE_AMOUNT:
            return _graduated(terms.tiers, base, currency, position)
        return (Slice(base, rate_at(terms.tiers, position, currency), position),)
    if terms.rate_steps:
        return (Slice(base, _stepped(version, ordinal)),)
    return (Slice(base, version.rate_millionths or 0),)


def _stepped(version: RuleVersion, ordinal: int) -> int:
    """The rate of a customer's n-th invoice; behind the last step the rule pays nothing."""
    end = 0
    for step in version.terms.rate_steps:
        if step.payments is None:
            return step.rate_millionths
        end += step.payments
        if ordinal <= end:
            return step.rate_millionths
    return 0


def _graduated(tiers: Tiers, base: Fraction, currency: str, position: int) -> tuple[Slice, ...]:
    found = []
    start, end = Fraction(max(position, 0)), max(position, 0) + base
    for step in tiers.steps:
        top = threshold(step, currency)
        until = end if top is None else min(end, Fraction(top))
        if until > start:
            found.append(Slice(until - start, step.rate_millionths, int(start)))
            start = until
    return tuple(found)


def price(
    version: RuleVersion, figures: Sum, base: Fraction, currency: str, position: int = 0,
    ordinal: int = 1,
) -> Priced:  # fmt: skip
    """The target for a base, rounded once, at most the rule's maximum for one reward (A4-A7)."""
    if base == 0:
        return Priced(0, 0, ())
    if version.kind == FLAT:
        whole = _flat(version, figures, base, currency)
        return Priced(_limited(version, currency, whole), whole, ())
    parts = slices(version, base, currency, position, ordinal)
    exact = sum((part.base * Fraction(part.rate_millionths, RATE_UNIT) for part in parts),
                Fraction(0))  # fmt: skip
    whole = round_amount(exact, version.rounding)
    return Priced(_limited(version, currency, whole), whole, parts)


def _flat(version: RuleVersion, figures: Sum, base: Fraction, currency: str) -> int:
    """A flat amount, as long as the rule wants it kept (A7)."""
    amount = (version.amounts or {}).get(currency, 0)
    whole = Fraction(figures.counted_minor) * figures.served
    share = base / whole if whole else Fraction(0)
    if version.terms.flat_refund == AT_ZERO:
        return amount
    if version.terms.flat_refund == PRO_RATA:
        return round_amount(amount * share, version.rounding)
    least = Fraction(version.terms.flat_refund_threshold_millionths or 0, RATE_UNIT)
    return amount if share >= least else 0


def _limited(version: RuleVersion, currency: str, amount: int) -> int:
    most: Mapping[str, int] = version.terms.max_rewards or {}
    return min(amount, most.get(currency, amount))


def is_below_minimum(version: RuleVersion, figures: Sum, currency: str) -> bool:
    """Whether what counts of the invoice is less than the rule asks for."""
    least: Mapping[str, int] = version.terms.min_amounts or {}
    return figures.counted_minor < least.get(currency, 0)
