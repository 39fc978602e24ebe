"""Why a payment or a rule gives nothing, in sentences (pure, DOMAIN V11, A13)."""

from collections.abc import Mapping
from types import MappingProxyType

OF_PAYMENTS: Mapping[str, str] = MappingProxyType(
    {
        "no_source_partner": "Its customer has no source partner.",
        "before_attribution": "It was paid before its customer was attributed to the partner.",
        "partner_inactive": "The partner was not active when it was paid.",
        "no_rule": "No rule of the partner's programmes is about it.",
        "rule_not_effective": "There are rules, but none was in force when it was paid.",
        "not_eligible_lines": "No line of the invoice counts under the rule.",
        "window_over": "The payments or months that the rule rewards for a customer are over.",
        "cap_reached": "A cap of the rule is reached.",
        "below_minimum": "What counts of the invoice is less than the rule's minimum.",
        "no_amount_for_currency": "The rule names no amount for the invoice's currency.",
        "unapplied_payment": "It was applied to no invoice that stands.",
        "parked_missing_parent": "Its invoice has not arrived yet.",
        "no_change": "What comes of it is nothing: the amount is too small, or was taken back.",
    }
)
OF_RULES: Mapping[str, str] = MappingProxyType(
    {
        **OF_PAYMENTS,
        "rule_not_effective": "No version of the rule was in force when the invoice was paid.",
        "outranked": "Another rule of its stack group goes before it.",
        "condition_not_met": "The rule is not for this customer or country.",
    }
)
EARNED = "It earned a reward."


def of_payment(reason: str | None) -> str:
    return EARNED if reason is None else OF_PAYMENTS[reason]
