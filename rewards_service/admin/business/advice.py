"""What can be done where a payment earned nothing, for each reason (DOMAIN V11)."""

from typing import Any

from flask import url_for
from markupsafe import Markup, escape

from rewards_service.admin.layout import opens
from rewards_service.admin.pages import may
from rewards_service.admin.places import link_to, place_of
from rewards_service.audit.subjects import public_id
from rewards_service.transactions.models import Transaction

# Reason -> what to do; {customer}, {source}, {partner}, {programs} become links.
TO_DO = {
    "no_source_partner": "If a partner brought {customer}, {source}: you choose whether what is "
    "recorded already counts too.",
    "before_attribution": "Payments count from the registration of the lead or deal on. If it was "
    "entered too late, {source} for recorded payments too.",
    "partner_inactive": "Look at the status of {partner} and since when it holds. Payments from "
    "now on count once it is active.",
    "no_rule": "Let {partner} into a programme with a rule for such payments, or widen a rule: "
    "{programs}.",
    "rule_not_effective": "See from when on the rules are in force: {programs}.",
    "not_eligible_lines": "See which items the rule counts: {programs}.",
    "window_over": "This is what the rule says: it rewards a customer for so long only. {programs}",
    "cap_reached": "This is what the rule's cap is for. To raise it, make a new version: "
    "{programs}.",
    "below_minimum": "This is what the rule's minimum is for. To lower it, make a new version: "
    "{programs}.",
    "no_amount_for_currency": "Add an amount in {currency} in a new version of the rule: "
    "{programs}.",
    "unapplied_payment": "Apply the payment to an invoice in Chargebee: the reward follows by "
    "itself.",
    "parked_missing_parent": "Nothing: the invoice is fetched from Chargebee after a few minutes. "
    "If it stays so, see whether the integration has an API key: {integration}.",
    "no_change": "Nothing: there is nothing left to reward.",
}
# What to do about a single rule that did not count.
_OF_RULES = {
    "outranked": "Change the priority, or the stack group, if both should pay.",
    "condition_not_met": "Change the customers or countries of the rule if this one should count.",
}


def what_to_do(payment: Transaction, reason: str, partner: Markup) -> Markup:
    """A sentence with links to where something can be done about a reason."""
    if payment.partner_id is None:
        partner = Markup("the partners who share its deal")
    text = escape(TO_DO.get(reason) or _OF_RULES.get(reason, ""))
    return text.format(
        customer=link_to("customer", payment.customer_id, "this customer"),
        source=_source(payment), partner=partner, programs=_programs(),
        currency=payment.currency,
        integration=link_to("integration", payment.integration_id, "see it"),
    )  # fmt: skip


def about_rule(reason: str | None, rule_key: int) -> Markup:
    """Where a rule that did not count can be changed; nothing where it cannot be."""
    told = _OF_RULES.get(reason or "", "").strip()
    if place_of("reward_rule", rule_key) is None:
        return escape(told)
    return Markup("{} {}").format(told, link_to("reward_rule", rule_key, "Open the rule"))


def _source(payment: Transaction) -> Markup:
    words = "change its source partner"
    if not may("crm:write"):
        return escape(words)
    customer_id: Any = public_id("customer", payment.customer_id)
    address = url_for("customers_pages.choose_source", customer_id=customer_id)
    return Markup('<a href="{}">{}</a>').format(address, words)


def _programs() -> Markup:
    if not opens("programs_pages.list_programs"):
        return Markup("see the programmes")
    link = Markup('<a href="{}">see the programmes</a>')
    return link.format(url_for("programs_pages.list_programs"))
