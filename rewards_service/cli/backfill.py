"""`rewards backfill`: fetch the history of a site; preview and post rewards for it."""

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import click
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from rewards_service.cli.answers import answer, as_json_option
from rewards_service.cli.databases import migrated, reading, start
from rewards_service.history import service
from rewards_service.history.models import AT_WORK, DONE
from rewards_service.history.preview import Cost, preview
from rewards_service.history.routes import priced, shown
from rewards_service.history.running import go_on, lists_at_once, to_chargebee
from rewards_service.history.schemas import BackfillSchema, PastRewardsSchema
from rewards_service.integrations.models import Integration
from rewards_service.kit import ids
from rewards_service.kit.db import transaction
from rewards_service.kit.errors import NotFound
from rewards_service.kit.money import format_minor
from rewards_service.partners.models import Partner
from rewards_service.settings import Settings
from rewards_service.worker import spare_the_collector

ACTOR = "cli"
SLICE_SECONDS = 3_600.0
PAUSE_SECONDS = 0.5
Shown = dict[str, Any]
Show = Callable[[Mapping[str, Any]], None]


@click.command()
@click.option("--integration", required=True, metavar="ID", help="Its id (int_...) or its site.")
@click.option("--pause", "action", flag_value="pause", help="Have it rest where it is.")
@click.option("--status", "action", flag_value="status", help="Say how far it came.")
@click.option("--preview", "action", flag_value="preview", help="What rewards would cost.")
@click.option("--post", "action", flag_value="post", help="Make the rewards for the past.")
@as_json_option
def backfill(integration: str, action: str | None, as_json: bool) -> None:
    """Fetch the history of a Chargebee site: customers, catalogue, invoices, payments, refunds.

    It goes on where it was left, whatever ended it; Ctrl-C leaves the rest to the workers. No
    reward is made for the past, unless --post says so: see --preview first. Exit status 1 when it
    did not come to its end.
    """
    settings = start()
    with migrated(settings) as engine:
        key = _find(engine, integration)
        if action == "preview":
            cost = preview(engine, key, progress=_count)
            _end_of_count(cost.payments)
            rendered: Shown = PastRewardsSchema().dump(priced(key, cost))
            answer(as_json, rendered, _cost_lines(engine, cost))
            return
        begin = {None: service.begin, "post": service.begin_posting, "pause": service.pause}
        if action in begin:
            with transaction(engine) as session:
                begin[action](session, key, ACTOR)
        if action in (None, "post"):
            spare_the_collector()
            _work(engine, settings, key)
        state = _state(engine, key)
        rendered = BackfillSchema().dump(state)
        answer(as_json, rendered, _lines(state))
    if action in (None, "post") and state["state"] != DONE:
        sys.exit(1)


def _find(engine: Engine, text: str) -> int:
    key = ids.decode("int", text)
    query = select(Integration.id).where(Integration.deleted_at.is_(None))
    query = query.where(Integration.site == text if key is None else Integration.id == key)
    with Session(reading(engine)) as session:
        found = session.scalar(query)
    if found is None:
        raise NotFound(f"There is no integration {text}: give its id (int_...) or its site.")
    return found


def _state(engine: Engine, key: int) -> Shown:
    with Session(reading(engine)) as session:
        return shown(session, service.newest(session, key))


def _work(engine: Engine, settings: Settings, key: int) -> None:
    """Go on until it is over, rests or failed; while another process is at it, look on."""
    work = partial(
        go_on, engine, to_chargebee(settings), SLICE_SECONDS, at_once=lists_at_once(settings)
    )
    with _shown_on_terminal() as show:
        while True:
            with Session(reading(engine)) as session:
                found = service.newest(session, key)
                state, backfill_id, error = found.state, found.id, found.error
            if state not in AT_WORK or error:
                return
            if not work(backfill_id=backfill_id, told=show):
                show(_state(engine, key))
                time.sleep(PAUSE_SECONDS)


@contextmanager
def _shown_on_terminal() -> Iterator[Show]:
    """A bar for each list where somebody looks at it. Chargebee does not say how long lists are."""
    if not sys.stderr.isatty():
        yield lambda _shown: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description:<14}"), BarColumn(),
        TextColumn("{task.completed:>10,.0f} listed {task.fields[kept]:>10,} new"),
        TimeElapsedColumn(),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bars: dict[str, Any] = {}

        def show(state: Mapping[str, Any]) -> None:
            for one in state["lists"]:
                kind, listed = one["kind"], one["listed"]
                if kind not in bars:
                    name = f"{kind.replace('_', ' ')}s"
                    bars[kind] = progress.add_task(name, total=None, kept=0)
                total = max(listed, 1) if one["is_over"] else None
                done = total if one["is_over"] and not listed else listed
                progress.update(bars[kind], completed=done, total=total, kept=one["kept"])

        yield show


def _count(events: int) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r{events} events", err=True, nl=False)


def _end_of_count(events: int) -> None:
    if events and sys.stderr.isatty():
        click.echo("", err=True)


def _lines(state: Mapping[str, Any]) -> Iterator[str]:
    yield f"{'list':<14} {'listed':>10} {'new':>10} {'unreadable':>10}"
    for one in state["lists"]:
        rest = "" if one["is_over"] else "  (to be continued)"
        yield (
            f"{one['kind']:<14} {one['listed']:>10} {one['kept']:>10} {one['refused']:>10}{rest}"
        )
    if state["error"]:
        yield f"Stopped: {state['error']}"
    unposted = state["unposted_payments"]
    if unposted is None:
        yield f"{state['state']}; it is not complete."
        return
    yield f"{state['state']}; {unposted} payments of the past are not on the event log."
    if unposted:
        yield "See what they would cost: --preview. Make them: --post."


def _cost_lines(engine: Engine, cost: Cost) -> Iterator[str]:
    with Session(reading(engine)) as session:
        wanted = {partner for partner, _ in cost.partners}
        query = select(Partner.id, Partner.name).where(Partner.id.in_(wanted))
        names = {row.id: row.name for row in session.execute(query)}
    yield f"{cost.payments} payments of the past, {cost.recorded} of them of known customers:"
    for (partner, currency), (rewards, amount) in cost.partners.items():
        yield f"  {names[partner]:<32} {rewards:>8} {format_minor(amount, currency):>20}"
    for currency, amount in cost.totals.items():
        yield f"  {'all partners':<32} {'':>8} {format_minor(amount, currency):>20}"
    if cost.quarantined:
        yield f"{cost.quarantined} events would end in quarantine, for a person to look at."
    yield "Nothing was kept. Make the rewards with --post."
