"""Find audit entries."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.audit.models import AuditEntry
from rewards_service.kit.errors import NotFound
from rewards_service.kit.pages import Page, Paging, fetch

FILTERS = ("actor", "action", "subject_kind", "subject_id")


def list_entries(session: Session, paging: Paging, wanted: Mapping[str, Any]) -> Page:
    """A page of the log. wanted: any of FILTERS, `at_from`, `at_before`."""
    query = select(AuditEntry)
    for name in FILTERS:
        if name in wanted:
            query = query.where(getattr(AuditEntry, name) == wanted[name])
    if "at_from" in wanted:
        query = query.where(AuditEntry.at >= wanted["at_from"])
    if "at_before" in wanted:
        query = query.where(AuditEntry.at < wanted["at_before"])
    in_time = "at_from" in wanted or "at_before" in wanted
    return fetch(session, query, AuditEntry.id, paging, AuditEntry.at if in_time else None)


def get_entry(session: Session, entry_id: int) -> AuditEntry:
    """Raises NotFound."""
    found = session.get(AuditEntry, entry_id)
    if found is None:
        raise NotFound("There is no such audit entry.")
    return found
