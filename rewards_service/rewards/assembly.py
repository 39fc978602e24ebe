"""From loaded rows to the engine's values, and from its figures to what should stand (pure)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from rewards_service.mirror.queries import Key
from rewards_service.partners.queries import status_at
from rewards_service.programs.rules import RuleVersion, available_on, in_force
from rewards_service.rewards import engine
from rewards_service.rewards.engine import Adjustment, Invoice, Payee, Payment, Refund, Sum, Target
from rewards_service.rewards.queries import AnyRow, Held, Money, People
from rewards_service.transactions.standing import is_kept, is_settled

WHOLE = 10_000
PARKED = "parked_missing_parent"
UNAPPLIED = "unapplied_payment"


@dataclass(slots=True)
class Verdict:
    """What an invoice earns, for whom, and why each of its payments earns nothing, if so."""

    key: Key
    targets: list[Target] = field(default_factory=list)
    sums: dict[int, Sum] = field(default_factory=dict)  # by rule version
    reasons: dict[Key, str | None] = field(default_factory=dict)  # by payment
    anchor: Payment | None = None
    latest: Payment | None = None
    hold_reason: str | None = None
    skipped: list[tuple[int, str]] = field(default_factory=list)  # (rule, reason)
    inconsistent: bool = False
    invoice: Invoice | None = None
    barred: list[tuple[str, str]] = field(default_factory=list)  # (Chargebee payment id, why)
    owner_id: int | None = None
    currency: str = ""

    def available_on(self, version: RuleVersion) -> date:
        latest = self.latest or self.anchor
        if latest is None:
            raise ValueError("A reward without any payment has no date.")
        return available_on(version, latest.paid_at)


def judge(key: Key, money: Money, people: People, held: list[Held]) -> Verdict:
    """Work out one invoice from everything known about it."""
    verdict = Verdict(key)
    row = money.invoices.get(key)
    payers = money.paid_by.get(key, [])
    if row is None:
        verdict.reasons = dict.fromkeys(payers, PARKED)
        return verdict
    verdict.currency = row.currency
    payers = [payer for payer in payers if money.payments[payer].currency == row.currency]
    owner = _owner(key, row, payers, people)
    payees = _payees(owner, payers, money, people)
    if owner is None or not payees:
        verdict.reasons = dict.fromkeys(payers, "no_source_partner")
        return verdict
    verdict.owner_id = owner.id
    payments = [_payment(payer, money, _barred(payer, money, owner, payees, people))
                for payer in payers]  # fmt: skip
    _decide(verdict, _invoice(key, row, money), payments, payees, people, held)
    _explain_nothing(verdict, row, payments)
    verdict.hold_reason = owner.hold_reason or _open_refund(payers, money)
    return verdict


def _owner(key: Key, invoice: AnyRow, payers: list[Key], people: People) -> AnyRow | None:
    """The customer the invoice belongs to (M14); its own, or the root's where so chosen."""
    roots = ((key[0], people.roots[payer]) for payer in sorted(payers) if payer in people.roots)
    root = next((people.owners[account] for account in roots if account in people.owners), None)
    return root or people.owners.get((key[0], invoice.customer_id))


def _payees(owner: AnyRow | None, payers: list[Key], money: Money, people: People) -> list[Payee]:
    """Who is paid: the shares of the deal that named the partner, else the partner alone (S3).

    The partner is the one of the invoice's first payment: another that a person names later is
    paid for later invoices (S5).
    """
    if owner is None:
        return []
    own = [money.recorded[payer] for payer in payers]
    own = [row for row in own if row.customer_id == owner.id]
    first = min(own, key=lambda r: (r.occurred_at, r.chargebee_transaction_id), default=None)
    partner_id = owner.source_partner_id if first is None else first.partner_id
    if partner_id is None:
        return []
    shares = people.shares.get(owner.source_deal_id or 0)
    if shares and partner_id == owner.source_partner_id:
        return [Payee(partner, points) for partner, points in sorted(shares)]
    return [Payee(partner_id, WHOLE)]


def _barred(
    payer: Key, money: Money, owner: AnyRow, payees: list[Payee], people: People
) -> str | None:
    paid_at = money.recorded[payer].occurred_at
    if owner.attributed_from is not None and paid_at < owner.attributed_from:
        return "before_attribution"
    statuses = (status_at(people.histories.get(p.partner_id, []), paid_at) for p in payees)
    return None if any(status == "active" for status in statuses) else "partner_inactive"


def _payment(payer: Key, money: Money, barred: str | None) -> Payment:
    row = money.payments[payer]
    refunds = [
        Refund(
            refund.external_id,
            refund.amount_minor,
            money.assigned.get((payer[0], refund.external_id), {}),
        )
        for refund in money.refunds.get(payer, ())
        if is_settled(refund)
    ]
    paid_at = money.recorded[payer].occurred_at
    return Payment(payer[1], paid_at, is_kept(row), money.applications[payer], refunds, barred)


def _invoice(key: Key, row: AnyRow, money: Money) -> Invoice:
    notes = [
        Adjustment(n.external_id, n.dated_at, n.total_minor, n.net_minor, n.gross_minor)
        for n in money.adjustments.get(key, ())
    ]
    return Invoice(
        key[1], row.currency, row.total_minor, row.write_off_minor, row.lines_net_minor,
        row.lines_gross_minor, row.status == "voided" or row.deleted, notes,
    )  # fmt: skip


def _decide(
    verdict: Verdict,
    invoice: Invoice,
    payments: list[Payment],
    payees: list[Payee],
    people: People,
    held: list[Held],
) -> None:
    verdict.invoice = invoice
    verdict.barred = [(p.payment_id, p.barred) for p in payments if p.barred is not None]
    earning = sorted((p for p in payments if p.barred is None), key=lambda p: p.place)
    if not earning:
        return
    verdict.anchor = earning[0]
    applied = [p for p in earning if p.applied.get(invoice.invoice_id, 0) > 0]
    verdict.latest = applied[-1] if applied else earning[-1]
    for version in _versions(verdict, payees, people, held):
        figures = engine.summarise(invoice, payments, version.base)
        verdict.sums[version.id] = figures
        verdict.inconsistent |= figures.inconsistent
        targets = engine.targets(version, figures, invoice.currency, payees)
        if targets[0].whole_minor == 0:
            nothing = engine.why_nothing(version, figures, invoice.currency)
            verdict.skipped += [(version.rule_id, nothing)] if nothing else []
        verdict.targets += targets


def _versions(
    verdict: Verdict, payees: list[Payee], people: People, held: list[Held]
) -> list[RuleVersion]:
    """The rule versions that govern the invoice, frozen at its first rewarded payment (A12)."""
    anchor = verdict.anchor
    if anchor is None:
        return []
    programs = set().union(*(people.programs.get(p.partner_id, set()) for p in payees))
    possible = [v for v in people.versions.values() if v.program_id in programs]
    frozen = _frozen(held, anchor, people)
    if frozen:
        since = min(h.row.created_at for h in held)
        possible = [v for v in possible if v.rule_id not in frozen and v.created_at <= since]
    chosen = in_force(possible, anchor.paid_at)
    missing = {v.rule_id for v in possible} - {v.rule_id for v in chosen}
    verdict.skipped += [(rule_id, "rule_not_effective") for rule_id in sorted(missing)]
    return sorted([*frozen.values(), *chosen], key=lambda version: version.rule_id)


def _frozen(held: list[Held], anchor: Payment, people: People) -> dict[int, RuleVersion]:
    """Versions chosen before; chosen again when an earlier payment came, unless approved."""
    found = {}
    for one in held:
        settled = one.row.status not in ("pending", "hold")
        if settled or one.row.anchor_paid_at == anchor.paid_at:
            version = people.versions[one.row.rule_version_id]
            found[version.rule_id] = version
    return found


def _explain_nothing(verdict: Verdict, row: AnyRow, payments: Iterable[Payment]) -> None:
    site = verdict.key[0]
    general = _nothing_at_all(verdict)
    voided = row.status == "voided" or row.deleted
    for payment in payments:
        reason = payment.barred or (UNAPPLIED if voided else general)
        if payment.applied.get(verdict.key[1], 0) > 0:
            verdict.reasons[(site, payment.payment_id)] = reason


def _nothing_at_all(verdict: Verdict) -> str | None:
    """None when some rule pays for the invoice; else why none does."""
    rules = {target.version.rule_id for target in verdict.targets}
    silent = dict(verdict.skipped)
    if rules - silent.keys():
        return None
    reasons = [reason for _, reason in sorted(verdict.skipped)]
    return reasons[0] if reasons else "no_rule"


def _open_refund(payers: list[Key], money: Money) -> str | None:
    """A refund under way holds the reward until it settles or fails (A2)."""
    refunds = (row for payer in payers for row in money.refunds.get(payer, ()))
    is_open = any(row.status == "in_progress" and not row.deleted for row in refunds)
    return "refund_open" if is_open else None
