"""The members of a reward rule as a whole: completed, changed, checked, kept (pure).

A rule is a mapping with every member of `MEMBERS`, named as in the API; rates are millionths,
amounts minor units by currency. What a single member must look like is checked before.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from rewards_service.kit.money import HALF_EVEN
from rewards_service.programs.rules import (
    AT_PAYMENT,
    AT_ZERO,
    BASE_AMOUNT,
    FLAT,
    FULL,
    NET,
    NEW_CUSTOMERS,
    PERCENT,
    PRO_RATA,
    PRORATE,
    SLAB,
    THRESHOLD,
    TRANSACTION,
)

PLAIN = ("kind", "rate", "amounts", "base", "rounding", "hold_days")
TERMS = (
    "trigger", "priority", "stack_group", "rate_lock", "first_payments", "first_months", "annual",
    "min_amount_minor", "max_reward_minor", "caps", "tiers", "rate_steps", "item_filter",
    "conditions", "flat_refund", "flat_refund_threshold_millionths", "refund_allocation",
)  # fmt: skip
MEMBERS = PLAIN + TERMS
_DEFAULTS: dict[str, Any] = {
    "base": NET, "rounding": HALF_EVEN, "hold_days": 0, "trigger": TRANSACTION, "priority": 0,
    "rate_lock": AT_PAYMENT, "annual": FULL, "caps": [], "rate_steps": [],
    "refund_allocation": PRO_RATA,
}  # fmt: skip
_OF_PERCENT = ("rate", "tiers", "rate_steps")
_OF_FLAT = ("amounts", "flat_refund", "flat_refund_threshold_millionths")

Rule = Mapping[str, Any]


class Problem(NamedTuple):
    """What is wrong with a rule; `member` is a JSON Pointer without its first slash."""

    member: str
    detail: str


def complete(given: Rule) -> dict[str, Any]:
    """A rule with all its members: what is left out or None has its default, or stays None."""
    rule = {name: given.get(name) for name in MEMBERS}
    rule |= {name: value for name, value in _DEFAULTS.items() if rule[name] is None}
    if rule["kind"] == FLAT and rule["flat_refund"] is None:
        rule["flat_refund"] = AT_ZERO
    return rule


def changed(before: Rule, wanted: Rule) -> dict[str, Any]:
    """A rule after a change: what is left out stays, None removes.

    What cannot stay beside the new members goes unless it is wanted, too: the members of the
    other kind, the rate once tiers or rate steps say it, a threshold that nothing asks for.
    """
    rule = {**before, **{name: wanted[name] for name in MEMBERS if name in wanted}}
    gone: Sequence[str] = ()
    if rule["kind"] != before["kind"]:
        gone = _OF_FLAT if rule["kind"] == PERCENT else _OF_PERCENT
    elif wanted.get("tiers") or wanted.get("rate_steps"):
        gone = ("rate",)
    if rule["flat_refund"] != THRESHOLD:
        gone = (*gone, "flat_refund_threshold_millionths")
    return complete({name: rule[name] for name in MEMBERS if name in wanted or name not in gone})


def stored(rule: Rule) -> dict[str, Any]:
    """What `reward_rule_versions.terms` keeps of a rule; `rules.read_terms` reads it."""
    return {name: rule[name] for name in TERMS if rule[name] not in (None, [])}


def kept_rate(rule: Rule) -> int | None:
    """The rate a version's row holds: with tiers or rate steps that of the first step."""
    tiers = rule["tiers"]
    steps = rule["rate_steps"] if tiers is None else tiers["steps"]
    rate: int | None = steps[0]["rate_millionths"] if steps else rule["rate"]
    return rate


def members_of(row: Any) -> dict[str, Any]:
    """The rule that a row of `reward_rule_versions` keeps."""
    terms = row.terms
    by_steps = bool(terms.get("tiers") or terms.get("rate_steps"))
    return complete(
        {
            **terms,
            "kind": row.kind,
            "rate": None if by_steps else row.rate_millionths,
            "amounts": row.amounts,
            "base": row.base,
            "rounding": row.rounding,
            "hold_days": row.hold_days,
        }
    )


def problems(rule: Rule) -> list[Problem]:
    """All that keeps the members of a rule from standing together; none for a lawful rule."""
    return [problem for check in _CHECKS for problem in check(rule)]


def _of_its_kind(rule: Rule) -> Iterator[Problem]:
    kind = rule["kind"]
    foreign = _OF_FLAT if kind == PERCENT else _OF_PERCENT
    for name in foreign:
        if rule[name] not in (None, []):
            member = name.removesuffix("_millionths")
            yield Problem(member, f"A {kind} rule has no {member}.")
    if kind == FLAT and rule["amounts"] is None:
        yield Problem("amounts", "A flat rule needs an amount, in one currency at least.")


def _one_source_of_rates(rule: Rule) -> Iterator[Problem]:
    if rule["kind"] != PERCENT:
        return
    by_steps = [name for name in ("tiers", "rate_steps") if rule[name]]
    if len(by_steps) > 1:
        yield Problem("rate_steps", "A rule has tiers or rate_steps, not both.")
    if by_steps and rule["rate"] is not None:
        yield Problem("rate", f"The rates of this rule stand in its {by_steps[0]}.")
    if not by_steps and rule["rate"] is None:
        yield Problem("rate", "A percent rule needs a rate.")


def _flat_refund(rule: Rule) -> Iterator[Problem]:
    if rule["kind"] != FLAT:
        return
    threshold = rule["flat_refund_threshold_millionths"]
    if (rule["flat_refund"] == THRESHOLD) != (threshold is not None):
        yield Problem("flat_refund_threshold", "Belongs to flat_refund threshold: both or neither.")
    elif threshold == 0:
        yield Problem("flat_refund_threshold", "A threshold lies above 0; for 0 say at_zero.")


def _windows(rule: Rule) -> Iterator[Problem]:
    if rule["annual"] == PRORATE and rule["first_months"] is None:
        yield Problem("annual", "There is no window to prorate to without first_months.")
    for index, step in enumerate(rule["rate_steps"][:-1]):
        if step["payments"] is None:
            yield Problem(f"rate_steps/{index}/payments", "Only the last step goes on for ever.")


def _limits(rule: Rule) -> Iterator[Problem]:
    for currency, most in (rule["max_reward_minor"] or {}).items():
        if (rule["amounts"] or {}).get(currency, 0) > most:
            yield Problem(f"max_reward_minor/{currency}", "Lies below the amount of the rule.")
    seen = set()
    for index, cap in enumerate(rule["caps"]):
        place = (cap["scope"], cap["window"])
        if place in seen:
            yield Problem(f"caps/{index}", "Another cap has the same scope and window.")
        seen.add(place)


def _tiers(rule: Rule) -> Iterator[Problem]:
    tiers = rule["tiers"]
    if tiers is None:
        return
    if tiers["restate"] and (tiers["mode"], tiers["metric"]) != (SLAB, BASE_AMOUNT):
        yield Problem("tiers/restate", "Only slab tiers with metric base_amount are restated.")
    at = "tiers/steps/{}/up_to"
    *bounded, last = tiers["steps"]
    if last["up_to"] is not None:
        yield Problem(at.format(len(bounded)), "The last step has no end: leave it out.")
    wanted, said = _THRESHOLDS[tiers["metric"]]
    wrong = [n for n, step in enumerate(bounded) if not isinstance(step["up_to"], wanted)]
    for index in wrong:
        yield Problem(at.format(index), said)
    if not wrong:
        ends = [_by_currency(step["up_to"]) for step in bounded]
        yield from (Problem(at.format(n), why) for n, why in _descents(ends))


_THRESHOLDS: dict[str, tuple[type, str]] = {
    BASE_AMOUNT: (Mapping, "These tiers count amounts: name some, each with its currency."),
    NEW_CUSTOMERS: (int, "These tiers count customers: name a number of them."),
}


def _by_currency(end: Any) -> Mapping[str, int]:
    return end if isinstance(end, Mapping) else {"": end}


def _descents(ends: Sequence[Mapping[str, int]]) -> Iterator[tuple[int, str]]:
    """(index, what is wrong) of steps that do not lie above the one before in each currency."""
    for index, (lower, upper) in enumerate(pairwise(ends), start=1):
        if lower.keys() != upper.keys():
            yield index, "Names other currencies than the step before."
        elif any(upper[currency] <= lower[currency] for currency in upper):
            yield index, "Does not lie above the step before."


def _filters(rule: Rule) -> Iterator[Problem]:
    items, conditions = rule["item_filter"] or {}, rule["conditions"] or {}
    include = items.get("include", ())
    for index, pattern in enumerate(items.get("exclude", ())):
        if any(_covers(pattern, wanted) for wanted in include):
            yield Problem(f"item_filter/exclude/{index}", "Takes out all of what is included.")
    for name in ("countries", "customer_ids"):
        wanted = set(conditions.get(name, ()))
        for index, value in enumerate(conditions.get(f"excluded_{name}", ())):
            if value in wanted:
                yield Problem(f"conditions/excluded_{name}/{index}", "Is wanted and excluded.")


def _covers(pattern: str, other: str) -> bool:
    """Whether a pattern takes in every id that another one does; "*" ends a prefix."""
    if pattern.endswith("*"):
        return other.removesuffix("*").startswith(pattern[:-1])
    return pattern == other


_CHECKS = (
    _of_its_kind, _one_source_of_rates, _flat_refund, _windows, _limits, _tiers, _filters,
)  # fmt: skip
