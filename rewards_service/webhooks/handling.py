"""What follows from events that may touch the books: mirrored, matched, recorded, and what is due.

For a batch of the pipeline, for one event again, and for a rehearsal: the same path.
"""

from sqlalchemy.orm import Session

from rewards_service.kit.crash_points import crash_point
from rewards_service.mirror import queries as mirror_queries
from rewards_service.mirror import service as mirror
from rewards_service.mirror.children import Received
from rewards_service.mirror.queries import Key
from rewards_service.transactions import queries as transaction_queries
from rewards_service.webhooks import payments, reversals
from rewards_service.webhooks.batch import Batch
from rewards_service.webhooks.payments import Paid


def handle(session: Session, batch: Batch) -> None:
    """Do all that follows from the active events of a batch, but end none of them.

    What their endings are, which earlier endings to correct and which rewards are due stands in
    the batch afterwards.
    """
    changed = mirror.store(session, _received(batch))
    crash_point("events.mirrored")
    paid = payments.apply(session, batch, changed)
    crash_point("events.payments_applied")
    reversals.apply(session, batch, paid)
    crash_point("events.reversals_applied")
    cause = _causes(batch)
    due = due_invoices(session, changed.invoices, changed.customers, paid)
    batch.due = {key: cause.get(key[0]) for key in due}
    for event in batch.active:
        if event.id not in batch.endings:
            batch.end(event, "mirrored")


def due_invoices(session: Session, invoices: set[Key], customers: set[Key], paid: Paid) -> set[Key]:
    """Every invoice that money of a recorded payment may have to do with, of what changed."""
    invoices = set(invoices)
    invoices |= set(mirror_queries.invoices_of_customers(session, customers | paid.moved))
    linked = mirror_queries.applications_to(session, invoices)
    keys = {(row.integration_id, row.transaction_id) for row in linked}
    recorded = transaction_queries.by_chargebee_id(session, keys)
    due = {
        (row.integration_id, row.invoice_id)
        for row in linked
        if (row.integration_id, row.transaction_id) in recorded
    }
    due |= {(row.integration_id, row.invoice_id) for row in paid.applications}
    return due | _credited(session, due, invoices)


def _credited(session: Session, due: set[Key], invoices: set[Key]) -> set[Key]:
    """Where credit notes brought the money of voided invoices, and where it came from."""
    found = mirror_queries.paid_by_credit(session, mirror_queries.notes_about(session, due))
    credits = mirror_queries.credits_to(session, invoices)
    notes = {(row.integration_id, row.note_id) for rows in credits.values() for row in rows}
    sources = mirror_queries.credit_notes(session, notes) if notes else {}
    found |= {(key[0], note.invoice_id) for key, note in sources.items() if note.invoice_id}
    return found | credits.keys()


def _received(batch: Batch) -> list[Received]:
    return [
        Received(event.integration_id, event.id, item.changed_at or event.occurred_at, item)
        for event in batch.active
        for item in batch.readings[event.id].objects
    ]


def _causes(batch: Batch) -> dict[int, int]:
    """The newest event of each integration: the cause that its postings will name."""
    return {event.integration_id: event.id for event in batch.active}
