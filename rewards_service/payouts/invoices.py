"""Invoices that partners write for their payouts."""

from hashlib import sha256

from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from rewards_service.audit.service import record
from rewards_service.kit.errors import NotFound
from rewards_service.kit.refusals import invalid_member
from rewards_service.payouts import queries
from rewards_service.payouts.models import OPEN_STATUSES, Payout, PayoutInvoice
from rewards_service.payouts.service import PayoutWrongStatus

# A body of the API holds 1 MiB; base64 and the rest of it need their share.
MAX_DOCUMENT = 640 * 1024
# What a file of each kind begins with: a document is what it says it is.
SIGNATURES = {
    "application/pdf": b"%PDF-",
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/jpeg": b"\xff\xd8\xff",
}


def attach(
    session: Session, payout_id: int, number: str, document: tuple[str, bytes] | None, actor: str
) -> Payout:
    """Note the number of a partner's invoice, and keep its document = (media type, bytes).

    A later one takes its place, the former stays on record; the same one again changes nothing.
    Raises NotFound; PayoutWrongStatus once the payout is paid or cancelled; Unprocessable for a
    document that is too large or not of its type.
    """
    payout = queries.get_payout(session, payout_id, lock=True)
    if payout.status not in OPEN_STATUSES:
        raise PayoutWrongStatus(f"The payout is {payout.status}: it takes no invoice any more.")
    media_type, content = document or (None, None)
    if media_type is not None and content is not None:
        _check(media_type, content)
    digest = None if content is None else sha256(content).hexdigest()
    newest = queries.newest_invoice(session, payout_id)
    if newest is not None and (newest.number, newest.sha256) == (number, digest):
        return payout
    session.add(
        PayoutInvoice(
            payout_id=payout_id, number=number, media_type=media_type, sha256=digest,
            content=content, actor=actor,
        )
    )  # fmt: skip
    payout.invoice_number = number
    session.flush()
    detail = {"document_sha256": digest}
    record(session, "payout.invoice_attached", ("payout", payout.id), detail, actor)
    return payout


def get_document(session: Session, payout_id: int) -> PayoutInvoice:
    """The newest invoice with a document, and the document. Raises NotFound."""
    queries.get_payout(session, payout_id)
    query = (
        select(PayoutInvoice)
        .where(PayoutInvoice.payout_id == payout_id, PayoutInvoice.sha256.is_not(None))
        .order_by(PayoutInvoice.id.desc())
        .limit(1)
        .options(undefer(PayoutInvoice.content))
    )
    found = session.scalars(query).first()
    if found is None:
        raise NotFound("This payout has no invoice document.")
    return found


def _check(media_type: str, content: bytes) -> None:
    if len(content) > MAX_DOCUMENT:
        raise invalid_member("document", f"Larger than {MAX_DOCUMENT // 1024} KiB.")
    if not content.startswith(SIGNATURES[media_type]):
        raise invalid_member("document", f"This is not {media_type}.")
