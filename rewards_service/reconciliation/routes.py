"""/api/v1/integrations/{id}/reconcile and /api/v1/reports/reconciliation."""

from typing import Any

from rewards_service.accounts.auth import current_actor
from rewards_service.kit import bells
from rewards_service.kit.lists import ListQuery, page_answer, paging
from rewards_service.kit.queue import RECONCILIATIONS
from rewards_service.kit.web import Resource, current_session, path_key
from rewards_service.reconciliation import service
from rewards_service.reconciliation.schemas import (
    DifferencePageSchema,
    ReconcileSchema,
    ReconciliationPageSchema,
    ReconciliationQuerySchema,
    ReconciliationSchema,
)
from rewards_service.reconciliation.showing import show_row, show_runs

blueprint = Resource("reconciliation", "What is held here, compared with Chargebee")

READ, WRITE = "integrations:read", "integrations:write"
REPORT = "/reports/reconciliation"


@blueprint.operation(
    "POST", "/integrations/<integration_id>/reconcile", scope=WRITE, body=ReconcileSchema,
    answer=ReconciliationSchema, status=202,
)  # fmt: skip
def reconcile(body: dict[str, Any], integration_id: str) -> Any:
    """Have a worker compare the site with what is held here, and repair what is safe if asked to.

    The report is at /reports/reconciliation/{id}; it is done when its state says so.
    """
    session = current_session()
    run = service.ask(session, path_key("int", integration_id), current_actor(), **body)
    bells.ring(RECONCILIATIONS)
    return show_runs(session, [run])[0]


@blueprint.operation(
    "GET", REPORT, scope=READ, query=ReconciliationQuerySchema, answer=ReconciliationPageSchema
)
def list_reconciliations(query: dict[str, Any]) -> Any:
    """List comparisons, those of the nights too, with their counts and sums."""
    session = current_session()
    page = service.list_runs(session, paging(query), query.get("integration_id"))
    return page_answer(query, page, show_runs(session, [row[0] for row in page.rows]))


@blueprint.operation(
    "GET", f"{REPORT}/<reconciliation_id>", scope=READ, answer=ReconciliationSchema
)
def get_reconciliation(reconciliation_id: str) -> Any:
    """Get one comparison."""
    session = current_session()
    return show_runs(session, [service.get_run(session, path_key("rec", reconciliation_id))])[0]


@blueprint.operation(
    "GET", f"{REPORT}/<reconciliation_id>/differences", scope=READ, query=ListQuery,
    answer=DifferencePageSchema,
)  # fmt: skip
def list_differences(query: dict[str, Any], reconciliation_id: str) -> Any:
    """List the objects in which the two sides differ."""
    session = current_session()
    run = service.get_run(session, path_key("rec", reconciliation_id))
    page = service.list_rows(session, run.id, paging(query))
    return page_answer(query, page, [show_row(row[0]) for row in page.rows])
