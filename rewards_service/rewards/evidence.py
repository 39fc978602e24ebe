"""The numbers that led to a reward, as they are stored with it (pure)."""

from fractions import Fraction
from typing import Any

from rewards_service.programs.rules import GROSS, ItemFilter, RuleVersion
from rewards_service.rewards.engine import selects
from rewards_service.rewards.figures import Invoice
from rewards_service.rewards.verdicts import Offer, Target, Verdict


def stored_explanation(verdict: Verdict, target: Target) -> dict[str, Any]:
    """Everything `explaining.render` needs to show the sum, as JSON."""
    figures = target.offer.figures
    version, invoice = target.version, verdict.invoice
    if invoice is None:
        raise ValueError("A target without an invoice cannot be.")
    return {
        "currency": verdict.currency,
        "invoice_id": verdict.key[1],
        "total_minor": invoice.total_minor,
        "write_off_minor": invoice.write_off_minor,
        "voided": invoice.voided,
        "rule": {
            "rule_id": version.rule_id, "name": version.name, "version": version.version,
            "kind": version.kind, "rate_millionths": version.rate_millionths,
            "amounts": version.amounts, "base": version.base, "rounding": version.rounding,
        },
        "eligible_minor": figures.eligible_minor,
        "adjusted_minor": figures.adjusted_minor,
        "payable_minor": figures.payable_minor,
        "lines": _lines(version, invoice),
        "by_line": _text(figures.by_line),
        "earning": _text(figures.earning),
        "served": _text(figures.served),
        "kept": _text(figures.kept),
        "base": _text(target.base),
        "payments": [
            {
                "transaction_id": part.payment.payment_id,
                "paid_at": part.payment.paid_at.isoformat(),
                "applied_minor": part.applied_minor,
                "stands": part.payment.kept,
                "taken_back": _text(part.taken_back),
                "kept": _text(part.kept),
                "credit_note_id": part.payment.credit_note_id,
            }
            for part in figures.payments
        ],
        "counted": _counted(target.offer),
        "silent": target.offer.silent,
        "slices": [
            [_text(part.base), part.rate_millionths, part.from_minor]
            for part in target.offer.priced.slices
        ],
        "unlimited_minor": target.offer.priced.uncapped_minor,
        "limited_minor": target.offer.priced.amount_minor,
        "capped_by": target.offer.capped_by,
        "cap_limit_minor": target.offer.cap_limit_minor,
        "capped_on": _capped_on(target.offer),
        "capped_from": _capped_from(target),
        "whole_minor": target.whole_minor,
        "basis_points": target.basis_points,
        "target_minor": target.amount_minor,
        "barred": [list(item) for item in verdict.barred],
        "inconsistent": figures.inconsistent,
        "skipped": [list(item) for item in sorted(verdict.skipped.items())],
    }  # fmt: skip


def _lines(version: RuleVersion, invoice: Invoice) -> list[list[Any]] | None:
    """Each line with what it brings and whether it counts; None where all of them do."""
    if version.terms.items == ItemFilter():
        return None
    return [
        [
            line.entity_id or line.entity_type or line.line_id,
            line.gross_minor if version.base == GROSS else line.net_minor,
            selects(version.terms.items, line),
        ]
        for line in invoice.lines
    ]


def _capped_on(offer: Offer) -> str | None:
    """The day whose window the cap is about."""
    is_capped = offer.capped_by is not None and offer.place is not None
    return offer.place.counted_on.isoformat() if is_capped and offer.place else None


def _counted(offer: Offer) -> dict[str, Any] | None:
    """Where the invoice stands under a rule that counts; None where it does not."""
    place, terms = offer.place, offer.version.terms
    if place is None:
        return None
    tiers = terms.tiers
    return {
        "ordinal": place.ordinal,
        "first_payments": terms.first_payments,
        "first_months": terms.first_months,
        "window_from_on": place.window_from_on.isoformat(),
        "invoice_on": place.invoice_on.isoformat(),
        "position": place.position,
        "tiers": None if tiers is None else [tiers.mode, tiers.metric, tiers.window],
        "by_ordinal": bool(terms.rate_steps),
    }


def _capped_from(target: Target) -> int | None:
    """What the rule would give without its maximum and caps; None where they keep nothing back."""
    wanted = target.offer.priced.uncapped_minor
    return wanted if wanted != target.whole_minor else None


def _text(value: Fraction) -> str:
    return str(value)
