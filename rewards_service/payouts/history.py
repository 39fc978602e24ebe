"""What became of a payout and who did it, in its history and in the audit log."""

from sqlalchemy.orm import Session

from rewards_service.audit.service import record
from rewards_service.kit import ids
from rewards_service.outbound.announcing import announce, wanted
from rewards_service.payouts.models import Payout, PayoutStatusChange

# What others are told of a payout in this status.
_EVENTS = {
    "draft": "payout.created", "pending": "payout.submitted", "ready": "payout.ready",
    "paid": "payout.paid", "cancelled": "payout.cancelled",
}  # fmt: skip


def note(
    session: Session, payout: Payout, before: str | None, action: str, actor: str,
    reason: str | None = None,
) -> None:  # fmt: skip
    """Add the move of a payout from status `before` (None: made) to the one that it has now."""
    session.add(
        PayoutStatusChange(
            payout_id=payout.id, from_status=before, to_status=payout.status, reason=reason,
            actor=actor,
        )
    )  # fmt: skip
    after = {
        "status": payout.status, "partner_id": payout.partner_id, "currency": payout.currency,
        "total_minor": payout.total_minor, "ledger_sha256": payout.ledger_sha256,
        "cut_off": payout.cut_off_on.isoformat(),
    }  # fmt: skip
    detail = {"before": before and {"status": before}, "after": after}
    record(session, action, ("payout", payout.id), detail, actor, reason)
    _tell(session, payout, before)


def _tell(session: Session, payout: Payout, before: str | None) -> None:
    event_type = _EVENTS[payout.status]
    if not wanted(session, [event_type]):
        return
    data = {
        "id": ids.encode("pay", payout.id),
        "partner_id": ids.encode("par", payout.partner_id),
        "currency": payout.currency,
        "cut_off": payout.cut_off_on.isoformat(),
        "status": payout.status,
        "total_minor": payout.total_minor,
        "line_count": payout.line_count,
        "pay_currency": payout.pay_currency,
        "pay_total_minor": payout.pay_total_minor,
        "paid_on": payout.paid_on and payout.paid_on.isoformat(),
        "reference": payout.reference,
        "from_status": before,
    }
    announce(session, event_type, ("payout", payout.id), data)
