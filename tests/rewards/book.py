"""Invoices that are paid and refunded under one rule, one event at a time or all at once (pure)."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple

from rewards_service.programs.rules import Cap, RuleVersion, Terms, Tiers, TierStep
from rewards_service.rewards import engine
from rewards_service.rewards.counters import empty_tally
from rewards_service.rewards.counting import Key, Tally
from rewards_service.rewards.figures import Invoice, Payee, Payment, Refund
from rewards_service.rewards.selecting import leading
from rewards_service.rewards.settling import settle
from rewards_service.rewards.verdicts import Offer, Verdict
from tests.rewards.invoices import START, percent

ANN = (Payee(1, 10_000),)


def rule(rate: int = 1_000_000, key: int = 1, **terms: Any) -> RuleVersion:
    """A percent rule; by default a reward is the whole base."""
    return percent(rate)._replace(id=key, rule_id=key, terms=Terms(**terms))


def cap(scope: str, window: str, most: int, currency: str = "USD") -> Cap:
    return Cap(scope, window, {currency: most})


def tiers(
    *steps: tuple[int | None, int], mode: str = "slab", metric: str = "base_amount",
    window: str = "lifetime", restate: bool = False, currency: str = "USD",
) -> Tiers:  # fmt: skip
    by_amount = metric == "base_amount"
    found = tuple(
        TierStep({currency: end} if by_amount and end is not None else end, rate)
        for end, rate in steps
    )
    return Tiers(mode, metric, window, found, restate)


def at(day: date | int) -> datetime:
    if isinstance(day, int):
        return START + timedelta(day)
    return datetime.combine(day, time(12), UTC)


class Fact(NamedTuple):
    """A payment of an invoice, or with `refund_of` (a place in the log) a refund of one."""

    invoice: str
    amount: int
    day: int = 0
    refund_of: int | None = None


class Book:
    """What the database keeps between batches, and what the job does with it, for one rule."""

    def __init__(
        self, *rules: RuleVersion, sizes: Mapping[str, int] | None = None,
        customers: Mapping[str, int] | None = None, payees: tuple[Payee, ...] = ANN,
    ) -> None:  # fmt: skip
        self.rules, self.payees = rules, payees
        self.sizes, self.customers = sizes or {}, customers or {}
        self.tally: Tally = empty_tally({one.id: one for one in rules})
        self.log: dict[int, Fact] = {}
        self.verdicts: dict[str, Verdict] = {}
        self.history: list[dict[str, int]] = []

    def tell(self, *facts: Fact) -> "Book":
        """Facts that the log brings, all in one batch."""
        told = {}
        for fact in facts:
            self.log[len(self.log) + 1] = fact
            told[fact.invoice] = True
        self.judge(told)
        return self

    def tell_singly(self, *facts: Fact) -> "Book":
        for fact in facts:
            self.tell(fact)
        return self

    def judge(self, names: Iterable[str]) -> None:
        some = {name: self._draft(name) for name in names}
        self.tally.freed.clear()
        self.tally.restated.clear()
        settle(some.values(), self.tally)
        self.verdicts |= some
        self.history.append(self.given)
        again = self._again()
        if again:
            self.judge(again)

    def _again(self) -> list[str]:
        freed = {scope[0] for scope in self.tally.freed}
        names = {
            slot[0][1]
            for slot, claim in self.tally.claims.items()
            if slot[1] in freed and claim.given_minor < claim.wanted_minor
        }
        for rule_id, partner, period in self.tally.restated:
            names |= {
                slot[0][1]
                for slot, place in self.tally.places.items()
                if slot[1:] == (rule_id, partner) and period.has(place.counted_on)
            }
        return sorted(names)

    @property
    def given(self) -> dict[str, int]:
        """What each invoice gives in all."""
        return {
            name: sum(target.amount_minor for target in verdict.targets)
            for name, verdict in sorted(self.verdicts.items())
        }

    def reason(self, name: str) -> str | None:
        (reason,) = set(self.verdicts[name].reasons.values())
        return reason

    def _draft(self, name: str) -> Verdict:
        payments = [self._payment(n, f) for n, f in self.log.items() if f.refund_of is None]
        payments = [one for one in payments if name in one.applied]
        invoice = self._invoice(name, payments)
        key: Key = (1, name)
        owner = self.customers.get(name, 1)
        verdict = Verdict(key, "USD", invoice, owner, payments=payments)
        verdict.log_id = min(payment.log_id for payment in payments)
        ordered = sorted(payments, key=lambda payment: payment.place)
        for one in self.rules:
            figures = engine.summarise(invoice, payments, one)
            lead = leading(self.payees).partner_id
            verdict.offers.append(
                Offer(one, self.payees, self.payees, lead, figures, ordered[0], ordered[-1])
            )
        if name in self.verdicts:
            before = self.verdicts[name]
            verdict.chosen_rules = before.chosen_rules | {
                target.version.rule_id for target in before.targets if target.amount_minor
            }
        return verdict

    def _payment(self, log_id: int, fact: Fact) -> Payment:
        refunds = [
            Refund(f"ref_{n}", one.amount, {}, n, at(one.day))
            for n, one in self.log.items()
            if one.refund_of == log_id
        ]
        return Payment(f"txn_{log_id}", at(fact.day), True, {fact.invoice: fact.amount}, refunds,
                       log_id=log_id)  # fmt: skip

    def _invoice(self, name: str, payments: list[Payment]) -> Invoice:
        total = self.sizes.get(name) or sum(one.applied[name] for one in payments)
        first = min(payments, key=lambda one: one.log_id)
        return Invoice(name, "USD", total, 0, total, total, False, (), invoiced_at=first.paid_at)
