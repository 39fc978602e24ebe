"""`rewards reconcile`: compare a site with what is held here, and say what differs and why."""

import math
import sys
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import click
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from rewards_service.cli.answers import answer, as_json_option
from rewards_service.cli.databases import migrated, reading, start
from rewards_service.cli.drain import work_off
from rewards_service.cli.integrations import find_integration, integration_option
from rewards_service.kit.db import transaction
from rewards_service.kit.money import format_minor
from rewards_service.reconciliation import jobs, service
from rewards_service.reconciliation.models import DONE, Reconciliation, ReconciliationRow
from rewards_service.reconciliation.reasons import EQUAL, STATES
from rewards_service.reconciliation.schemas import DifferenceSchema, ReconciliationSchema
from rewards_service.reconciliation.showing import show_row, show_runs
from rewards_service.reconciliation.sites import Sites

DAY = click.DateTime(["%Y-%m-%d"])
ACTOR = "cli"
SHOWN = 50
DRAIN_SECONDS = 600.0


@click.command()
@integration_option
@click.option("--from", "from_on", type=DAY, help="First day of the objects' dates, in UTC.")
@click.option("--to", "to_on", type=DAY, help="Last day. Both left out: everything.")
@click.option("--repair", is_flag=True, help="Mend what is safe, then compare again.")
@as_json_option
def reconcile(
    integration: str, from_on: datetime | None, to_on: datetime | None, repair: bool, as_json: bool
) -> None:
    """Compare Chargebee's payments, refunds, reversals and credit notes with ours.

    Each difference comes with its reason and what mends it; sums are by currency. Repairs are made
    by events only: the log of events is read again, what it does not tell is asked for. The report
    is kept. Exit status 1 when anything differs.
    """
    settings = start()
    period = {"from_on": from_on and from_on.date(), "to_on": to_on and to_on.date()}
    with migrated(settings) as engine:
        with Session(reading(engine)) as session:
            key = find_integration(session, integration).id
        sites = Sites(settings)
        run = _compare(engine, sites, key, repair=repair, **period)
        repaired = run.repaired
        if repaired:
            work_off(engine, settings, DRAIN_SECONDS)
            run = _compare(engine, sites, key, **period)
        with Session(reading(engine)) as session:
            value = _report(session, run, repaired)
    answer(as_json, value, _lines(value))
    if not value["ok"]:
        sys.exit(1)


def _compare(engine: Engine, sites: Sites, integration_id: int, **wanted: Any) -> Reconciliation:
    """A finished comparison of now. Raises ClickException when Chargebee could not be asked."""
    with transaction(engine) as session:
        run = service.take(session, service.ask(session, integration_id, ACTOR, **wanted).id)
    if run is None:
        raise click.ClickException("Another process took this comparison over.")
    jobs.go_on(engine, sites, run, math.inf)
    with Session(reading(engine), expire_on_commit=False) as session:
        run = service.get_run(session, run.id)
    if run.state != DONE:
        raise click.ClickException(run.error or "Another process goes on with this comparison.")
    return run


def _report(
    session: Session, run: Reconciliation, repaired: dict[str, int] | None
) -> dict[str, Any]:
    row = ReconciliationRow
    query = select(row).where(row.reconciliation_id == run.id).order_by(row.id)
    shown = ReconciliationSchema().dump(show_runs(session, [run])[0])
    differences = DifferenceSchema(many=True).dump(
        [show_row(one) for one in session.scalars(query)]
    )
    return {**shown, "repaired": repaired, "differences": differences}


def _lines(value: dict[str, Any]) -> Iterator[str]:
    yield f"{value['site']}: {value['from_at'] or 'the beginning'} to {value['before_at'] or 'now'}"
    for line in value["sums"]:
        currency = line["currency"]
        there, here = (format_minor(line[f"{side}_minor"], currency) for side in ("there", "here"))
        counts = f"{line['there_count']} there, {line['here_count']} here"
        mark = "" if line["difference_minor"] == 0 else "  DIFFERS"
        yield f"  {line['line']:<17} {there:>20} there {here:>20} here  ({counts}){mark}"
    for one in value["differences"][:SHOWN]:
        state = one["state"].upper().replace("_", " ")
        name = f"{one['object']} {one['chargebee_id']}"
        yield f"{state:<14} {name}: {one['text']} ({one['repair']})"
        for member in one["differences"]:
            yield f"{'':<14} {member['field']}: {member['there']} there, {member['here']} here"
    differing = sum(value["counts"][state] for state in STATES if state != EQUAL)
    if differing > SHOWN:
        yield f"... and {differing - SHOWN} more"
    if value["repaired"]:
        done = ", ".join(f"{count} by {name}" for name, count in value["repaired"].items())
        yield f"Repaired: {done}."
    yield f"{value['counts'][EQUAL]} equal, {differing or 'no'} difference{'s' * (differing > 1)}."
