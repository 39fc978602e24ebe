"""`rewards poll`: read Chargebee's event log now."""

import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import click
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from rewards_service.cli.answers import answer, as_json_option
from rewards_service.cli.databases import migrated, reading, start
from rewards_service.cli.integrations import find_integration, integration_option
from rewards_service.kit.clock import rfc3339
from rewards_service.polling.jobs import read_log
from rewards_service.polling.reading import PollReport, shown
from rewards_service.polling.schemas import PollReportSchema
from rewards_service.polling.service import PollRunning
from rewards_service.settings import Settings

PAUSE_SECONDS = 0.5
TIME = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"])


@click.command()
@integration_option
@click.option(
    "--since",
    type=TIME,
    help="Begin there (UTC), if the last reading ended later: after a restored backup, say.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0),
    default=300.0,
    show_default=True,
    metavar="S",
    help="Wait so long for another process that is reading this log.",
)
@as_json_option
def poll(integration: str, since: datetime | None, timeout: float, as_json: bool) -> None:
    """Read Chargebee's event log and record what the webhook did not bring.

    The workers do so every five minutes. What is recorded is handled like any other event: by a
    worker, or by `rewards drain`. Exit status 1 when Chargebee cannot be asked or refuses; what was
    read until then is kept, and the next reading goes on from there.
    """
    settings = start()
    with migrated(settings) as engine:
        with Session(reading(engine)) as session:
            key = find_integration(session, integration).id
        begin_at = since and since.replace(tzinfo=UTC)
        report = _read(engine, settings, key, begin_at, time.monotonic() + timeout)
    answer(as_json, _rendered(report), _lines(report))
    if report.problem is not None:
        sys.exit(1)


def _read(
    engine: Engine, settings: Settings, key: int, since: datetime | None, until: float
) -> PollReport:
    while True:
        try:
            return read_log(engine, settings, key, since=since)
        except PollRunning:
            if time.monotonic() >= until:
                raise
        time.sleep(PAUSE_SECONDS)


def _rendered(report: PollReport) -> dict[str, Any]:
    problem = report.problem
    return {
        "ok": problem is None,
        **PollReportSchema().dump(shown(report)),
        "problem": problem and {"code": problem.code, "detail": problem.detail},
    }


def _lines(report: PollReport) -> Iterator[str]:
    yield f"Read from {rfc3339(report.first_at)} on: {report.read} events, {len(report.new)} new."
    if report.unreadable:
        yield f"{report.unreadable} entries of the log are no events and were left out."
    if report.may_miss:
        yield (
            "This began more than 90 days ago, and Chargebee may have forgotten events of then: "
            "compare the books with `rewards reconcile`."
        )
    if report.problem is not None:
        yield f"It broke off: {report.problem.detail}"
