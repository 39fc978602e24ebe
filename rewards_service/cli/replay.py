"""`rewards replay`: rebuild every reward from the event log, and compare."""

import sys
from collections.abc import Iterator
from typing import Any

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.cli.answers import answer, as_json_option
from rewards_service.cli.databases import migrated, start
from rewards_service.inbox.models import ReceivedEvent
from rewards_service.kit import ids
from rewards_service.kit.errors import NotFound
from rewards_service.kit.money import format_minor
from rewards_service.replay.service import Outcome
from rewards_service.replay.service import replay as rebuild
from rewards_service.webhooks.workbench import replay_event

SHOWN = 50


@click.command()
@click.option("--verify", is_flag=True, help="Compare with the live rewards and list differences.")
@click.option("--event", metavar="ID", help="Show what handling one event again would change.")
@as_json_option
def replay(verify: bool, event: str | None, as_json: bool) -> None:
    """Rebuild every reward from the event log, in order, in a scratch schema.

    The live tables are only read; the service may run meanwhile. With --event nothing is kept
    either. Exit status 1 when there is any difference.
    """
    if verify and event:
        raise click.UsageError("--verify is about all events, --event about one.")
    with migrated(start()) as engine:
        if event:
            with Session(engine) as session:
                found = _try_event(session, event)
            ok = not found["rewards"] and found["before"] == found["after"]
            answer(as_json, {"ok": ok, **found}, _event_lines(found))
        else:
            outcome = rebuild(engine, verify, _progress)
            click.echo("", err=True)
            ok = outcome.ok
            answer(as_json, _rendered(outcome, verify), _lines(outcome, verify))
    if not ok:
        sys.exit(1)


def _progress(events: int) -> None:
    click.echo(f"\r{events} events", err=True, nl=False)


def _rendered(outcome: Outcome, verify: bool) -> dict[str, Any]:
    rendered: dict[str, Any] = {
        "ok": outcome.ok,
        "events": outcome.events,
        "rewards": outcome.rewards,
        "due": outcome.due,
        "totals": outcome.totals,
    }
    if verify:
        rendered |= {"count": outcome.count, "differences": outcome.differences}
    return rendered


def _lines(outcome: Outcome, verify: bool) -> Iterator[str]:
    yield f"Rebuilt {outcome.rewards} rewards from {outcome.events} events."
    for total in outcome.totals:
        amount = format_minor(total["amount_minor"], total["currency"])
        yield f"  {total['status']:<10} {amount:>20}"
    if outcome.due:
        yield f"{outcome.due} invoices are still to be calculated: run `rewards drain`, then again."
    if not verify:
        return
    for difference in outcome.differences[:SHOWN]:
        yield f"DIFFERS  {difference['kind']:<12} {_spelled(difference['key'])}"
        yield f"           live      {_spelled(difference['live'])}"
        yield f"           replayed  {_spelled(difference['replayed'])}"
    if outcome.count > SHOWN:
        yield f"         ... and {outcome.count - SHOWN} more"
    yield f"{outcome.count} differences." if outcome.count else "No difference."


def _spelled(members: Any) -> str:
    if members is None:
        return "not there"
    if isinstance(members, dict):
        return ", ".join(f"{name} {value}" for name, value in members.items())
    return str(members)


def _try_event(session: Session, event: str) -> dict[str, Any]:
    """What handling an event again would change. Raises NotFound, EventPending."""
    key = ids.decode("evt", event)
    query = select(ReceivedEvent.id, ReceivedEvent.event_id)
    by_key = ReceivedEvent.id == key if key else ReceivedEvent.event_id == event
    row = session.execute(query.where(by_key).limit(1)).first()
    if row is None:
        raise NotFound(f"There is no event {event}: give its id here (evt_...) or at Chargebee.")
    done = replay_event(session, row.id, dry_run=True)
    names = ("state", "outcome", "error")
    return {
        "event": ids.encode("evt", row.id),
        "event_id": row.event_id,
        "before": {name: done.before[name] for name in names},
        "after": {name: done.after[name] for name in names},
        "rewards": [
            {
                "partner_id": ids.encode("par", change.partner_id),
                "chargebee_invoice_id": change.chargebee_invoice_id,
                "amount_minor": change.amount_minor,
                "currency": change.currency,
            }
            for change in done.changes
        ],
    }


def _event_lines(found: dict[str, Any]) -> Iterator[str]:
    yield f"{found['event']} ({found['event_id']}), if it were handled again:"
    yield f"  now   {_spelled(found['before'])}"
    yield f"  then  {_spelled(found['after'])}"
    for change in found["rewards"]:
        amount = format_minor(change["amount_minor"], change["currency"])
        yield f"  {change['partner_id']}  {change['chargebee_invoice_id']}  {amount}"
    yield "Nothing was kept."
