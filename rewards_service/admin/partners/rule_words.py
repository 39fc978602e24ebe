"""A reward rule in plain words: one sentence for the whole, and a few for each of its terms (pure).

A rule is a mapping with the members of `programs.terms`: rates in millionths, amounts in minor
units by currency.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from rewards_service.kit.money import HALF_UP, format_minor
from rewards_service.programs import rules as r

Rule = Mapping[str, Any]

_BASES = {r.NET: "the net amount", r.GROSS: "the gross amount"}
_WINDOWS = {
    r.MONTH: "per calendar month", r.ROLLING: "in any 12 months", r.LIFETIME: "over all time",
}  # fmt: skip
_SCOPES = {r.CUSTOMER: "per customer", r.PARTNER: "per partner", r.PROGRAM: "for the programme"}
_METRICS = {
    r.BASE_AMOUNT: "the amounts that the partner brought",
    r.NEW_CUSTOMERS: "the new customers that the partner brought",
}
_MODES = {
    r.SLAB: "the whole amount at the rate reached",
    r.GRADUATED: "each part at the rate of its own step",
}
_REFUNDS = {
    r.AT_ZERO: "taken back when nothing of the payment is left",
    r.PRO_RATA: "taken back in proportion to the refund",
    r.THRESHOLD: "taken back when less than a part of the payment is left",
}
_ENDED = "Nothing: this rule is ended"


class Term(NamedTuple):
    """One thing that a rule says, in words; None where it says nothing of it."""

    title: str
    text: str | None


class Change(NamedTuple):
    """One thing that two versions say differently, each in words."""

    title: str
    before: str
    after: str


def percent(millionths: int) -> str:
    """`125_000` as "12.5 %"."""
    return f"{(Decimal(millionths).scaleb(-4).normalize()):f} %"


def amounts(by_currency: Mapping[str, int], joined: str = " or ") -> str:
    """`{"USD": 500}` as "5.00 USD"."""
    return joined.join(format_minor(value, code) for code, value in sorted(by_currency.items()))


def is_ended(rule: Rule) -> bool:
    """Whether a rule gives nothing, whatever is paid."""
    if rule["kind"] == r.FLAT:
        return not any((rule["amounts"] or {}).values())
    return not rule["tiers"] and not rule["rate_steps"] and rule["rate"] == 0


def headline(rule: Rule) -> str:
    """The rule in one sentence, as one would say it to a partner."""
    if is_ended(rule):
        return f"{_ENDED}."
    return ", ".join([_pay(rule), *_bounds(rule), *_narrowed(rule)]) + "."


def _pay(rule: Rule) -> str:
    if rule["kind"] == r.FLAT:
        return f"{amounts(rule['amounts'] or {})} for each paid invoice"
    of = f"of {_BASES[rule['base']]} of each payment"
    if rule["tiers"]:
        rates = [step["rate_millionths"] for step in rule["tiers"]["steps"]]
        span = f"{percent(min(rates))} to {percent(max(rates))}"
        return f"{span} {of}, depending on {_METRICS[rule['tiers']['metric']]}"
    if rule["rate_steps"]:
        return f"{_stepped(rule['rate_steps'])}, {of}"
    return f"{percent(rule['rate'] or 0)} {of}"


def _bounds(rule: Rule) -> Iterator[str]:
    if rule["first_months"]:
        yield _many("first {} months", rule["first_months"])
    if rule["first_payments"]:
        yield _many("first {} payments of a customer", rule["first_payments"])
    if rule["max_reward_minor"]:
        yield f"at most {amounts(rule['max_reward_minor'])} per reward"
    for cap in rule["caps"]:
        yield f"at most {_cap(cap)}"


def _narrowed(rule: Rule) -> Iterator[str]:
    if rule["trigger"] == r.DEAL:
        yield "to the partner of the deal"
    if rule["item_filter"]:
        yield "for certain items only"
    if rule["conditions"]:
        yield "for certain customers only"


def _many(text: str, count: int) -> str:
    shown = text.format(count)
    return shown.replace("1 months", "month").replace("1 payments", "payment") if count == 1 else (
        shown
    )  # fmt: skip


def _cap(cap: Rule) -> str:
    window = "" if cap["window"] == r.LIFETIME else f" {_WINDOWS[cap['window']]}"
    return f"{amounts(cap['amounts'])} {_SCOPES[cap['scope']]}{window}"


def _stepped(steps: Sequence[Rule]) -> str:
    found = []
    for index, step in enumerate(steps):
        rate, count = percent(step["rate_millionths"]), step.get("payments")
        if count is None:
            found.append(f"{rate} from then on" if index else f"{rate} for all payments")
        else:
            which = "first" if index == 0 else "next"
            found.append(f"{rate} for the {_many(which + ' {} payments', count)} of a customer")
    return ", then ".join(found)


def _tiers(rule: Rule) -> str | None:
    tiers = rule["tiers"]
    if not tiers:
        return None
    steps = "; ".join(_tier(step) for step in tiers["steps"])
    text = f"{steps}. By {_METRICS[tiers['metric']]} {_WINDOWS[tiers['window']]}, "
    again = ", earlier invoices of the window too once it rises" if tiers["restate"] else ""
    return f"{text}{_MODES[tiers['mode']]}{again}"


def _tier(step: Rule) -> str:
    up_to, rate = step.get("up_to"), percent(step["rate_millionths"])
    if up_to is None:
        return f"{rate} above"
    shown = amounts(up_to) if isinstance(up_to, Mapping) else f"{up_to} customers"
    return f"{rate} up to {shown}"


def _rate(rule: Rule) -> str | None:
    by_steps = rule["tiers"] or rule["rate_steps"] or rule["rate"] is None
    return None if by_steps else percent(rule["rate"])


def _months(rule: Rule) -> str | None:
    if rule["first_months"] is None:
        return None
    return f"{rule['first_months']} from the customer's first rewarded invoice"


def _annual(rule: Rule) -> str | None:
    if rule["first_months"] is None:
        return None
    parts = rule["annual"] == r.PRORATE
    return "only the days within the time" if parts else "in full"


def _listed(member: str, name: str) -> Callable[[Rule], str | None]:
    def tell(rule: Rule) -> str | None:
        found = (rule[member] or {}).get(name)
        return ", ".join(word.replace("_", " ") if name == "entity_types" else word
                         for word in found) if found else None  # fmt: skip

    return tell


def _refund(rule: Rule) -> str | None:
    if rule["kind"] != r.FLAT:
        return None
    threshold = rule["flat_refund_threshold_millionths"]
    shown = _REFUNDS[rule["flat_refund"] or r.AT_ZERO]
    return shown if threshold is None else shown.replace("a part", percent(threshold))


def _money(name: str) -> Callable[[Rule], str | None]:
    return lambda rule: amounts(rule[name]) if rule[name] else None


# Headline -> its terms: title, and how a rule says it.
GROUPS: tuple[tuple[str, tuple[tuple[str, Callable[[Rule], str | None]], ...]], ...] = (
    ("How it is counted", (
        ("Kind", lambda rule: {"percent": "percentage", "flat": "flat amount"}[rule["kind"]]),
        ("Rate", _rate),
        ("Amounts", _money("amounts")),
        ("Tiers", _tiers),
        ("Rates by payment",
         lambda rule: _stepped(rule["rate_steps"]) if rule["rate_steps"] else None),
        ("Counts on", lambda rule: f"{_BASES[rule['base']]} of the invoice lines"),
    )),
    ("How long and how much", (
        ("Months", _months),
        ("Payments of a customer",
         lambda rule: None if rule["first_payments"] is None else f"first {rule['first_payments']}"
        ),
        ("Annual plans", _annual),
        ("Smallest payment", _money("min_amount_minor")),
        ("Most per reward", _money("max_reward_minor")),
        ("Caps", lambda rule: "; ".join(map(_cap, rule["caps"])) or None),
    )),
    ("Which payments", (
        ("Items", _listed("item_filter", "include")),
        ("Items left out", _listed("item_filter", "exclude")),
        ("Kinds of lines", _listed("item_filter", "entity_types")),
        ("Countries", _listed("conditions", "countries")),
        ("Countries left out", _listed("conditions", "excluded_countries")),
        ("Chargebee customers", _listed("conditions", "customer_ids")),
        ("Chargebee customers left out", _listed("conditions", "excluded_customer_ids")),
    )),
    ("Beside other rules", (
        ("Pays", lambda rule: "the partner of the deal" if rule["trigger"] == r.DEAL
         else "the customer's source partner"),
        ("Stack group", lambda rule: rule["stack_group"] or "its own: always pays"),
        ("Priority", lambda rule: str(rule["priority"])),
        ("Version for a customer", lambda rule: "that of the payment"
         if rule["rate_lock"] == r.AT_PAYMENT else "that of the day the customer was won"),
    )),
    ("Holding, refunds, rounding", (
        ("Held", lambda rule: f"{rule['hold_days']} days after the payment"),
        ("Refunds of flat rewards", _refund),
        ("Refunds of some lines", lambda rule: "taken from the lines they name"
         if rule["refund_allocation"] == r.BY_LINE else "shared over all lines"),
        ("Rounding", lambda rule: "half up" if rule["rounding"] == HALF_UP else "half to even"),
    )),
)  # fmt: skip


def terms(rule: Rule) -> list[tuple[str, list[Term]]]:
    """Everything that a rule says, in groups; without what it says nothing of."""
    found = [(title, [Term(name, tell(rule)) for name, tell in some]) for title, some in GROUPS]
    return [(title, [one for one in some if one.text is not None]) for title, some in found]


def changes(before: Rule, after: Rule) -> list[Change]:
    """What two versions say differently, term by term."""
    told = [
        (name, tell(before) or "not set", tell(after) or "not set")
        for _, some in GROUPS for name, tell in some
    ]  # fmt: skip
    return [Change(*one) for one in told if one[1] != one[2]]
