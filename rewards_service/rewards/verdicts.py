"""What an invoice earns, as far as it is worked out: offers of rules, then targets (pure)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

from rewards_service.programs.rules import RuleVersion, available_on
from rewards_service.rewards.counting import Place
from rewards_service.rewards.figures import Invoice, Payee, Payment, Sum
from rewards_service.rewards.pricing import Priced

Key = tuple[int, str]  # (integration, Chargebee invoice)
MACHINE = "machine"  # who moves rewards when no person does
REFUND_OPEN = "refund_open"  # reason of a hold that an approved reward is put on as well (A2)


@dataclass(slots=True)
class Offer:
    """One rule version that speaks for some payees of an invoice, and what it comes to.

    `payees` are paid by it; `everyone` shares the whole (S7): parts of others are not paid here.
    """

    version: RuleVersion
    payees: Sequence[Payee]
    everyone: Sequence[Payee]
    lead_id: int
    figures: Sum
    anchor: Payment
    latest: Payment
    hold_reason: str | None = None
    place: Place | None = None
    priced: Priced = field(default_factory=lambda: Priced(0, 0, ()))
    given_minor: int = 0  # after caps
    capped_by: str | None = None
    cap_limit_minor: int | None = None
    released: bool = False  # a cap let go what it had kept back
    silent: str | None = None  # why it pays nothing

    @property
    def slot(self) -> tuple[int, int]:
        return self.version.rule_id, self.lead_id


@dataclass(slots=True)
class Target:
    """What one partner must have in total for one invoice under one rule version."""

    version: RuleVersion
    partner_id: int
    basis_points: int
    amount_minor: int
    whole_minor: int  # before the split
    base: Fraction
    offer: Offer


@dataclass(slots=True)
class Verdict:
    """What an invoice earns, for whom, and why each of its payments earns nothing, if so."""

    key: Key
    currency: str = ""
    invoice: Invoice | None = None
    owner_id: int | None = None
    offers: list[Offer] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    reasons: dict[Key, str | None] = field(default_factory=dict)  # by payment
    hold_reasons: list[str] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)
    skipped: dict[int, str] = field(default_factory=dict)  # rule -> why it did not pay
    barred: list[tuple[str, str]] = field(default_factory=list)  # (Chargebee payment id, why)
    payments: list[Payment] = field(default_factory=list)
    cause_log_id: int = 0  # of the event because of which it is worked out
    log_id: int = 0  # of the event that brought its first earning payment
    refund_log_id: int = 0  # of the event that brought its newest refund, settled or not
    inactive: set[str] = field(default_factory=set)  # payments while no payee was active
    settled_rules: set[int] = field(default_factory=set)  # rules whose reward was settled before
    chosen_rules: set[int] = field(default_factory=set)  # rules that rewarded it before

    @property
    def inconsistent(self) -> bool:
        return any(offer.figures.inconsistent for offer in self.offers)

    @property
    def counts(self) -> bool:
        return any(offer.version.terms.counts for offer in self.offers)

    def silence(self, rule_id: int, reason: str) -> None:
        self.skipped.setdefault(rule_id, reason)


def available(offer: Offer) -> date:
    """The first day the reward of an offer may be paid out (V5)."""
    return available_on(offer.version, offer.latest.paid_at)
