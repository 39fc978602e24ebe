"""/api/v1/payouts."""

from typing import Any

from flask import Response

from rewards_service.accounts.auth import NotForPartners, current_actor
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import db, rehearsal, transaction
from rewards_service.kit.lists import page_answer, paging
from rewards_service.kit.own import confined_to, own_partner
from rewards_service.kit.pages import MAX_LIMIT, Paging
from rewards_service.kit.web import Files, Resource, current_session, current_settings, path_key
from rewards_service.partners.service import get_partner
from rewards_service.payouts import exporting, invoices, making, queries, schemas, service
from rewards_service.payouts.invoices import SIGNATURES
from rewards_service.payouts.models import Payout, PayoutExport
from rewards_service.payouts.showing import show, show_lines

blueprint = Resource("payouts", "What partners are paid")

READ, WRITE = "payouts:read", "payouts:write"
MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "xml": "application/xml",
}
FILES = Files(kind.partition(";")[0] for kind in MEDIA_TYPES.values())


@blueprint.operation(
    "GET", "/payouts", scope=READ, query=schemas.PayoutQuerySchema,
    answer=schemas.PayoutPageSchema, for_partners=True,
)  # fmt: skip
def list_payouts(query: dict[str, Any]) -> Any:
    """List payouts, without their lines."""
    session = current_session()
    page = queries.list_payouts(session, paging(query), query, own_partner())
    return page_answer(query, page, show(session, [row[0] for row in page.rows], confined_to()))


@blueprint.operation(
    "POST", "/payouts", scope=WRITE, body=schemas.PayoutRequestSchema,
    answer=schemas.PayoutsMadeSchema, status=201,
)  # fmt: skip
def create_payouts(body: dict[str, Any]) -> Any:
    """Make a draft for each partner with something due, or only say what would be made."""
    wanted = making.Wanted(
        body["currency"], body["cut_off"], body["partner_ids"], body["threshold_minor"]
    )
    if not body["dry_run"]:
        return _made(wanted)
    with rehearsal(current_session()):
        made = _made(wanted)
    data = [{**payout, "id": None} for payout in made["data"]]
    return {**made, "data": data, "dry_run": True}, 200


def _made(wanted: making.Wanted) -> dict[str, Any]:
    made = making.create(current_session(), wanted, current_actor())
    left_out = [{**one._asdict(), "currency": wanted.currency} for one in made.left_out]
    data = show(current_session(), made.payouts)
    return {"data": data, "left_out": left_out, "dry_run": False}


@blueprint.operation(
    "GET", "/payouts/balances", scope=READ, query=schemas.BalanceQuerySchema,
    answer=schemas.BalancesSchema, for_partners=True,
)  # fmt: skip
def get_balances(query: dict[str, Any]) -> Any:
    """What stands to a partner's credit, currency by currency."""
    partner = get_partner(current_session(), query["partner_id"], own=own_partner())
    today = utc_now().date()
    balances = queries.balances(current_session(), partner.id, today)
    return {"partner_id": partner.id, "as_of": today, "balances": balances}


@blueprint.operation(
    "GET", "/payouts/<payout_id>", scope=READ, answer=schemas.PayoutSchema, for_partners=True
)
def get_payout(payout_id: str) -> Any:
    """Get one payout with its first 200 lines."""
    session, own = current_session(), own_partner()
    payout = queries.get_payout(session, path_key("pay", payout_id), own=own)
    page = queries.list_lines(session, payout.id, Paging(MAX_LIMIT))
    lines = show_lines(session, payout, [row[0] for row in page.rows])
    return {**show(session, [payout], own)[0], "lines": lines}


@blueprint.operation(
    "GET", "/payouts/<payout_id>/lines", scope=READ, query=schemas.LineQuerySchema,
    answer=schemas.LinePageSchema, for_partners=True,
)  # fmt: skip
def list_payout_lines(query: dict[str, Any], payout_id: str) -> Any:
    """List the rewards of a payout."""
    asked, session = paging(query), current_session()
    payout = queries.get_payout(session, path_key("pay", payout_id), own=own_partner())
    page = queries.list_lines(session, payout.id, asked)
    return page_answer(query, page, show_lines(session, payout, [row[0] for row in page.rows]))


@blueprint.operation(
    "POST", "/payouts/<payout_id>/submit", scope=WRITE, answer=schemas.PayoutSchema
)
def submit_payout(payout_id: str) -> Any:
    """Draft to pending: for the partner to review."""
    return _one(service.submit(current_session(), path_key("pay", payout_id), current_actor()))


@blueprint.operation(
    "POST", "/payouts/<payout_id>/accept", scope=WRITE, answer=schemas.PayoutSchema
)
def accept_payout(payout_id: str) -> Any:
    """Pending to ready: it may be paid."""
    return _one(service.accept(current_session(), path_key("pay", payout_id), current_actor()))


@blueprint.operation(
    "POST", "/payouts/<payout_id>/mark-paid", scope=WRITE, body=schemas.PaidSchema,
    answer=schemas.PayoutSchema,
)  # fmt: skip
def mark_payout_paid(body: dict[str, Any], payout_id: str) -> Any:
    """Ready to paid: the money has left."""
    key = path_key("pay", payout_id)
    return _one(
        service.mark_paid(
            current_session(), key, body["paid_on"], body["reference"], current_actor()
        )
    )


@blueprint.operation(
    "POST", "/payouts/<payout_id>/cancel", scope=WRITE, body=schemas.CancelSchema,
    answer=schemas.PayoutSchema,
)  # fmt: skip
def cancel_payout(body: dict[str, Any], payout_id: str) -> Any:
    """Give up a payout that is not paid; its rewards are approved again."""
    key = path_key("pay", payout_id)
    return _one(service.cancel(current_session(), key, body["reason"], current_actor()))


@blueprint.operation(
    "POST", "/payouts/<payout_id>/refresh-rate", scope=WRITE, answer=schemas.PayoutSchema
)
def refresh_payout_rate(payout_id: str) -> Any:
    """Look again for the exchange rate that a draft is held for."""
    key = path_key("pay", payout_id)
    return _one(service.refresh_rate(current_session(), key, current_actor()))


@blueprint.operation(
    "POST", "/payouts/<payout_id>/invoice", scope=WRITE, body=schemas.InvoiceSchema,
    answer=schemas.PayoutSchema,
)  # fmt: skip
def attach_invoice(body: dict[str, Any], payout_id: str) -> Any:
    """Attach the partner's invoice."""
    key, document = path_key("pay", payout_id), None
    if "document" in body:
        document = (body["media_type"], body["document"])
    return _one(
        invoices.attach(current_session(), key, body["invoice_number"], document, current_actor())
    )


@blueprint.operation(
    "GET", "/payouts/<payout_id>/invoice", scope=READ, answer=Files(SIGNATURES), for_partners=True
)
def get_invoice(payout_id: str) -> Any:
    """The document of the partner's invoice."""
    session, key = current_session(), path_key("pay", payout_id)
    queries.get_payout(session, key, own=own_partner())
    found = invoices.get_document(session, key)
    ending = str(found.media_type).partition("/")[2]
    name = f"{payout_id}-invoice.{ending}"
    return _file(bytes(found.content or b""), str(found.media_type), name, str(found.sha256))


@blueprint.operation(
    "GET", "/payouts/<payout_id>/export", scope=READ, query=schemas.ExportQuerySchema,
    answer=FILES, for_partners=True,
)  # fmt: skip
def export_payout(query: dict[str, Any], payout_id: str) -> Any:
    """One payout as a file; keys of partners get no file that moves money."""
    key, own = path_key("pay", payout_id), own_partner()
    if own is not None:
        queries.get_payout(current_session(), key, own=own)
        if query["format"] in exporting.TO_PAY:  # it says from which account is paid
            raise NotForPartners("Keys of partners export csv and xlsx only.")
        current_session().rollback()  # the file is kept by a transaction of its own
    return _exported([key], query)


@blueprint.operation(
    "POST", "/payouts/export", scope=READ, body=schemas.ExportManySchema,
    answer=FILES,
)  # fmt: skip
def export_payouts(body: dict[str, Any]) -> Any:
    """Several payouts as one file, or as one of its parts."""
    return _exported(body["ids"], body)


def _exported(keys: list[int], wanted: dict[str, Any]) -> Response:
    # In a transaction of its own: a GET of the interface is not committed, yet what is handed out
    # is kept.
    with transaction(db.engine) as session:
        made = exporting.export(
            session, current_settings(), keys, wanted["format"], wanted["part"], current_actor()
        )
        return _download(made)


def _download(made: PayoutExport) -> Response:
    media_type = MEDIA_TYPES[made.file_name.rpartition(".")[2]]
    answer = _file(bytes(made.content), media_type, made.file_name, made.sha256)
    answer.headers["X-Part"], answer.headers["X-Parts"] = str(made.part), str(made.parts)
    return answer


def _file(content: bytes, media_type: str, name: str, digest: str) -> Response:
    answer = Response(content, content_type=media_type)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.headers["X-Content-SHA256"] = digest
    return answer


def _one(payout: Payout) -> dict[str, Any]:
    return show(current_session(), [payout])[0]
