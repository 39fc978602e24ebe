"""/api/v1/conflicts."""

from typing import Any

from rewards_service.accounts.auth import current_actor
from rewards_service.audit.subjects import public_id
from rewards_service.crm import conflicts
from rewards_service.crm.models import AttributionConflict
from rewards_service.kit.lists import page_answer, paging
from rewards_service.kit.web import Resource, current_session, path_key
from rewards_service.webhooks import looking, resolving
from rewards_service.webhooks.conflict_schemas import (
    ConflictPageSchema,
    ConflictQuerySchema,
    ConflictWithEvidenceSchema,
    ResolvedSchema,
    ResolveSchema,
)
from rewards_service.webhooks.resolving import Decision
from rewards_service.webhooks.workbench_routes import show_changes

blueprint = Resource("conflicts", "What the machine must not decide")

READ, WRITE = "conflicts:read", "conflicts:write"
_CANDIDATES = {"leads": "lead", "deals": "deal", "customers": "customer"}
_CHOSEN = {"partner_id": "partner", "customer_id": "customer"}


@blueprint.operation(
    "GET", "/conflicts", scope=READ, query=ConflictQuerySchema, answer=ConflictPageSchema
)
def list_conflicts(query: dict[str, Any]) -> Any:
    """List conflicts."""
    page = conflicts.list_conflicts(current_session(), paging(query), query)
    return page_answer(query, page, [_shown(row[0]) for row in page.rows])


@blueprint.operation(
    "GET", "/conflicts/<conflict_id>", scope=READ, answer=ConflictWithEvidenceSchema
)
def get_conflict(conflict_id: str) -> Any:
    """Get one conflict with its evidence."""
    session = current_session()
    conflict = conflicts.get_conflict(session, path_key("cfl", conflict_id))
    evidence = conflicts.evidence(session, conflict)
    held = looking.on_hold(session, [customer.id for customer in evidence.customers])
    return {
        **_shown(conflict),
        "decisions": resolving.decisions_for(conflict),
        "evidence": {
            "leads": evidence.leads,
            "deals": evidence.deals,
            "customers": evidence.customers,
            "partners": evidence.partners,
            "on_hold": [{"currency": c, "amount_minor": amount} for c, amount in held.items()],
        },
    }


@blueprint.operation(
    "POST", "/conflicts/<conflict_id>/resolve", scope=WRITE, body=ResolveSchema,
    answer=ResolvedSchema,
)  # fmt: skip
def resolve_conflict(body: dict[str, Any], conflict_id: str) -> Any:
    """Decide a conflict; rewards follow at once."""
    session, key = current_session(), path_key("cfl", conflict_id)
    decided = Decision(
        body["decision"], current_actor(), body["reason"], body.get("partner_id"),
        body.get("customer_id"),
    )  # fmt: skip
    changes = resolving.resolve(session, key, decided, body["dry_run"])
    return {
        **_shown(conflicts.get_conflict(session, key)),
        "dry_run": body["dry_run"],
        "rewards": show_changes(changes),
    }


def _shown(conflict: AttributionConflict) -> dict[str, Any]:
    is_open = conflict.resolved_at is None
    return {
        "id": conflict.id,
        "kind": conflict.kind,
        "state": conflicts.OPEN if is_open else conflicts.RESOLVED,
        "subject": public_id(conflict.subject_kind, conflict.subject_id),
        "candidates": {
            name: [public_id(_CANDIDATES[name], key) for key in found]
            if name in _CANDIDATES
            else found
            for name, found in conflict.candidates.items()
        },
        "opened_at": conflict.opened_at,
        "resolved_at": conflict.resolved_at,
        "resolved_by": conflict.resolved_by,
        "reason": conflict.resolution_reason,
        "decision": {
            name: public_id(_CHOSEN[name], value) if name in _CHOSEN else value
            for name, value in (conflict.decision or {}).items()
        }
        or None,
    }
