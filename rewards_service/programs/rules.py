"""A reward rule as a value, and which version of it governs a payment (pure)."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

PERCENT = "percent"
FLAT = "flat"
KINDS = (PERCENT, FLAT)
NET = "net"
GROSS = "gross"

TRANSACTION = "transaction"
DEAL = "deal"
TRIGGERS = (TRANSACTION, DEAL)
AT_PAYMENT = "at_payment"
AT_ATTRIBUTION = "at_attribution"
RATE_LOCKS = (AT_PAYMENT, AT_ATTRIBUTION)
FULL = "full"
PRORATE = "prorate"
ANNUALS = (FULL, PRORATE)
AT_ZERO = "at_zero"
PRO_RATA = "pro_rata"
THRESHOLD = "threshold"
FLAT_REFUNDS = (AT_ZERO, PRO_RATA, THRESHOLD)
BY_LINE = "by_line"
REFUND_ALLOCATIONS = (PRO_RATA, BY_LINE)

MONTH = "month"
ROLLING = "rolling_12_months"
LIFETIME = "lifetime"
WINDOWS = (MONTH, ROLLING, LIFETIME)
SLAB = "slab"
GRADUATED = "graduated"
MODES = (SLAB, GRADUATED)
BASE_AMOUNT = "base_amount"
NEW_CUSTOMERS = "new_customers"
METRICS = (BASE_AMOUNT, NEW_CUSTOMERS)
CUSTOMER = "customer"
PARTNER = "partner"
PROGRAM = "program"
SCOPES = (CUSTOMER, PARTNER, PROGRAM)


class TierStep(NamedTuple):
    """A rate up to and including a threshold; the last step has none.

    `up_to`: minor units by currency where the metric is an amount, else a number of customers.
    """

    up_to: Mapping[str, int] | int | None
    rate_millionths: int


class Tiers(NamedTuple):
    """Rates that follow what the partner has brought within a window (DOMAIN A9)."""

    mode: str
    metric: str
    window: str
    steps: tuple[TierStep, ...]
    restate: bool = False


class Cap(NamedTuple):
    """The most that a scope may earn under the rule in a window, minor units by currency (A10)."""

    scope: str
    window: str
    amounts: Mapping[str, int]


class RateStep(NamedTuple):
    """A rate for so many further invoices of a customer; None: for all that follow."""

    payments: int | None
    rate_millionths: int


class ItemFilter(NamedTuple):
    """Which invoice lines count, by Chargebee's ids of prices and items; "*" ends a prefix."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    entity_types: tuple[str, ...] = ()


class Conditions(NamedTuple):
    """Whose invoices count: ISO 3166 countries, Chargebee customer ids."""

    countries: tuple[str, ...] = ()
    excluded_countries: tuple[str, ...] = ()
    customer_ids: tuple[str, ...] = ()
    excluded_customer_ids: tuple[str, ...] = ()


class Terms(NamedTuple):
    """What a rule may say beyond its rate; the defaults are those of DOMAIN.

    Amounts in minor units by currency. `stack_group` None: a group of its own, so it always pays.
    """

    trigger: str = TRANSACTION
    priority: int = 0
    stack_group: str | None = None
    rate_lock: str = AT_PAYMENT
    first_payments: int | None = None
    first_months: int | None = None
    annual: str = FULL
    min_amounts: Mapping[str, int] | None = None
    max_rewards: Mapping[str, int] | None = None
    caps: tuple[Cap, ...] = ()
    tiers: Tiers | None = None
    rate_steps: tuple[RateStep, ...] = ()
    items: ItemFilter = ItemFilter()
    conditions: Conditions = Conditions()
    flat_refund: str = AT_ZERO
    flat_refund_threshold_millionths: int | None = None
    refund_allocation: str = PRO_RATA

    @property
    def counts(self) -> bool:
        """Whether the rule depends on what came before it in the log (V10)."""
        limited = self.first_payments is not None or self.first_months is not None
        return bool(limited or self.caps or self.tiers or self.rate_steps)


class RuleVersion(NamedTuple):
    """One immutable version of a rule. Rates in millionths, amounts in minor units."""

    id: int
    rule_id: int
    program_id: int
    version: int
    name: str
    kind: str
    rate_millionths: int | None
    amounts: Mapping[str, int] | None
    base: str
    rounding: str
    hold_days: int
    effective_from: datetime | None
    timezone: str
    created_at: datetime
    level_id: int = 0
    terms: Terms = Terms()
    accrues_inactive: bool = False  # a partner that is not active earns too, on hold (S4)


def read_terms(stored: Mapping[str, Any]) -> Terms:
    """Terms as `reward_rule_versions.terms` keeps them: the members of the API that are given."""
    plain = {name: stored[name] for name in _PLAIN if stored.get(name) is not None}
    tiers = stored.get("tiers")
    return Terms(
        **plain,
        min_amounts=stored.get("min_amount_minor"),
        max_rewards=stored.get("max_reward_minor"),
        caps=tuple(
            Cap(cap["scope"], cap["window"], cap["amounts"]) for cap in stored.get("caps") or ()
        ),
        tiers=None if tiers is None else _read_tiers(tiers),
        rate_steps=tuple(
            RateStep(step.get("payments"), step["rate_millionths"])
            for step in stored.get("rate_steps") or ()
        ),
        items=ItemFilter(**_tuples(stored.get("item_filter"))),
        conditions=Conditions(**_tuples(stored.get("conditions"))),
    )


_PLAIN = (
    "trigger", "priority", "stack_group", "rate_lock", "first_payments", "first_months", "annual",
    "flat_refund", "flat_refund_threshold_millionths", "refund_allocation",
)  # fmt: skip


def _read_tiers(stored: Mapping[str, Any]) -> Tiers:
    steps = (TierStep(step.get("up_to"), step["rate_millionths"]) for step in stored["steps"])
    restate = bool(stored.get("restate"))
    return Tiers(stored["mode"], stored["metric"], stored["window"], tuple(steps), restate)


def _tuples(stored: Mapping[str, Any] | None) -> dict[str, tuple[str, ...]]:
    return {name: tuple(values) for name, values in (stored or {}).items() if values}


def in_force(versions: Iterable[RuleVersion], at: datetime) -> list[RuleVersion]:
    """The newest version of each rule that was effective at a time (A12), by rule id."""
    found: dict[int, RuleVersion] = {}
    for version in sorted(versions, key=lambda item: (item.rule_id, item.version)):
        if version.effective_from is None or version.effective_from <= at:
            found[version.rule_id] = version
    return [found[rule_id] for rule_id in sorted(found)]


def available_on(version: RuleVersion, paid_at: datetime) -> date:
    """The first day a reward may be paid out: payment day + hold days, programme time (V5)."""
    day = paid_at.astimezone(ZoneInfo(version.timezone)).date()
    return day + timedelta(days=version.hold_days)
