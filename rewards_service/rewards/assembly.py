"""From loaded rows to the engine's values: an invoice with the offers that rules make (pure)."""

from collections import defaultdict
from datetime import datetime
from typing import NamedTuple

from rewards_service.mirror.queries import Key
from rewards_service.partners.queries import status_at
from rewards_service.programs.rules import AT_ATTRIBUTION, RuleVersion
from rewards_service.rewards import engine, selecting, values
from rewards_service.rewards.figures import Payee, Payment
from rewards_service.rewards.payees import payees_of
from rewards_service.rewards.people import People
from rewards_service.rewards.queries import AnyRow, Held, Money
from rewards_service.rewards.selecting import Setting
from rewards_service.rewards.verdicts import REFUND_OPEN, Offer, Verdict

PARKED = "parked_missing_parent"
NO_PARTNER = "no_source_partner"
INACTIVE = "partner_inactive"
SELF_REFERRAL = "self_referral"


def draft(key: Key, money: Money, people: People, held: list[Held]) -> Verdict:
    """Everything about one invoice that does not depend on counters: `settling` does the rest."""
    verdict = Verdict(key)
    row = money.invoices.get(key)
    payers = money.paid_by.get(key, [])
    if row is None:
        verdict.reasons = dict.fromkeys(payers, PARKED)
        return verdict
    verdict.currency = row.currency
    payers = [payer for payer in payers if money.payments[payer].currency == row.currency]
    payers.sort(key=lambda payer: (money.recorded[payer].occurred_at, payer))
    owner = _owner(key, row, payers, people)
    payees = payees_of(owner, payers, money, people, held)
    if owner is None or not any(payees.values()):
        verdict.reasons = dict.fromkeys(payers, NO_PARTNER)
        return verdict
    verdict.owner_id = owner.id
    verdict.invoice = values.invoice(key, row, money)
    verdict.payments = [
        values.payment(payer, money, values.barred(payer, money, owner)) for payer in payers
    ]
    verdict.refund_log_id = values.newest_log_id(payers, money)
    verdict.payments += values.credits(key, payers, money, owner)
    _make_offers(verdict, owner, payees, people, held)
    reasons = (owner.hold_reason, _self_referral(owner, people), _open_refund(payers, money))
    verdict.hold_reasons = [reason for reason in reasons if reason is not None]
    verdict.flags = list(people.suspicions[owner.id].flags) if owner.id in people.suspicions else []
    return verdict


def _owner(key: Key, invoice: AnyRow, payers: list[Key], people: People) -> AnyRow | None:
    """The customer the invoice belongs to (M14); its own, or the root's where so chosen."""
    roots = ((key[0], people.roots[payer]) for payer in sorted(payers) if payer in people.roots)
    root = next((people.owners[account] for account in roots if account in people.owners), None)
    return root or people.owners.get((key[0], invoice.customer_id))


def _make_offers(
    verdict: Verdict,
    owner: AnyRow,
    payees: dict[str, list[Payee]],
    people: People,
    held: list[Held],
) -> None:
    verdict.barred = [(p.payment_id, p.barred) for p in verdict.payments if p.barred is not None]
    settled = [one for one in held if one.row.status not in ("pending", "hold")]
    verdict.chosen_rules = {people.versions[h.row.rule_version_id].rule_id for h in held}
    verdict.settled_rules = {people.versions[h.row.rule_version_id].rule_id for h in settled}
    for trigger, everyone in payees.items():
        for pattern, some in _by_activity(verdict.payments, everyone, people).items():
            around = _Around(verdict, owner, people, held)
            _offers_of(around, everyone, some, trigger, pattern)
    counted = [part.payment for offer in verdict.offers for part in offer.figures.payments]
    names = {payment.payment_id for payment in counted}
    paying = [p for p in verdict.payments if p.barred is None]
    active = _active_for(verdict.payments, payees, people)
    verdict.inactive = {p.payment_id for p in paying} - names - active
    known = 0 if verdict.invoice is None else verdict.invoice.first_log_id
    verdict.log_id = max(min((payment.log_id for payment in counted), default=0), known)


class _Around(NamedTuple):
    """An invoice with whom it concerns and what was decided before."""

    verdict: Verdict
    owner: AnyRow
    people: People
    held: list[Held]


_Pattern = tuple[bool, ...]  # payment by payment: whether the partner was active


def _active_for(
    payments: list[Payment], payees: dict[str, list[Payee]], people: People
) -> set[str]:
    """Payments at whose time some payee was active (S4)."""
    histories = [
        people.histories.get(payee.partner_id, []) for some in payees.values() for payee in some
    ]
    return {
        payment.payment_id
        for payment in payments
        if any(status_at(history, payment.paid_at) == "active" for history in histories)
    }


def _by_activity(
    payments: list[Payment], payees: list[Payee], people: People
) -> dict[_Pattern, list[Payee]]:
    found: dict[_Pattern, list[Payee]] = defaultdict(list)
    for payee in payees:
        history = people.histories.get(payee.partner_id, [])
        active = tuple(status_at(history, payment.paid_at) == "active" for payment in payments)
        found[active].append(payee)
    return found


def _offers_of(
    around: _Around, everyone: list[Payee], payees: list[Payee], trigger: str, pattern: _Pattern
) -> None:
    """The offers to payees that were active for the same payments."""
    verdict, people = around.verdict, around.people
    for lenient in (False, True) if not all(pattern) else (False,):
        payments = [
            payment if lenient or active or payment.barred else payment._replace(barred=INACTIVE)
            for payment, active in zip(verdict.payments, pattern, strict=True)
        ]
        earning = sorted((p for p in payments if p.barred is None), key=lambda p: p.place)
        if not earning:
            continue
        setting = _setting(around, earning[0])
        chosen = selecting.versions_for(setting, payees, everyone, trigger, earning[0].paid_at)
        for rule_id, reason in setting.skipped.items():
            verdict.silence(rule_id, reason)
        for version_id, paid in sorted(chosen.items()):
            version = people.versions[version_id]
            if version.accrues_inactive == lenient or all(pattern):
                offer = _offer(verdict, version, paid, everyone, payments)
                offer.hold_reason = INACTIVE if lenient else None
                verdict.offers.append(offer)


def _offer(
    verdict: Verdict, version: RuleVersion, payees: list[Payee], everyone: list[Payee],
    payments: list[Payment],
) -> Offer:  # fmt: skip
    if verdict.invoice is None:
        raise ValueError("An offer without an invoice cannot be.")
    earning = sorted((p for p in payments if p.barred is None), key=lambda p: p.place)
    applied = [p for p in earning if p.applied.get(verdict.key[1], 0) > 0]
    figures = engine.summarise(verdict.invoice, payments, version)
    lead = selecting.leading(payees).partner_id
    return Offer(version, payees, everyone, lead, figures, earning[0], (applied or earning)[-1])


def _setting(around: _Around, anchor: Payment) -> Setting:
    people = around.people
    frozen: dict[int, dict[int, RuleVersion]] = defaultdict(dict)
    since: dict[int, datetime] = {}
    for one in around.held:
        partner, version = one.row.partner_id, people.versions[one.row.rule_version_id]
        settled = one.row.status not in ("pending", "hold")
        if not settled and one.row.anchor_paid_at != anchor.paid_at:
            continue
        since[partner] = min(since.get(partner, one.row.created_at), one.row.created_at)
        # An earlier payment may tell that the customer was won earlier than was thought.
        if settled or version.terms.rate_lock != AT_ATTRIBUTION:
            frozen[partner][version.rule_id] = version
    return Setting(people.versions, people.enrolled, frozen, since, around.owner.matched_at)


def _self_referral(owner: AnyRow, people: People) -> str | None:
    found = people.suspicions.get(owner.id)
    return SELF_REFERRAL if found is not None and found.strict else None


def _open_refund(payers: list[Key], money: Money) -> str | None:
    """A refund under way holds the reward until it settles or fails (A2)."""
    refunds = (row for payer in payers for row in money.refunds.get(payer, ()))
    is_open = any(row.status == "in_progress" and not row.deleted for row in refunds)
    return REFUND_OPEN if is_open else None
