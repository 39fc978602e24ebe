"""What follows from a batch of events: mirrored, matched, recorded, due, and an outcome for each.

The same path for one event and for five hundred, for live traffic and for history. Everything a
batch does is one transaction; the caller commits it (DOMAIN V9).
"""

from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from rewards_service.chargebee.events import read_event
from rewards_service.inbox import service as inbox
from rewards_service.inbox.service import Ending
from rewards_service.integrations.models import Integration, IntegrationOptions
from rewards_service.integrations.options import Options
from rewards_service.kit.clock import utc_now
from rewards_service.mirror import queries as mirror_queries
from rewards_service.mirror import service as mirror
from rewards_service.transactions import queries as transaction_queries
from rewards_service.transactions import service as transactions
from rewards_service.webhooks import payments, reversals, strict_json
from rewards_service.webhooks.batch import AnyRow, Batch


def process(session: Session, events: Sequence[AnyRow]) -> Batch:
    """Do everything that follows from these events. The caller holds the events stage."""
    batch = Batch(events, _load_options(session, events), {})
    for event in events:
        _read(batch, event)
    changed = mirror.store(session, _received(batch))
    paid = payments.apply(session, batch, changed)
    reversals.apply(session, batch, paid)
    _mark_due(session, batch, changed, paid)
    for event in batch.active:
        if event.id not in batch.endings:
            batch.end(event, "mirrored")
    _warn(session, batch)
    inbox.change_outcomes(session, batch.corrections.values())
    inbox.finish(session, batch.endings.values(), utc_now())
    return batch


def _load_options(session: Session, events: Sequence[AnyRow]) -> dict[int, Options]:
    wanted = {event.options_id for event in events}
    query = select(IntegrationOptions).where(IntegrationOptions.id.in_(wanted))
    return {
        row.id: Options(
            row.convert_lead, row.associate_deal, row.create_transaction, row.mode, row.hierarchy,
            row.conflict,
        )
        for row in session.scalars(query)
    }  # fmt: skip


def _read(batch: Batch, event: AnyRow) -> None:
    """Read one event, unless its integration wanted nothing of it when it came (DOMAIN M12)."""
    options = batch.options_of(event)
    if options.all_off:
        batch.end(event, "all_off")
        return
    reading = read_event(event.event_type, _parse(event.body), len(event.body))
    batch.readings[event.id] = reading
    if reading.end is not None:
        batch.endings[event.id] = Ending(
            event.id, reading.end, quarantined=reading.quarantined, error=reading.detail
        )
    elif options.mode == "observe":
        batch.end(event, "observed")
    else:
        batch.active.append(event)


def _parse(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:  # lone surrogates, which the door lets through
        return strict_json.parse(body)


def _received(batch: Batch) -> list[mirror.Received]:
    return [
        mirror.Received(event.integration_id, event.id, event.occurred_at, item)
        for event in batch.active
        for item in batch.readings[event.id].objects
    ]


def _mark_due(session: Session, batch: Batch, changed: mirror.Changed, paid: payments.Paid) -> None:
    """Ask for rewards of every invoice that money of a recorded payment depends on."""
    cause = _causes(batch)
    invoices = set(changed.invoices)
    invoices |= set(mirror_queries.invoices_of_customers(session, changed.customers | paid.moved))
    linked = mirror_queries.applications_to(session, invoices)
    keys = {(row.integration_id, row.transaction_id) for row in linked}
    recorded = transaction_queries.by_chargebee_id(session, keys)
    due = {
        (row.integration_id, row.invoice_id)
        for row in linked
        if (row.integration_id, row.transaction_id) in recorded
    }
    due |= {(row.integration_id, row.invoice_id) for row in paid.applications}
    transactions.mark_due(session, {key: cause.get(key[0]) for key in due})


def _causes(batch: Batch) -> dict[int, int]:
    """The newest event of each integration: the cause that its postings will name."""
    return {event.integration_id: event.id for event in batch.active}


def _warn(session: Session, batch: Batch) -> None:
    """Tell the integration what only its owner can mend: API v1, another site's payloads."""
    v1 = {e.integration_id for e in batch.events
          if e.id in batch.endings and batch.endings[e.id].outcome == "api_v1"}  # fmt: skip
    if v1:
        session.execute(
            update(Integration).where(Integration.id.in_(v1)).values(api_v1_seen_at=utc_now())
        )
    sites = {e.integration_id: batch.readings[e.id].site for e in batch.events
             if e.id in batch.readings and batch.readings[e.id].site}  # fmt: skip
    for integration_id, site in sites.items():
        session.execute(
            update(Integration)
            .where(Integration.id == integration_id, Integration.site != site)
            .values(other_site_seen=(site or "")[:100])
        )
