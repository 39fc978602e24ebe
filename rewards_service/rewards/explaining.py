"""A stored sum as steps and as words that a partner can redo by hand (pure)."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from rewards_service.kit import ids
from rewards_service.kit.money import (
    BASIS_POINTS,
    HALF_EVEN,
    HALF_UP,
    exponent,
    format_minor,
    round_amount,
)
from rewards_service.programs.rules import FLAT, GROSS

Stored = Mapping[str, Any]
PLACES = 6  # an amount that ends within so many decimal places is shown in full
_ROUNDED = {HALF_UP: "rounded, half up", HALF_EVEN: "rounded, half to even"}


def render(stored: Stored) -> dict[str, Any]:
    """The API's explanation: `steps`, `inputs`, `rule`, `skipped_rules`, `text`.

    `stored` is what `evidence.stored_explanation` wrote, or {"takes_back": reward key}: a reward
    of which nothing is due any more. `value_minor` of a step is null where it is no whole amount.
    """
    if "takes_back" in stored:
        return _of_nothing(ids.encode("rew", stored["takes_back"]))
    rule = stored["rule"]
    steps = [
        _eligible(stored), _payable(stored), *(_payment(part, stored) for part in _paid(stored)),
        _kept(stored), _base(stored), _reward(stored), *_share(stored), *_earlier(stored),
    ]  # fmt: skip
    return {
        "steps": [step for step in steps if step],
        "inputs": {
            **{name: value for name, value in stored.items() if name not in _NO_INPUTS},
            "rule": {name: value for name, value in rule.items() if name != "rule_id"},
        },
        "rule": {"id": ids.encode("rul", rule["rule_id"]), "version": rule["version"]},
        "skipped_rules": [
            {"rule_id": ids.encode("rul", rule_id), "reason": reason}
            for rule_id, reason in stored["skipped"]
        ],
        "text": " ".join(step["detail"] for step in steps if step),
    }


_NO_INPUTS = ("skipped", "whole_minor", "target_minor", "base", "kept")


def _of_nothing(reward_id: str) -> dict[str, Any]:
    text = (
        f"Nothing is due for this invoice under this rule any more. What reward {reward_id} had "
        "earned is taken back in full."
    )
    step = {"label": "taken back", "detail": text, "value_minor": None}
    inputs = {"takes_back": reward_id}
    return {"steps": [step], "inputs": inputs, "rule": None, "skipped_rules": [], "text": text}


def _step(label: str, detail: str, value: Fraction | int) -> dict[str, Any]:
    whole = Fraction(value)
    minor = whole.numerator if whole.denominator == 1 else None
    return {"label": label, "detail": detail, "value_minor": minor}


def _eligible(stored: Stored) -> dict[str, Any]:
    eligible, adjusted = stored["eligible_minor"], stored["adjusted_minor"]
    tax = "with tax" if stored["rule"]["base"] == GROSS else "without tax"
    detail = (
        f"Invoice {stored['invoice_id']} is over {_money(stored['total_minor'], stored)}: "
        f"{_money(eligible, stored)} of it count, the lines after discounts, {tax}."
    )
    counted = max(eligible - adjusted, 0)
    if adjusted:
        detail += (
            f" Credit notes lower them by {_money(adjusted, stored)} to {_money(counted, stored)}."
        )
    return _step("eligible", detail, counted)


def _payable(stored: Stored) -> dict[str, Any]:
    total, payable, off = stored["total_minor"], stored["payable_minor"], stored["write_off_minor"]
    detail = f"Payable are {_money(payable, stored)}"
    if payable != total:
        credited = total - off - payable
        parts = ((off, "written off"), (credited, "credited"))
        less = " and ".join(f"{_money(part, stored)} {word}" for part, word in parts if part)
        detail += f": {_money(total, stored)} less {less}"
    detail += "."
    if stored["inconsistent"]:
        detail += (
            " Further credits or write-offs would leave nothing payable although money was kept:"
            " they are left out until a person has looked."
        )
    return _step("payable", detail, payable)


def _paid(stored: Stored) -> list[Stored]:
    """Payments of which something was applied, the earliest first."""
    found = [part for part in stored["payments"] if part["applied_minor"] > 0]
    return sorted(found, key=lambda part: (part["paid_at"], part["transaction_id"]))


def _payment(part: Stored, stored: Stored) -> dict[str, Any]:
    kept, taken = Fraction(part["kept"]), Fraction(part["taken_back"])
    detail = (
        f"Payment {part['transaction_id']} of {part['paid_at'][:10]} brought "
        f"{_money(part['applied_minor'], stored)}"
    )
    if stored["voided"]:
        detail += "; the invoice was voided, so nothing is kept."
    elif not part["stands"]:
        detail += "; it did not stand (it failed later, was voided or deleted): nothing is kept."
    elif taken:
        detail += f", less {_money(taken, stored)} taken back: {_money(kept, stored)} are kept."
    else:
        detail += ", all of it kept."
    return _step("payment", detail, kept)


def _kept(stored: Stored) -> dict[str, Any]:
    kept, payable = Fraction(stored["kept"]), stored["payable_minor"]
    cash = sum((Fraction(part["kept"]) for part in stored["payments"]), Fraction(0))
    detail = f"Kept are {_money(kept, stored)} of {_money(payable, stored)} payable"
    detail += f", the most that can count of {_money(cash, stored)}." if cash > kept else "."
    for transaction_id, reason in stored["barred"]:
        detail += f" Payment {transaction_id} does not count: {reason}."
    return _step("kept", detail, kept)


def _base(stored: Stored) -> dict[str, Any]:
    base = Fraction(stored["base"])
    if base == 0:
        return _step("base", "So the base is 0.", base)
    counted = max(stored["eligible_minor"] - stored["adjusted_minor"], 0)
    if Fraction(stored["kept"]) == stored["payable_minor"]:
        return _step("base", f"All is kept, so the base is {_money(base, stored)}.", base)
    detail = (
        f"The base is {_money(counted, stored)} x {_number(Fraction(stored['kept']), stored)} / "
        f"{_number(Fraction(stored['payable_minor']), stored)} = {_money(base, stored)}."
    )
    return _step("base", detail, base)


def _reward(stored: Stored) -> dict[str, Any]:
    rule, whole, base = stored["rule"], stored["whole_minor"], Fraction(stored["base"])
    name = f'Rule "{rule["name"]}", version {rule["version"]},'
    if base == 0:
        return _step("reward", f"{name} gives nothing.", 0)
    if rule["kind"] == FLAT:
        if stored["currency"] not in (rule["amounts"] or {}):
            return _step("reward", f"{name} names no amount in {stored['currency']}.", 0)
        detail = f"{name} gives {_money(whole, stored)}, as long as some of the base is left."
        return _step("reward", detail, whole)
    percent = Fraction(rule["rate_millionths"], 10_000)
    exact = base * percent / 100
    detail = f"{name} gives {_decimal(percent)} % of it: {_money(exact, stored)}"
    if exact.denominator != 1:
        detail += f", {_ROUNDED[rule['rounding']]}: {_money(whole, stored)}"
    return _step("reward", f"{detail}.", whole)


def _share(stored: Stored) -> list[dict[str, Any]]:
    points = stored["basis_points"]
    if points == BASIS_POINTS:
        return []
    exact = Fraction(stored["whole_minor"] * points, BASIS_POINTS)
    target = stored["target_minor"]
    detail = f"The partner's share is {_decimal(Fraction(points, 100))} % of it"
    detail += f": {_money(exact, stored)}"
    if exact.denominator != 1:
        given = _money(target, stored)
        detail += f", and {given} after what is left over is given out by largest remainder"
    return [_step("share", f"{detail}.", target)]


def _earlier(stored: Stored) -> list[dict[str, Any]]:
    """What earlier rewards of the invoice hold, which were paid or declined (A4)."""
    earlier, target = stored.get("earlier_minor", 0), stored["target_minor"]
    if not earlier:
        return []
    detail = (
        f"Earlier rewards for this invoice hold {_money(earlier, stored)}; "
        f"this one is the difference: {_money(target - earlier, stored)}."
    )
    return [_step("difference", detail, target - earlier)]


def _money(minor: Fraction | int, stored: Stored) -> str:
    """Minor units as "40.00 USD"; what is no whole amount as "33.3335 USD" or "100/3 USD"."""
    value, currency = Fraction(minor), stored["currency"]
    if value.denominator == 1:
        return format_minor(value.numerator, currency)
    number = _number(value, stored)
    about = format_minor(round_amount(value), currency)
    return f"{number} {currency} (about {about})" if "/" in number else f"{number} {currency}"


def _number(minor: Fraction, stored: Stored) -> str:
    """The same without the currency."""
    if minor.denominator == 1:
        return format_minor(minor.numerator, stored["currency"]).partition(" ")[0]
    major = minor / 10 ** exponent(stored["currency"])
    exact = (major * 10**PLACES).denominator == 1
    return _decimal(major) if exact else f"{major.numerator}/{major.denominator}"


def _decimal(value: Fraction) -> str:
    """A number that ends within six decimal places, without trailing zeros."""
    millionths = value * 10**PLACES
    sign = "-" if millionths < 0 else ""
    whole, rest = divmod(abs(millionths.numerator), 10**PLACES)
    return f"{sign}{whole}.{rest:06d}".rstrip("0").rstrip(".")
