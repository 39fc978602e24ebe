"""What became of a payout and who did it, in its history and in the audit log."""

from sqlalchemy.orm import Session

from rewards_service.audit.service import record
from rewards_service.payouts.models import Payout, PayoutStatusChange


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
