"""Which events of a batch have nothing to do with each other (pure, DOMAIN V10).

Rules that count depend on what the books knew when an event was handled. Events that are handled
together must come to what they would have come to one after the other: so no two of them may be
about the same payment, invoice, note, customer or payer's address.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rewards_service.chargebee.events import Reading
from rewards_service.chargebee.resources import (
    CREDIT_NOTE,
    CUSTOMER,
    INVOICE,
    TRANSACTION,
    Mirrored,
)

Thing = tuple[int, str, str]  # (integration, kind, id); addresses are of no integration: 0
EMAIL = "email"
_NAMED_BY = {
    "customer_id": CUSTOMER,
    "parent_id": CUSTOMER,
    "root_id": CUSTOMER,
    "invoice_id": INVOICE,
    "source_id": TRANSACTION,
}


def things_of(site: int, reading: Reading) -> set[Thing]:
    """Everything that an event is about, as far as its body names it."""
    found = {thing for item in reading.objects for thing in _named(site, item)}
    payment = reading.payment
    if payment is not None:
        found |= {
            (site, TRANSACTION, payment.transaction_id),
            (site, CUSTOMER, payment.customer_id),
        }
        if payment.email_key is not None:
            found.add((0, EMAIL, payment.email_key))
    return found


def _named(site: int, item: Mirrored) -> Iterator[Thing]:
    yield site, item.kind, item.external_id
    for column, kind in _NAMED_BY.items():
        if item.columns.get(column):
            yield site, kind, item.columns[column]
    for invoice_id, _ in item.applications:
        yield site, INVOICE, invoice_id
    for note_id, noted_invoice_id, _ in item.refund_notes:
        yield site, CREDIT_NOTE, note_id
        if noted_invoice_id:
            yield site, INVOICE, noted_invoice_id
    for note_id in item.credits:
        yield site, CREDIT_NOTE, note_id


def runs(events: Iterable[Any], things: Mapping[int, set[Thing]]) -> Iterator[Sequence[Any]]:
    """Events (with `id`) in their order, cut before each that is about what another was about."""
    run: list[Any] = []
    seen: set[Thing] = set()
    for event in events:
        if run and not seen.isdisjoint(things[event.id]):
            yield run
            run, seen = [], set()
        run.append(event)
        seen |= things[event.id]
    if run:
        yield run
