"""What people decided before counts when matching comes to the same question again."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.crm.matching import CONFLICT_PARTNERS, Resolution
from rewards_service.crm.models import AttributionConflict


def lift_decided(session: Session, resolution: Resolution) -> None:
    """A conflict of partners that a person closed holds nothing, also when it comes up again."""
    found = [one for one in resolution.conflicts if one.kind == CONFLICT_PARTNERS]
    if not found:
        return
    row = AttributionConflict
    query = select(row.natural_key).where(
        row.natural_key.in_([one.natural_key for one in found]), row.resolved_at.is_not(None)
    )
    decided = set(session.scalars(query))
    still_open = {one.subject[1] for one in found if one.natural_key not in decided}
    for lead_id in {one.subject[1] for one in found} - still_open:
        match, _ = resolution.converted[lead_id]
        if match.hold_reason == "conflict":
            match.hold_reason = None
