"""`rewards purge`: what was kept long enough goes."""

from dataclasses import asdict

import click

from rewards_service.cli.answers import answer, as_json_option
from rewards_service.cli.databases import migrated, start
from rewards_service.kit.clock import utc_now
from rewards_service.outbound import jobs as outbound
from rewards_service.retention import purging


@click.command()
@click.option("--days", type=click.IntRange(1, 3650), help="Instead of RETAIN_BODIES_DAYS.")
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@as_json_option
def purge(days: int | None, dry_run: bool, as_json: bool) -> None:
    """Throw away bodies of events, sessions and deliveries that were kept long enough.

    The scheduler does the same every day. Of an event the hash and all that followed stay; it is
    known as a duplicate for ever. What waits, is quarantined or dead keeps its body.
    """
    settings = start()
    kept_days = days or settings.retain_bodies_days
    with migrated(settings) as engine:
        found = purging.purge(engine, kept_days, utc_now(), dry_run)
        deliveries = 0
        while not dry_run and (some := outbound.keep(engine, settings)):
            deliveries += some
    verb = "would go" if dry_run else "are gone"
    lines = [
        f"{found.bodies} bodies of events and {found.sessions} sessions {verb}"
        + ("." if dry_run else f", {deliveries} deliveries."),
        *([f"{found.kept} old events are not done: they keep theirs."] if found.kept else []),
        *([] if kept_days else ["RETAIN_BODIES_DAYS is 0: bodies are kept. Try --days."]),
    ]
    answer(
        as_json,
        {"dry_run": dry_run, "days": kept_days, **asdict(found), "deliveries": deliveries},
        lines,
    )
