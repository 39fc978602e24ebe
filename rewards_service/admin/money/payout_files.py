"""Files of one payout: for the books, for those who pay, and the partner's invoice."""

from flask import Response, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from rewards_service.admin.money.blueprints import payouts as blueprint
from rewards_service.admin.pages import actor
from rewards_service.kit.db import db, transaction
from rewards_service.kit.errors import NotFound, RewardsError
from rewards_service.kit.web import current_session, current_settings, path_key
from rewards_service.payouts import exporting, invoices
from rewards_service.payouts.routes import MEDIA_TYPES

FOR_BOOKS = ("csv", "xlsx")
# They hold where a partner is paid, in clear: for those only who pay.
TO_PAY = exporting.TO_PAY


@blueprint.page("/<payout_id>/export", permission="payouts:read")
def export_payout(payout_id: str) -> ResponseReturnValue:
    """`?format=csv` or `xlsx`: its lines."""
    return _exported(payout_id, FOR_BOOKS)


@blueprint.page("/<payout_id>/payment", permission="payouts:write")
def export_payment(payout_id: str) -> ResponseReturnValue:
    """`?format=paypal`, `wise` or `sepa`: what a bank or provider takes to pay it."""
    return _exported(payout_id, TO_PAY)


@blueprint.page("/<payout_id>/invoice", permission="payouts:read")
def get_invoice(payout_id: str) -> ResponseReturnValue:
    """The document of the partner's invoice."""
    found = invoices.get_document(current_session(), path_key("pay", payout_id))
    media_type = str(found.media_type)
    name = f"{payout_id}-invoice.{media_type.partition('/')[2]}"
    return _file(bytes(found.content or b""), media_type, name, str(found.sha256))


def _exported(payout_id: str, kinds: tuple[str, ...]) -> ResponseReturnValue:
    """The file; or the page of the payout, which says why there is none."""
    key, kind, who = path_key("pay", payout_id), request.args.get("format", ""), actor()
    if kind not in kinds:
        raise NotFound(f"There is no such file here; there are {', '.join(kinds)}.")
    current_session().rollback()  # what is handed out is kept, by a transaction of its own
    try:
        with transaction(db.engine) as session:
            made = exporting.export(session, current_settings(), [key], kind, 1, who)
            media_type = MEDIA_TYPES[made.file_name.rpartition(".")[2]]
            return _file(bytes(made.content), media_type, made.file_name, made.sha256)
    except RewardsError as error:
        if error.status >= 500 or isinstance(error, NotFound):
            raise
        flash(error.detail, "danger")
        return redirect(url_for("payouts_pages.show_payout", payout_id=payout_id), 303)


def _file(content: bytes, media_type: str, name: str, digest: str) -> Response:
    answer = Response(content, content_type=media_type)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.headers["X-Content-SHA256"] = digest
    return answer
