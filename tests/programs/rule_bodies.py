"""Bodies of reward rules: one of each kind that says all it can, and any lawful one."""

from typing import Any

from hypothesis import strategies as st

from rewards_service.kit.money import format_rate
from rewards_service.programs import rules
from rewards_service.programs.rule_schemas import ENTITY_TYPES
from tests.builders.api import Json

GRADUATED: Json = {
    "mode": "graduated", "metric": "base_amount", "window": "month", "restate": False,
    "steps": [
        {"up_to": {"USD": 100_000, "JPY": 150_000}, "rate": "0.10"},
        {"up_to": {"USD": 200_000, "JPY": 300_000}, "rate": "0.15"},
        {"up_to": None, "rate": "0.20"},
    ],
}  # fmt: skip
COMMON: Json = {
    "name": "All", "base": "gross", "rounding": "half_up", "hold_days": 30, "trigger": "deal",
    "priority": -3, "stack_group": "main", "rate_lock": "at_attribution", "first_payments": 12,
    "first_months": 12, "annual": "prorate", "min_amount_minor": {"USD": 1_000},
    "max_reward_minor": {"USD": 50_000},
    "caps": [
        {"scope": "customer", "window": "lifetime", "amounts": {"USD": 90_000}},
        {"scope": "partner", "window": "month", "amounts": {"USD": 70_000, "EUR": 60_000}},
    ],
    "item_filter": {
        "include": ["pro-*", "team-USD-Monthly"], "exclude": ["pro-setup"],
        "entity_types": ["plan_item_price"],
    },
    "conditions": {
        "countries": ["DE", "AT", "XI"], "excluded_countries": ["US"],
        "customer_ids": ["cus_1", "cus_2"], "excluded_customer_ids": ["cus_3"],
    },
    "refund_allocation": "by_line",
}  # fmt: skip
TIERED: Json = {**COMMON, "kind": "percent", "tiers": GRADUATED}
STEPPED: Json = {
    **COMMON, "kind": "percent",
    "rate_steps": [{"payments": 1, "rate": "0.50"}, {"payments": None, "rate": "0.10"}],
}  # fmt: skip
FLAT: Json = {
    **COMMON, "kind": "flat", "amounts": {"USD": 500, "JPY": 700}, "flat_refund": "threshold",
    "flat_refund_threshold": "0.50",
}  # fmt: skip

currencies = st.sampled_from(["USD", "EUR", "JPY", "KWD"])
limits = st.dictionaries(currencies, st.integers(1, 2**63 - 1), min_size=1)
rates = st.integers(0, 1_000_000).map(format_rate)
# No prefixes: then nothing that is excluded covers something that is included.
words = st.text("abcdefgh-_.Äß汉 0", min_size=1, max_size=20).filter(str.strip)


def nameless(body: Json) -> Json:
    """The terms of a rule alone."""
    return {name: value for name, value in body.items() if name != "name"}


def some(item: st.SearchStrategy[Any], most: int = 5) -> st.SearchStrategy[list[Any]]:
    return st.lists(item, min_size=1, max_size=most, unique=True)


def optional(**members: st.SearchStrategy[Any]) -> st.SearchStrategy[Json]:
    return st.fixed_dictionaries({}, optional=members)


@st.composite
def tiers(draw: st.DrawFn) -> Json:
    metric = draw(st.sampled_from(rules.METRICS))
    count = draw(st.integers(0, 4))
    ends: list[Any] = sorted(draw(st.sets(st.integers(1, 10**9), min_size=count, max_size=count)))
    if metric == rules.BASE_AMOUNT:
        codes = draw(some(currencies, 3))
        ends = [{code: end + place for place, code in enumerate(codes)} for end in ends]
    steps = [{"up_to": end, "rate": draw(rates)} for end in [*ends, None]]
    mode = draw(st.sampled_from(rules.MODES))
    restates = (mode, metric) == (rules.SLAB, rules.BASE_AMOUNT) and draw(st.booleans())
    return {
        "mode": mode, "metric": metric, "steps": steps, "restate": restates,
        "window": draw(st.sampled_from(rules.WINDOWS)),
    }  # fmt: skip


@st.composite
def rate_steps(draw: st.DrawFn) -> list[Json]:
    counts = draw(st.lists(st.integers(1, 100), max_size=4))
    last = draw(st.none() | st.integers(1, 100))
    return [{"payments": count, "rate": draw(rates)} for count in [*counts, last]]


caps = st.lists(
    st.fixed_dictionaries({
        "scope": st.sampled_from(rules.SCOPES), "window": st.sampled_from(rules.WINDOWS),
        "amounts": limits,
    }),
    max_size=4, unique_by=lambda cap: (cap["scope"], cap["window"]),
)  # fmt: skip


@st.composite
def apart(draw: st.DrawFn, name: str, other: str, item: st.SearchStrategy[str]) -> Json:
    """Two lists that have nothing in common; either may be missing."""
    found = draw(some(item, 6))
    cut = draw(st.integers(0, len(found)))
    return {key: part for key, part in ((name, found[:cut]), (other, found[cut:])) if part}


@st.composite
def percents(draw: st.DrawFn) -> Json:
    source = draw(st.sampled_from(["rate", "tiers", "rate_steps"]))
    value = {"rate": rates, "tiers": tiers(), "rate_steps": rate_steps()}[source]
    return {"kind": "percent", source: draw(value), **draw(common())}


@st.composite
def flats(draw: st.DrawFn) -> Json:
    body = {"kind": "flat", **draw(common())}
    most = body.get("max_reward_minor", {})
    amounts = draw(st.dictionaries(currencies, st.integers(0, 10**9), min_size=1))
    body["amounts"] = {code: min(value, most.get(code, value)) for code, value in amounts.items()}
    refund = draw(st.none() | st.sampled_from(rules.FLAT_REFUNDS))
    if refund is not None:
        body["flat_refund"] = refund
    if refund == rules.THRESHOLD:
        body["flat_refund_threshold"] = format_rate(draw(st.integers(1, 1_000_000)))
    return body


@st.composite
def common(draw: st.DrawFn) -> Json:
    """Members that any rule may have, each left out or lawful."""
    body = draw(optional(
        base=st.sampled_from(["net", "gross"]), rounding=st.sampled_from(["half_even", "half_up"]),
        hold_days=st.integers(0, 365), trigger=st.sampled_from(rules.TRIGGERS),
        priority=st.integers(-1_000_000, 1_000_000), stack_group=words,
        rate_lock=st.sampled_from(rules.RATE_LOCKS), first_payments=st.integers(1, 10_000),
        min_amount_minor=limits, max_reward_minor=limits, caps=caps,
        item_filter=apart("include", "exclude", words),
        refund_allocation=st.sampled_from(rules.REFUND_ALLOCATIONS),
    ))  # fmt: skip
    if draw(st.booleans()):
        body["first_months"] = draw(st.integers(1, 1_200))
        body["annual"] = draw(st.sampled_from(rules.ANNUALS))
    if draw(st.booleans()):
        body["conditions"] = {
            **draw(apart("countries", "excluded_countries", st.sampled_from(["DE", "FR", "XK"]))),
            **draw(apart("customer_ids", "excluded_customer_ids", words)),
        }
    if draw(st.booleans()):
        types = draw(some(st.sampled_from(ENTITY_TYPES)))
        body["item_filter"] = {**body.get("item_filter", {}), "entity_types": types}
    return body


any_rule = percents() | flats()
