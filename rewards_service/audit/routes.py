"""/api/v1/audit-log."""

from typing import Any

from rewards_service.audit import queries, subjects
from rewards_service.audit.models import AuditEntry
from rewards_service.audit.schemas import AuditEntrySchema, AuditPageSchema, AuditQuerySchema
from rewards_service.kit.lists import page_answer, paging
from rewards_service.kit.web import Resource, current_session, path_key

blueprint = Resource("audit-log", "Who did what to what, and why")


@blueprint.operation(
    "GET", "/audit-log", scope="audit:read", query=AuditQuerySchema, answer=AuditPageSchema
)
def list_audit_log(query: dict[str, Any]) -> Any:
    """List the audit log."""
    page = queries.list_entries(current_session(), paging(query), query)
    return page_answer(query, page, [_shown(row[0]) for row in page.rows])


@blueprint.operation("GET", "/audit-log/<entry_id>", scope="audit:read", answer=AuditEntrySchema)
def get_audit_entry(entry_id: str) -> Any:
    """Get one entry."""
    return _shown(queries.get_entry(current_session(), path_key("aud", entry_id)))


def _shown(entry: AuditEntry) -> dict[str, Any]:
    names = ("id", "at", "actor", "action", "subject_kind", "reason", "detail")
    return {
        **{name: getattr(entry, name) for name in names},
        "subject_id": subjects.public_id(entry.subject_kind, entry.subject_id),
        "hash": entry.hash.hex(),
    }
