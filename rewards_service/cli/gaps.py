"""`rewards gaps`: what the webhook missed."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import click

from rewards_service.cli.answers import answer, as_json_option
from rewards_service.cli.databases import snapshot, start
from rewards_service.cli.integrations import find_integration, integration_option
from rewards_service.kit.clock import utc_now
from rewards_service.polling.gaps import PERIODS, gap_report
from rewards_service.polling.schemas import GapReportSchema

SHOWN = 20


@click.command()
@integration_option
@click.option("--days", type=click.IntRange(1, 3650), default=7, show_default=True)
@click.option("--by", type=click.Choice(list(PERIODS)), default="day", show_default=True)
@as_json_option
def gaps(integration: str, days: int, by: str, as_json: bool) -> None:
    """Show which events only Chargebee's event log brought, or the webhook too late."""
    with snapshot(start()) as session:
        found = find_integration(session, integration)
        report = gap_report(session, found, utc_now() - timedelta(days=days), by=by)
        rendered = GapReportSchema().dump(report)
    answer(as_json, rendered, _lines(rendered))


def _lines(report: Mapping[str, Any]) -> Iterator[str]:
    webhook = report["webhook"]
    yield f"The webhook last brought something: {webhook['last_at'] or 'never'}"
    if webhook["silent_since"]:
        yield f"It is silent since {webhook['silent_since']}, and the log had events since."
    totals = report["totals"]
    yield f"{totals['missed']} missed, {totals['late']} late, {totals['expected']} expected"
    for period in report["periods"]:
        yield (
            f"  {period['period']:<20} {period['missed']:>6} missed {period['late']:>6} late "
            f"{period['expected']:>6} expected"
        )
    for event in report["events"][:SHOWN]:
        yield f"  {event['occurred_at']}  {event['event_type']}  {event['event_id']}"
    if totals["missed"] > SHOWN:
        yield f"  ... and {totals['missed'] - SHOWN} more: GET /api/v1/events?source=poll"
