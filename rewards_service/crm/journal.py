"""What people did to leads, deals and customers, for the audit log: whatever bears on money.

No e-mail is written: `email_changed` says that it did, and a digest of the key tells two apart.
"""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from sqlalchemy.orm import Session

from rewards_service.audit.service import record
from rewards_service.crm.models import Customer, Deal, Lead
from rewards_service.kit.clock import rfc3339

Facts = dict[str, Any]
_DIGEST_LETTERS = 16


def facts_of_lead(lead: Lead) -> Facts:
    """What of a lead decides who earns."""
    return {
        "status": lead.status,
        "partner_id": lead.partner_id,
        "registered_at": rfc3339(lead.registered_at),
        "email_key": digest_of(lead.email_key),
    }


def facts_of_deal(deal: Deal, shares: Sequence[tuple[int, int]]) -> Facts:
    """What of a deal decides who earns; shares: (partner, basis points)."""
    return {
        "stage": deal.stage,
        "partner_id": deal.partner_id,
        "registered_at": rfc3339(deal.registered_at),
        "shares": sorted(list(share) for share in shares),
        "email_key": digest_of(deal.email_key),
    }


def facts_of_customer(customer: Customer) -> Facts:
    """What of a customer decides who earns."""
    return {
        "source_partner_id": customer.source_partner_id,
        "email_key": digest_of(customer.email_key),
    }


def digest_of(key: str | None) -> str | None:
    """A few letters that tell e-mail keys apart, and nobody what they are."""
    return None if key is None else sha256(key.encode()).hexdigest()[:_DIGEST_LETTERS]


def record_created(session: Session, kind: str, key: int, facts: Facts, actor: str) -> None:
    """Say that a person made a lead, deal or customer."""
    record(session, f"{kind}.created", (kind, key), {"after": facts}, actor)


def record_changed(
    session: Session,
    kind: str,
    key: int,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    actor: str,
) -> None:
    """Say what a person changed of what bears on money; nothing when nothing of it differs."""
    names = [name for name in after if after[name] != before[name]]
    if not names:
        return
    detail: Facts = {
        "before": {name: before[name] for name in names},
        "after": {name: after[name] for name in names},
    }
    if "email_key" in names:
        detail["email_changed"] = True
    record(session, f"{kind}.changed", (kind, key), detail, actor)
