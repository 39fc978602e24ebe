"""What became of a payment under each rule, and why it earned nothing if it did not."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from rewards_service.kit import ids
from rewards_service.kit.clock import rfc3339
from rewards_service.kit.money import format_minor
from rewards_service.mirror import queries as mirror
from rewards_service.programs.queries import all_versions
from rewards_service.programs.rules import RuleVersion
from rewards_service.rewards import counters, queries, reasons
from rewards_service.rewards.assembly import PARKED, draft
from rewards_service.rewards.evidence import stored_explanation
from rewards_service.rewards.explaining import render
from rewards_service.rewards.people import load_people
from rewards_service.rewards.queries import Held
from rewards_service.rewards.settling import settle
from rewards_service.rewards.verdicts import Key, Offer, Target, Verdict
from rewards_service.transactions.listing import get_transaction

WHOLE = 10_000


def explain_payment(session: Session, transaction_key: int) -> dict[str, Any]:
    """A payment and, for each invoice it was applied to, every rule that looked at it.

    Worked out anew from what is known now, as `rewards check` does; nothing is stored. Raises
    NotFound.
    """
    row = get_transaction(session, transaction_key)
    payer = (row.integration_id, row.chargebee_transaction_id)
    applied = {
        (one.integration_id, one.invoice_id): one.applied_minor
        for one in mirror.applications_of(session, [payer])
    }
    verdicts, held = _judge(session, sorted(applied))
    names = {version.rule_id: version for version in all_versions(session).values()}
    invoices = [
        _invoice(verdicts[key], payer, applied[key], held.get(key, []), names)
        for key in sorted(applied)
    ]
    opening = (
        f"Payment {row.chargebee_transaction_id} of {rfc3339(row.occurred_at)[:10]} is over "
        f"{format_minor(row.amount_minor, row.currency)}. {reasons.of_payment(row.reason)}"
    )
    return {
        "transaction_id": row.id,
        "reason": row.reason,
        "invoices": invoices,
        "text": " ".join([opening, *(one["text"] for one in invoices)]),
    }


def _judge(session: Session, keys: Sequence[Key]) -> tuple[dict[Key, Verdict], dict[Key, Any]]:
    versions = all_versions(session)
    money = queries.load_money(session, keys, versions)
    held = queries.load_rewards(session, keys)
    people = load_people(session, money, versions, queries.partners_of(held))
    verdicts = {key: draft(key, money, people, held.get(key, [])) for key in keys}
    settle(verdicts.values(), counters.load_tally(session, versions, verdicts.values()))
    return verdicts, held


def _invoice(
    verdict: Verdict, payer: Key, applied: int, held: Sequence[Held],
    names: Mapping[int, RuleVersion],
) -> dict[str, Any]:  # fmt: skip
    reason = verdict.reasons.get(payer, PARKED if verdict.invoice is None else None)
    rules = list(_rules(verdict))
    seen = {rule["rule"]["id"] for rule in rules}
    skipped = [
        {"rule_id": ids.encode("rul", rule), "reason": why}
        for rule, why in sorted(verdict.skipped.items())
        if ids.encode("rul", rule) not in seen
    ]
    words = [f"Invoice {verdict.key[1]}: {reasons.of_payment(reason)}"]
    words += [rule["text"] for rule in rules]
    words += [
        f'Rule "{names[rule].name}" does not count: {reasons.OF_RULES[why]}'
        for rule, why in sorted(verdict.skipped.items())
        if ids.encode("rul", rule) not in seen
    ]
    return {
        "chargebee_invoice_id": verdict.key[1],
        "applied_minor": applied,
        "currency": verdict.currency or None,
        "reason": reason,
        "reward_ids": [one.row.id for one in held],
        "rules": rules,
        "skipped_rules": skipped,
        "text": " ".join(words),
    }


def _rules(verdict: Verdict) -> Iterator[dict[str, Any]]:
    """The sum of each rule that looked at the invoice, also of those that give nothing."""
    for offer in verdict.offers:
        targets = [one for one in verdict.targets if one.offer is offer]
        for target in targets or [_nothing(offer)]:
            shown = render(stored_explanation(verdict, target))
            yield {
                "rule": shown["rule"],
                "partner_id": target.partner_id,
                "amount_minor": target.amount_minor,
                "reason": offer.silent,
                "steps": shown["steps"],
                "text": " ".join([shown["text"], *_because(offer)]),
            }


def _because(offer: Offer) -> Iterator[str]:
    if offer.silent is not None:
        yield f'Rule "{offer.version.name}" gives nothing: {reasons.OF_RULES[offer.silent]}'


def _nothing(offer: Offer) -> Target:
    return Target(offer.version, offer.lead_id, WHOLE, 0, 0, offer.figures.base, offer)
