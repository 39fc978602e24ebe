"""What follows from a batch of events: mirrored, matched, recorded, due, and an outcome for each.

The same path for one event and for five hundred, for live traffic and for history. Everything a
batch does is one transaction; the caller commits it (DOMAIN V9).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from rewards_service.chargebee.events import Reading, read_event
from rewards_service.crm.matching import Claim
from rewards_service.inbox import service as inbox
from rewards_service.inbox.models import REFUSED
from rewards_service.inbox.service import Ending
from rewards_service.inbox.verification import FAILED
from rewards_service.integrations.models import Integration, IntegrationOptions
from rewards_service.integrations.options import Options
from rewards_service.kit.clock import utc_now
from rewards_service.kit.crash_points import crash_point
from rewards_service.transactions import service as transactions
from rewards_service.webhooks import strict_json
from rewards_service.webhooks.batch import AnyRow, Batch
from rewards_service.webhooks.handling import handle
from rewards_service.webhooks.observing import observe

OBSERVED_AT_ONCE = 50  # each is worked out by itself, and other writers must get in between


def process(
    session: Session,
    events: Sequence[AnyRow],
    held: Mapping[int, Claim] | None = None,
    known: Mapping[int, Reading] | None = None,
) -> Batch:
    """Do everything that follows from these events. The caller holds the events stage.

    held: claims that they left when they were handled before; known: as `read` takes it. Observed
    events beyond a number are put back, to be the first of the next batch.
    """
    batch = complete(session, read(session, events, held, known))
    crash_point("events.ended")
    transactions.mark_due(session, batch.due)
    crash_point("events.due_marked")
    return batch


def read(
    session: Session,
    events: Sequence[AnyRow],
    held: Mapping[int, Claim] | None = None,
    known: Mapping[int, Reading] | None = None,
) -> Batch:
    """What events say, and the endings of those that mean nothing to the books.

    known: what some of them say, by key, for whoever has read their bodies already.
    """
    batch = Batch(events, load_options(session, events), {}, held=dict(held or {}))
    for event in events:
        _read(batch, event, (known or {}).get(event.id))
    return batch


def complete(session: Session, batch: Batch) -> Batch:
    """Everything that follows from events that were read, but what is due is not marked yet."""
    # First, as long as this batch holds no locks that the other stage could wait for.
    for event in batch.observed[:OBSERVED_AT_ONCE]:
        batch.end(event, "observed", observed=observe(session, batch, event))
    inbox.put_back(session, [event.id for event in batch.observed[OBSERVED_AT_ONCE:]])
    handle(session, batch)
    crash_point("events.handled")
    _warn(session, batch)
    inbox.change_outcomes(session, batch.corrections.values())
    crash_point("events.corrected")
    inbox.finish(session, batch.endings.values(), utc_now())
    return batch


def load_options(session: Session, events: Sequence[AnyRow]) -> dict[int, Options]:
    """The options that events met when they came, by their key."""
    wanted = {event.options_id for event in events}
    query = select(IntegrationOptions).where(IntegrationOptions.id.in_(wanted))
    return {
        row.id: Options(
            row.convert_lead, row.associate_deal, row.create_transaction, row.mode, row.hierarchy,
            row.conflict,
        )
        for row in session.scalars(query)
    }  # fmt: skip


def read_body(event: AnyRow) -> Reading:
    """What the stored body of an event says."""
    return read_event(event.event_type, parse(event.body), len(event.body))


def _read(batch: Batch, event: AnyRow, known: Reading | None) -> None:
    """Read one event, unless its integration wanted nothing of it when it came (DOMAIN M12)."""
    options = batch.options_of(event)
    if options.all_off:
        batch.end(event, "all_off")
        return
    if event.verification == REFUSED:
        error = event.verification_note
        batch.endings[event.id] = Ending(event.id, FAILED, quarantined=True, error=error)
        return
    reading = read_body(event) if known is None else known
    batch.readings[event.id] = reading
    if reading.end is not None:
        batch.endings[event.id] = Ending(
            event.id, reading.end, quarantined=reading.quarantined, error=reading.detail
        )
    elif options.mode == "observe":
        batch.observed.append(event)
    else:
        batch.active.append(event)


def parse(body: bytes) -> Any:
    """A stored body as JSON."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:  # lone surrogates, which the door lets through
        return strict_json.parse(body)


def _warn(session: Session, batch: Batch) -> None:
    """Tell the integration what only its owner can mend: API v1, another site's payloads.

    `updated_at` stays: nobody changed it, and a change prepared by its owner is still good.
    """
    v1 = {e.integration_id for e in batch.events
          if e.id in batch.endings and batch.endings[e.id].outcome == "api_v1"}  # fmt: skip
    if v1:
        session.execute(
            update(Integration)
            .where(Integration.id.in_(v1))
            .values(api_v1_seen_at=utc_now(), updated_at=Integration.updated_at)
        )
    sites = {e.integration_id: batch.readings[e.id].site for e in batch.events
             if e.id in batch.readings and batch.readings[e.id].site}  # fmt: skip
    for integration_id, site in sites.items():
        session.execute(
            update(Integration)
            .where(Integration.id == integration_id, Integration.site != site)
            .values(other_site_seen=(site or "")[:100], updated_at=Integration.updated_at)
        )
