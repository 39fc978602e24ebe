"""From the base to the amount, in words: rates, tiers, maximum, caps (pure)."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from rewards_service.kit.money import HALF_EVEN, HALF_UP
from rewards_service.programs.rules import FLAT, GRADUATED, LIFETIME, MONTH, NEW_CUSTOMERS, ROLLING
from rewards_service.rewards.wording import Stored, decimal, money, number, step

_ROUNDED = {HALF_UP: "rounded, half up", HALF_EVEN: "rounded, half to even"}
_WINDOWS = {
    MONTH: "in the calendar month", ROLLING: "within twelve months", LIFETIME: "over all time",
}  # fmt: skip


def steps(stored: Stored) -> list[dict[str, Any]]:
    """Place under a rule that counts, rate, maximum, caps."""
    return [*_counted(stored), *_reward(stored), *_maximum(stored), *_cap(stored)]


def special_base(stored: Stored, counted: int, base: Fraction) -> dict[str, Any] | None:
    """The base where refunds name lines, or where only part of the service days counts (A3, A11).

    None where neither is so.
    """
    by_line = Fraction(stored.get("by_line", 0))
    served = Fraction(stored.get("served", 1))
    earning, payable = Fraction(stored.get("earning", stored["kept"])), stored["payable_minor"]
    if not by_line and served == 1 and earning == Fraction(stored["kept"]):
        return None
    detail, sum_ = "", money(counted, stored)
    if earning != payable:
        sum_ += f" x {number(earning, stored)} / {number(Fraction(payable), stored)}"
    if by_line:
        detail += f"Refunds take {money(by_line, stored)} from the very lines they name; "
        detail += f"before them {money(earning, stored)} of the payments count. "
        sum_ += f" - {number(by_line, stored)}"
    if served != 1:
        share = decimal_or_fraction(served)
        detail += f"{share} of the days of service lie in the window. "
        sum_ = f"({sum_}) x {share}" if by_line else f"{sum_} x {share}"
    return step("base", f"{detail}The base is {sum_} = {money(base, stored)}.", base)


def decimal_or_fraction(value: Fraction) -> str:
    ends = (value * 10**6).denominator == 1
    return decimal(value) if ends else f"{value.numerator}/{value.denominator}"


def _counted(stored: Stored) -> Iterator[dict[str, Any]]:
    place = stored.get("counted")
    if place is None:
        return
    ordinal = place["ordinal"]
    if place["first_payments"] is not None:
        most = place["first_payments"]
        detail = f"It is invoice {ordinal} of this customer; the rule rewards the first {most}."
        yield step("window", detail, ordinal)
    if place["first_months"] is not None:
        detail = (
            f"The invoice of {place['invoice_on']} lies within {place['first_months']} months of "
            f"the customer's first rewarded one, of {place['window_from_on']}."
        )
        yield step("window", detail, place["first_months"])
    if place["tiers"] is not None:
        yield _tier(place, stored)
    elif place["by_ordinal"]:
        yield step("rate", f"Its rate is that of the customer's invoice {ordinal}.", ordinal)


def _tier(place: Stored, stored: Stored) -> dict[str, Any]:
    mode, metric, window = place["tiers"]
    when = _WINDOWS[window]
    position = place["position"]
    if metric == NEW_CUSTOMERS:
        detail = f"It counts as new customer {position} of the partner {when}."
    elif mode == GRADUATED:
        detail = f"Before it, {money(position, stored)} of the partner counted {when}."
    else:
        detail = f"With it, {money(position, stored)} of the partner counted {when}."
    return step("tier", detail, position)


def _reward(stored: Stored) -> Iterator[dict[str, Any]]:
    rule, base = stored["rule"], Fraction(stored["base"])
    whole = stored.get("unlimited_minor", stored["whole_minor"])
    name = f'Rule "{rule["name"]}", version {rule["version"]},'
    silent = stored.get("silent")
    if silent not in (None, "cap_reached"):
        yield step("reward", f"{name} gives nothing: {silent}.", 0)
    elif base == 0:
        yield step("reward", f"{name} gives nothing.", 0)
    elif rule["kind"] == FLAT:
        yield _flat(name, whole, stored)
    else:
        yield _percent(name, whole, stored)


def _flat(name: str, whole: int, stored: Stored) -> dict[str, Any]:
    amounts = stored["rule"]["amounts"] or {}
    currency = stored["currency"]
    if currency not in amounts:
        return step("reward", f"{name} names no amount in {currency}.", 0)
    if whole == amounts[currency]:
        detail = f"{name} gives {money(whole, stored)}, as long as some of the base is left."
        return step("reward", detail, whole)
    detail = f"{name} gives {money(amounts[currency], stored)} for the whole, "
    detail += f"of which {money(whole, stored)} remain for what is kept."
    return step("reward", detail, whole)


def _percent(name: str, whole: int, stored: Stored) -> dict[str, Any]:
    rule = stored["rule"]
    slices = stored.get("slices") or [[stored["base"], rule["rate_millionths"], None]]
    parts = [(Fraction(base), Fraction(rate, 10_000)) for base, rate, _ in slices]
    exact = sum((base * percent / 100 for base, percent in parts), Fraction(0))
    if len(parts) == 1:
        detail = f"{name} gives {decimal(parts[0][1])} % of it: {money(exact, stored)}"
    else:
        shown = " + ".join(
            f"{number(base, stored)} x {decimal(percent)} %" for base, percent in parts
        )
        detail = f"{name} gives {shown} = {money(exact, stored)}"
    if exact.denominator != 1:
        detail += f", {_ROUNDED[rule['rounding']]}: {money(whole, stored)}"
    return step("reward", f"{detail}.", whole)


def _maximum(stored: Stored) -> Iterator[dict[str, Any]]:
    limited = stored.get("limited_minor", stored["whole_minor"])
    whole = stored.get("unlimited_minor", limited)
    if limited != whole:
        detail = f"One reward of this rule is at most {money(limited, stored)}: "
        detail += f"capped from {money(whole, stored)}."
        yield step("maximum", detail, limited)


def _cap(stored: Stored) -> Iterator[dict[str, Any]]:
    wanted, given = stored.get("limited_minor", stored["whole_minor"]), stored["whole_minor"]
    if given != wanted:
        detail = f"A cap of the rule ({stored['capped_by'] or 'all'}) leaves {money(given, stored)}"
        limit = stored.get("cap_limit_minor")
        if limit is not None and given <= limit:
            detail += (
                f", for of the {money(limit, stored)} that it allows around {stored['capped_on']} "
                f"others hold {money(limit - given, stored)}"
            )
        yield step("cap", f"{detail}: capped from {money(wanted, stored)}.", given)
