"""What transactions have to do with invoices, credit notes and each other (pure)."""

from rewards_service.chargebee import wire
from rewards_service.chargebee.wire import BadPayload, Payload


def source(payload: Payload, at: str) -> str | None:
    """The payment that a refund or reversal takes back; offline refunds name it differently."""
    refunded = wire.optional_id(payload, "refunded_txn_id", at)
    return refunded or wire.optional_id(payload, "reference_transaction_id", at)


def applications(payload: Payload, amount: int, at: str) -> list[tuple[str, int]]:
    """What the payment applied to which invoice; never more than it brought (M18)."""
    applied: dict[str, int] = {}
    for position, link in enumerate(wire.objects(payload, "linked_invoices", at)):
        where = f"{at}/linked_invoices/{position}"
        invoice_id = wire.required_id(link, "invoice_id", where)
        share = wire.required_amount(link, "applied_amount", where)
        applied[invoice_id] = applied.get(invoice_id, 0) + share
    if sum(applied.values()) > amount:
        raise BadPayload(f"{at}/linked_invoices", "apply more than the payment's amount")
    return list(applied.items())


def refund_notes(payload: Payload, at: str) -> list[tuple[str, str | None, int]]:
    """How much of a refund belongs to which note and invoice: (note, invoice, minor units)."""
    notes: dict[str, tuple[str | None, int]] = {}
    for position, link in enumerate(wire.objects(payload, "linked_credit_notes", at)):
        where = f"{at}/linked_credit_notes/{position}"
        note_id = wire.required_id(link, "cn_id", where)
        invoice_id = wire.optional_id(link, "cn_reference_invoice_id", where)
        share = wire.optional_amount(link, "applied_amount", where)
        notes[note_id] = (invoice_id, notes.get(note_id, (None, 0))[1] + share)
    return [(note_id, invoice_id, share) for note_id, (invoice_id, share) in notes.items()]
