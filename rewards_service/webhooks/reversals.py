"""Events that take money back: answered by whether the payment they mean is recorded.

The money itself follows from the mirror; here is only what each event says it did. An event that
came before its payment is parked and answered anew when the payment comes (DOMAIN M15), and again
should the payment turn out to be nobody's (M17).
"""

from collections.abc import Iterable

from sqlalchemy.orm import Session

from rewards_service.chargebee.resources import INVOICE, TRANSACTION
from rewards_service.inbox import queries as inbox_queries
from rewards_service.inbox import service as inbox
from rewards_service.mirror import queries as mirror
from rewards_service.mirror.queries import Key
from rewards_service.transactions import queries as transactions
from rewards_service.webhooks.batch import Batch
from rewards_service.webhooks.payments import Paid

REVERSED = "reversed"
PARKED = "parked_missing_parent"
MIRRORED = "mirrored"
_MISSING = {TRANSACTION: PARKED, INVOICE: MIRRORED}  # by what is meant: it paid nothing known


def apply(session: Session, batch: Batch, paid: Paid) -> None:
    """Answer the batch's own reversals, then wake those that waited for its payments."""
    _answer(session, batch)
    wake(session, batch, paid)


def _answer(session: Session, batch: Batch) -> None:
    asking = [
        (event, *meant)
        for event in batch.active
        if (meant := batch.readings[event.id].takes_back) is not None
        and batch.options_of(event).create_transaction
    ]
    wanted = {(e.integration_id, name) for e, kind, name in asking if kind == TRANSACTION and name}
    voided = {(e.integration_id, name) for e, kind, name in asking if kind == INVOICE and name}
    parents = {
        TRANSACTION: {k: r.id for k, r in transactions.by_chargebee_id(session, wanted).items()},
        INVOICE: _paid_by(session, voided),
    }
    for event, kind, name in asking:
        parent = parents[kind].get((event.integration_id, name or ""))
        if parent is not None:
            batch.end(event, REVERSED, transaction_id=parent)
        else:
            batch.end(event, _MISSING[kind])
    inbox.point(session, [(e.id, e.integration_id, kind, name) for e, kind, name in asking if name])


def _paid_by(session: Session, invoices: set[Key]) -> dict[Key, int]:
    """Invoice -> a recorded transaction that ever paid it."""
    applied = mirror.applications_to(session, invoices)
    keys = {(row.integration_id, row.transaction_id) for row in applied}
    recorded = transactions.by_chargebee_id(session, keys)
    found: dict[Key, int] = {}
    for row in sorted(applied, key=lambda row: str(row.transaction_id), reverse=True):
        held = recorded.get((row.integration_id, row.transaction_id))
        if held is not None:
            found[(row.integration_id, row.invoice_id)] = held.id
    return found


def wake(session: Session, batch: Batch, paid: Paid) -> None:
    """Answer anew what means a payment that is recorded now, or withdrawn now."""
    recorded: dict[Key, int | None] = {**dict.fromkeys(paid.gone), **paid.recorded}
    for event_id, key in _pointing(session, TRANSACTION, recorded.keys()):
        _correct(batch, event_id, TRANSACTION, recorded[key])
    invoices = {(row.integration_id, row.invoice_id) for row in paid.applications}
    voided = _pointing(session, INVOICE, invoices)
    paid_by = _paid_by(session, {key for _, key in voided})
    for event_id, key in voided:
        _correct(batch, event_id, INVOICE, paid_by.get(key))


def _pointing(session: Session, kind: str, keys: Iterable[Key]) -> list[tuple[int, Key]]:
    return [
        (row.received_event_id, (site, row.external_id))
        for site, names in mirror.by_site(keys).items()
        for row in inbox_queries.pointing_to(session, site, kind, names)
    ]


def _correct(batch: Batch, event_id: int, kind: str, parent: int | None) -> None:
    outcome = _MISSING[kind] if parent is None else REVERSED
    batch.correct(event_id, outcome, transaction_id=parent)
