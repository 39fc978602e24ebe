"""Invoices and payments as the engine takes them, few words each."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from rewards_service.programs.rules import RuleVersion
from rewards_service.rewards import engine
from rewards_service.rewards.counting import Tally
from rewards_service.rewards.figures import Adjustment, Invoice, Payee, Payment, Refund
from rewards_service.rewards.pricing import price
from rewards_service.rewards.selecting import leading
from rewards_service.rewards.settling import settle
from rewards_service.rewards.verdicts import Offer, Verdict

START = datetime(2026, 1, 1, tzinfo=UTC)


def percent(rate: int, base: str = "net", rounding: str = "half_even") -> RuleVersion:
    return RuleVersion(1, 1, 1, 1, "rule", "percent", rate, None, base, rounding, 0, None, "UTC",
                       START)  # fmt: skip


def flat(amounts: Mapping[str, int]) -> RuleVersion:
    return percent(0)._replace(kind="flat", rate_millionths=None, amounts=amounts)


def invoice(net: int = 10_000, tax: int = 2_000, **changes: object) -> Invoice:
    found = Invoice("inv", "USD", net + tax, 0, net, net + tax, False, ())
    return found._replace(**changes)  # type: ignore[arg-type]


def paid(
    amount: int, *refunds: int, name: str = "txn", applied: dict[str, int] | None = None,
    kept: bool = True, barred: str | None = None,
) -> Payment:  # fmt: skip
    taken = [Refund(f"ref_{place}", part, {}) for place, part in enumerate(refunds)]
    return Payment(name, START, kept, applied or {"inv": amount}, taken, barred)


def note(name: str, net: int, tax: int = 0, day: int = 0) -> Adjustment:
    return Adjustment(name, START + timedelta(day), net + tax, net, net + tax)


def earned(
    rule: RuleVersion, one: Invoice, payments: list[Payment], currency: str = "USD"
) -> int:  # fmt: skip
    figures = engine.summarise(one, payments, rule)
    return price(rule, figures, figures.base, currency).amount_minor


def posted(rule: RuleVersion, one: Invoice, states: list[list[Payment]]) -> list[int]:
    """The difference that each state of the payments posts."""
    found: list[int] = []
    for payments in states:
        found.append(earned(rule, one, payments) - sum(found))
    return found


def judged(
    rule: RuleVersion, one: Invoice, payments: Sequence[Payment], payees: Sequence[Payee] = (),
    tally: Tally | None = None,
) -> Verdict:  # fmt: skip
    """What one rule gives to payees for one invoice, through the whole of settling."""
    everyone = list(payees) or [Payee(1, 10_000)]
    verdict = Verdict((1, one.invoice_id), one.currency, one, 1, payments=list(payments))
    earning = sorted((p for p in payments if p.barred is None), key=lambda p: p.place)
    if earning:
        figures = engine.summarise(one, payments, rule)
        lead = leading(everyone).partner_id
        offer = Offer(rule, everyone, everyone, lead, figures, earning[0], earning[-1])
        verdict.offers.append(offer)
        verdict.log_id = min(payment.log_id for payment in earning)
    settle([verdict], tally or Tally())
    return verdict
