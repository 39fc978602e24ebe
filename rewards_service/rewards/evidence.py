"""The numbers that led to a reward, as they are stored with it (pure)."""

from fractions import Fraction
from typing import Any

from rewards_service.rewards.assembly import Verdict
from rewards_service.rewards.engine import Target


def stored_explanation(verdict: Verdict, target: Target) -> dict[str, Any]:
    """Everything `explaining.render` needs to show the sum, as JSON."""
    figures = verdict.sums[target.version.id]
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
            }
            for part in figures.payments
        ],
        "whole_minor": target.whole_minor,
        "basis_points": target.basis_points,
        "target_minor": target.amount_minor,
        "barred": [list(item) for item in verdict.barred],
        "inconsistent": figures.inconsistent,
        "skipped": [list(item) for item in verdict.skipped],
    }  # fmt: skip


def _text(value: Fraction) -> str:
    return str(value)
