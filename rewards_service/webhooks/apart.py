"""Which events of a batch have nothing to do with each other (pure, DOMAIN V10).

Rules that count depend on what the books knew when an event was handled. Events that are handled
together must come to what they would have come to one after the other: so no two of them may be
about the same payment, invoice or note, nor about the same customer or payer's address, unless they
are payments of one payer that come as they were made.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from rewards_service.chargebee.events import Reading
from rewards_service.chargebee.resources import (
    CREDIT_NOTE,
    CUSTOMER,
    INVOICE,
    MONEY,
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


_PEOPLE = (CUSTOMER, EMAIL)


class Paid(NamedTuple):
    """When a payment was made, and everybody its event names."""

    at: datetime
    by: frozenset[Thing]


def payer_of(reading: Reading, things: Iterable[Thing]) -> Paid | None:
    """Who made the payment that an event is about; None for other events."""
    if reading.payment is None:
        return None
    people = frozenset(thing for thing in things if thing[1] in _PEOPLE)
    return Paid(reading.payment.paid_at, people)


def things_of(site: int, reading: Reading) -> set[Thing]:
    """Everything that an event is about, as far as its body names it."""
    # No reward hangs on subscriptions or on what is sold, which many payments carry alike.
    money = (item for item in reading.objects if item.kind in MONEY)
    found = {thing for item in money for thing in _named(site, item)}
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


def runs(
    events: Iterable[Any],
    things: Mapping[int, set[Thing]],
    payers: Mapping[int, Paid | None],
) -> Iterator[Sequence[Any]]:
    """Events (with `id`) in their order, cut before each that is about what another was about.

    things, payers: by event, as `things_of` and `payer_of` tell them.
    """
    run: list[Any] = []
    seen: dict[Thing, Paid | None] = {}
    for event in events:
        paid = payers.get(event.id)
        if any(not _goes_with(seen[one], paid, one) for one in things[event.id] & seen.keys()):
            yield run
            run, seen = [], {}
        run.append(event)
        seen.update(dict.fromkeys(things[event.id], paid))
    if run:
        yield run


def _goes_with(before: Paid | None, paid: Paid | None, thing: Thing) -> bool:
    if before is None or paid is None or thing[1] not in _PEOPLE:
        return False
    return before.by == paid.by and before.at <= paid.at
