"""A stored sum as steps and as words that a partner can redo by hand (pure)."""

from fractions import Fraction
from typing import Any

from rewards_service.kit import ids
from rewards_service.kit.money import BASIS_POINTS
from rewards_service.programs.rules import GROSS
from rewards_service.rewards import pay_steps as pay
from rewards_service.rewards.wording import Stored, decimal, money, number, step


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
        _kept(stored), _base(stored), *pay.steps(stored), *_share(stored), *_earlier(stored),
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


def _eligible(stored: Stored) -> dict[str, Any]:
    eligible, adjusted = stored["eligible_minor"], stored["adjusted_minor"]
    tax = "with tax" if stored["rule"]["base"] == GROSS else "without tax"
    detail = (
        f"Invoice {stored['invoice_id']} is over {money(stored['total_minor'], stored)}: "
        f"{money(eligible, stored)} of it count, the lines after discounts, {tax}."
    )
    detail += _which_lines(stored)
    counted = max(eligible - adjusted, 0)
    if adjusted:
        detail += (
            f" Credit notes lower them by {money(adjusted, stored)} to {money(counted, stored)}."
        )
    return step("eligible", detail, counted)


def _which_lines(stored: Stored) -> str:
    """Which lines a rule with a filter counts, and which it leaves out."""
    lines = stored.get("lines")
    if lines is None:
        return ""
    shown = {
        counts: ", ".join(f"{name or 'a line'} ({money(amount, stored)})"
                          for name, amount, has in lines if has is counts)
        for counts in (True, False)
    }  # fmt: skip
    left_out = f", but not {shown[False]}" if shown[False] else ""
    return f" The rule counts {shown[True] or 'none of its lines'}{left_out}."


def _payable(stored: Stored) -> dict[str, Any]:
    total, payable, off = stored["total_minor"], stored["payable_minor"], stored["write_off_minor"]
    detail = f"Payable are {money(payable, stored)}"
    if payable != total:
        credited = total - off - payable
        parts = ((off, "written off"), (credited, "credited"))
        less = " and ".join(f"{money(part, stored)} {word}" for part, word in parts if part)
        detail += f": {money(total, stored)} less {less}"
    detail += "."
    if stored["inconsistent"]:
        detail += (
            " Further credits or write-offs would leave nothing payable although money was kept:"
            " they are left out until a person has looked."
        )
    return step("payable", detail, payable)


def _paid(stored: Stored) -> list[Stored]:
    """Payments of which something was applied, the earliest first."""
    found = [part for part in stored["payments"] if part["applied_minor"] > 0]
    return sorted(found, key=lambda part: (part["paid_at"], part["transaction_id"]))


def _payment(part: Stored, stored: Stored) -> dict[str, Any]:
    kept, taken = Fraction(part["kept"]), Fraction(part["taken_back"])
    detail = (
        f"Payment {part['transaction_id']} of {part['paid_at'][:10]}{_by_note(part)} brought "
        f"{money(part['applied_minor'], stored)}"
    )
    if stored["voided"]:
        detail += "; the invoice was voided, so nothing is kept."
    elif not part["stands"]:
        detail += "; it did not stand (it failed later, was voided or deleted): nothing is kept."
    elif taken:
        detail += f", less {money(taken, stored)} taken back: {money(kept, stored)} are kept."
    else:
        detail += ", all of it kept."
    return step("payment", detail, kept)


def _by_note(part: Stored) -> str:
    note = part.get("credit_note_id")
    return f", by way of credit note {note} for a voided invoice," if note else ""


def _kept(stored: Stored) -> dict[str, Any]:
    kept, payable = Fraction(stored["kept"]), stored["payable_minor"]
    cash = sum((Fraction(part["kept"]) for part in stored["payments"]), Fraction(0))
    detail = f"Kept are {money(kept, stored)} of {money(payable, stored)} payable"
    detail += f", the most that can count of {money(cash, stored)}." if cash > kept else "."
    for transaction_id, reason in stored["barred"]:
        detail += f" Payment {transaction_id} does not count: {reason}."
    return step("kept", detail, kept)


def _base(stored: Stored) -> dict[str, Any]:
    base = Fraction(stored["base"])
    if base == 0:
        return step("base", "So the base is 0.", base)
    counted = max(stored["eligible_minor"] - stored["adjusted_minor"], 0)
    special = pay.special_base(stored, counted, base)
    if special is not None:
        return special
    if Fraction(stored["kept"]) == stored["payable_minor"]:
        return step("base", f"All is kept, so the base is {money(base, stored)}.", base)
    detail = (
        f"The base is {money(counted, stored)} x {number(Fraction(stored['kept']), stored)} / "
        f"{number(Fraction(stored['payable_minor']), stored)} = {money(base, stored)}."
    )
    return step("base", detail, base)


def _share(stored: Stored) -> list[dict[str, Any]]:
    points = stored["basis_points"]
    if points == BASIS_POINTS:
        return []
    exact = Fraction(stored["whole_minor"] * points, BASIS_POINTS)
    target = stored["target_minor"]
    detail = f"The partner's share is {decimal(Fraction(points, 100))} % of it"
    detail += f": {money(exact, stored)}"
    if exact.denominator != 1:
        given = money(target, stored)
        detail += f", and {given} after what is left over is given out by largest remainder"
    return [step("share", f"{detail}.", target)]


def _earlier(stored: Stored) -> list[dict[str, Any]]:
    """What earlier rewards of the invoice hold, which were paid or declined (A4)."""
    earlier, target = stored.get("earlier_minor", 0), stored["target_minor"]
    if not earlier:
        return []
    detail = (
        f"Earlier rewards for this invoice hold {money(earlier, stored)}; "
        f"this one is the difference: {money(target - earlier, stored)}."
    )
    return [step("difference", detail, target - earlier)]
