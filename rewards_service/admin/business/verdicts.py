"""What became of a payment, as its page tells it: by invoice and rule, with what can be done."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from markupsafe import Markup
from sqlalchemy.orm import Session

from rewards_service.admin.business.advice import about_rule, what_to_do
from rewards_service.admin.business.naming import Names
from rewards_service.admin.places import link_to
from rewards_service.kit import ids
from rewards_service.programs.queries import all_versions
from rewards_service.rewards import reasons
from rewards_service.rewards.why import explain_payment
from rewards_service.transactions.models import Transaction


class Rule(NamedTuple):
    """What one rule made of an invoice. `amount_minor` None: it did not look at it at all."""

    title: Markup
    partner: Markup | None
    amount_minor: int | None
    why: str | None
    todo: Markup
    steps: list[dict[str, Any]]


class Invoice(NamedTuple):
    """An invoice that the payment was applied to, and the rules."""

    name: str
    currency: str | None
    applied_minor: int
    why: str
    todo: Markup
    earned: bool
    rules: list[Rule]


class Explained(NamedTuple):
    """The whole payment; `why` in one sentence."""

    earned: bool
    why: str
    todo: Markup
    invoices: list[Invoice]


def explain(session: Session, payment: Transaction) -> Explained:
    """Worked out anew, as GET /transactions/{id}/explanation does."""
    told = explain_payment(session, payment.id)
    names = {version.rule_id: version.name for version in all_versions(session).values()}
    payees = {rule["partner_id"] for one in told["invoices"] for rule in one["rules"]}
    people = Names(session, [payment.partner_id, *payees])
    partner = people.partner(payment.partner_id)

    def todo(reason: str | None) -> Markup:
        return Markup("") if reason is None else what_to_do(payment, reason, partner)

    return Explained(
        told["reason"] is None,
        reasons.of_payment(told["reason"]),
        todo(told["reason"]),
        [
            Invoice(
                one["chargebee_invoice_id"], one["currency"], one["applied_minor"],
                reasons.of_payment(one["reason"]), todo(one["reason"]), one["reason"] is None,
                _rules(one, names, people),
            )
            for one in told["invoices"]
        ],
    )  # fmt: skip


def _rules(invoice: Mapping[str, Any], names: Mapping[int, str], people: Names) -> list[Rule]:
    looked = [
        _rule(
            rule["rule"]["id"], names, people.partner(rule["partner_id"]), rule["amount_minor"],
            rule["reason"], rule["steps"],
        )
        for rule in invoice["rules"]
    ]  # fmt: skip
    skipped = [
        _rule(rule["rule_id"], names, None, None, rule["reason"], [])
        for rule in invoice["skipped_rules"]
    ]
    return looked + skipped


def _rule(
    public: str, names: Mapping[int, str], partner: Markup | None, amount: int | None,
    reason: str | None, steps: list[dict[str, Any]],
) -> Rule:  # fmt: skip
    key = ids.decode("rul", public) or 0
    title = link_to("reward_rule", key, names.get(key, "a rule"))
    why = None if reason is None else reasons.OF_RULES[reason]
    todo = about_rule(reason, key) if reason else Markup("")
    return Rule(title, partner, amount, why, todo, steps)
