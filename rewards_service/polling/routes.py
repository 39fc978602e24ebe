"""/api/v1/integrations/{id}/poll and /gaps."""

from datetime import timedelta
from typing import Any

from rewards_service.integrations.service import get_integration
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import db
from rewards_service.kit.http import INTERACTIVE
from rewards_service.kit.web import Resource, current_session, current_settings, path_key
from rewards_service.polling.gaps import gap_report
from rewards_service.polling.jobs import read_log
from rewards_service.polling.reading import shown
from rewards_service.polling.schemas import (
    GapQuerySchema,
    GapReportSchema,
    PollOrderSchema,
    PollReportSchema,
)

blueprint = Resource("polling", "What Chargebee's event log brings that the webhook did not")

ONE = "/integrations/<integration_id>"
BUDGET_SECONDS = 4.0  # and the call at hand; the workers read the rest
WEEK = timedelta(days=7)


@blueprint.operation(
    "POST", f"{ONE}/poll", scope="integrations:write", body=PollOrderSchema,
    answer=PollReportSchema,
)  # fmt: skip
def poll_integration(body: dict[str, Any], integration_id: str) -> Any:
    """Read the site's event log now. With `complete` false the workers go on with it."""
    report = read_log(
        db.engine, current_settings(), path_key("int", integration_id),
        since=body.get("since"), budget=BUDGET_SECONDS, patience=INTERACTIVE,
    )  # fmt: skip
    if report.problem is not None:
        raise report.problem
    return shown(report)


@blueprint.operation(
    "GET", f"{ONE}/gaps", scope="integrations:read", query=GapQuerySchema, answer=GapReportSchema
)
def get_gaps(query: dict[str, Any], integration_id: str) -> Any:
    """Which events only the event log brought, or the webhook too late."""
    session = current_session()
    integration = get_integration(session, path_key("int", integration_id))
    to_at = query.get("occurred_before")
    from_at = query.get("occurred_from") or (to_at or utc_now()) - WEEK
    return gap_report(session, integration, from_at, to_at, query["by"])
