"""Add entries to the audit log, in the transaction of the change itself."""

from typing import Any

from sqlalchemy.orm import Session

from rewards_service.audit.models import AuditEntry

MACHINE = "machine"


def record(
    session: Session,
    action: str,
    subject: tuple[str, int],
    detail: dict[str, Any],
    actor: str = MACHINE,
) -> None:
    """Say that `actor` did `action` to `subject` = (kind, key). The caller owns the transaction."""
    kind, key = subject
    session.add(
        AuditEntry(actor=actor, action=action, subject_kind=kind, subject_id=key, detail=detail)
    )
