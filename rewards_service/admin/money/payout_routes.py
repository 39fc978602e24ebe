"""/payouts/{id}: one payout on its way from draft to paid."""

from typing import Any

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue

from rewards_service.admin import doing
from rewards_service.admin.money.blueprints import payouts as blueprint
from rewards_service.admin.money.forms import CancelForm, InvoiceForm, PaidForm, RateForm, objection
from rewards_service.admin.money.payout_detail import facts_of, partner_of, values_of
from rewards_service.admin.pages import actor, show
from rewards_service.kit import ids
from rewards_service.kit.clock import utc_now
from rewards_service.kit.web import current_session, path_key
from rewards_service.payouts import exchange, invoices, queries, service
from rewards_service.payouts.models import Payout
from rewards_service.payouts.schedule_schemas import ExchangeRateSchema
from rewards_service.payouts.schemas import CancelSchema, InvoiceSchema, PaidSchema

# More than a document may have, so that what is too large is said at the field.
LARGEST_UPLOAD = 4 * 1024 * 1024


@blueprint.page("/<payout_id>", permission="payouts:read")
def show_payout(payout_id: str) -> ResponseReturnValue:
    """How far it is, and what is in it."""
    return _page(path_key("pay", payout_id))


@blueprint.page("/<payout_id>/submit", permission="payouts:write", methods=("POST",))
def submit_payout(payout_id: str) -> ResponseReturnValue:
    """Draft to pending: for the partner to review."""
    return _step(payout_id, service.submit, "It is with the partner now.")


@blueprint.page("/<payout_id>/accept", permission="payouts:write", methods=("POST",))
def accept_payout(payout_id: str) -> ResponseReturnValue:
    """Pending to ready: it may be paid."""
    return _step(payout_id, service.accept, "It may be paid now.")


@blueprint.page("/<payout_id>/refresh-rate", permission="payouts:write", methods=("POST",))
def refresh_rate(payout_id: str) -> ResponseReturnValue:
    """Look again for the exchange rate that a draft is held for."""

    def look(session: Any, key: int, who: str) -> None:
        _check_waits(queries.get_payout(session, key))
        service.check_not_held(service.refresh_rate(session, key, who))

    return _step(payout_id, look, "The rate is there: it is converted.")


@blueprint.page("/<payout_id>/rate", permission="payouts:write", methods=("POST",))
def add_rate(payout_id: str) -> ResponseReturnValue:
    """Keep the rate that is missing, and convert by it."""
    key, session, form = path_key("pay", payout_id), current_session(), RateForm(prefix="rate-")
    payout = queries.get_payout(session, key)
    fields = {
        "from_currency": payout.currency, "to_currency": payout.pay_currency,
        "rate": form.rate.data, "rate_on": form.rate_on.data, "source": form.source.data,
    }  # fmt: skip

    def add() -> Payout:
        _check_waits(queries.get_payout(session, key))
        exchange.add_rate(session, doing.read_as(ExchangeRateSchema(), fields), actor())
        found = service.refresh_rate(session, key, actor())
        service.check_not_held(found)
        return found

    if doing.carry_out(form, add) is None:
        return _page(key, 422, rate_form=form)
    return _done(payout_id, "The rate is kept, and the payout is converted.")


@blueprint.page("/<payout_id>/invoice", permission="payouts:write", methods=("POST",))
def attach_invoice(payout_id: str) -> ResponseReturnValue:
    """The partner's invoice: its number and its document."""
    key, form = path_key("pay", payout_id), InvoiceForm(prefix="invoice-")

    def attach() -> Payout:
        fields = {"invoice_number": (form.invoice_number.data or "").strip()}
        number = doing.read_as(InvoiceSchema(), fields)["invoice_number"]
        return invoices.attach(current_session(), key, number, _document(form), actor())

    if doing.carry_out(form, attach) is None:
        return _page(key, 422, invoice_form=form)
    return _done(payout_id, "The invoice is attached.")


attach_invoice.max_body = LARGEST_UPLOAD  # type: ignore[attr-defined]


def _document(form: InvoiceForm) -> tuple[str, bytes]:
    """What the file is, by what it begins with, and its bytes: a name or a header says nothing."""
    content = form.document.data.read()
    for media_type, begins in invoices.SIGNATURES.items():
        if content.startswith(begins):
            return media_type, content
    raise objection("document", "This is no PDF, PNG or JPEG, whatever its name says.")


@blueprint.page("/<payout_id>/pay", permission="payouts:write")
def show_paying(payout_id: str) -> ResponseReturnValue:
    """What is about to be marked as paid, once more."""
    payout = queries.get_payout(current_session(), path_key("pay", payout_id))
    if payout.status != "ready":
        return _not_ready(payout_id, payout)
    form = PaidForm()
    form.paid_on.data = utc_now().date().isoformat()
    return _paying(payout, form)


@blueprint.page("/<payout_id>/pay", permission="payouts:write", methods=("POST",))
def mark_paid(payout_id: str) -> ResponseReturnValue:
    """Ready to paid: the money has left."""
    key, form = path_key("pay", payout_id), PaidForm()
    fields = {"paid_on": form.paid_on.data, "reference": (form.reference.data or "").strip()}

    def pay() -> Payout:
        body = doing.read_as(PaidSchema(), fields)
        return service.mark_paid(
            current_session(), key, body["paid_on"], body["reference"], actor()
        )

    if doing.carry_out(form, pay) is None:
        payout = queries.get_payout(current_session(), key)
        if payout.status != "ready":  # there is nothing to correct and to send again
            return _not_ready(payout_id, payout)
        return _paying(payout, form, 422)
    return _done(payout_id, "It is paid, and so are all its rewards.")


@blueprint.page("/<payout_id>/cancel", permission="payouts:write", methods=("POST",))
def cancel_payout(payout_id: str) -> ResponseReturnValue:
    """Give it up; its rewards are approved again."""
    key, form = path_key("pay", payout_id), CancelForm(prefix="cancel-")

    def cancel() -> Payout:
        reason = doing.read_as(CancelSchema(), {"reason": form.reason.data})["reason"]
        return service.cancel(current_session(), key, reason, actor())

    before = _status(key)
    cancelled = doing.carry_out(form, cancel)
    if cancelled is None:
        return _page(key, 422, cancel_form=form)
    return _done(
        payout_id, _told("It is cancelled. Its rewards are approved again.", before, cancelled)
    )


def _step(payout_id: str, step: Any, said: str) -> ResponseReturnValue:
    """What a button without a form does."""
    key = path_key("pay", payout_id)
    before = _status(key)
    doing.attempt(
        lambda: step(current_session(), key, actor()), lambda done: _told(said, before, done)
    )
    return redirect(_place(payout_id), 303)


def _status(key: int) -> str:
    return str(queries.get_payout(current_session(), key).status)


def _told(said: str, before: str, done: Payout | None) -> str:
    """Whoever comes second is told: what they said of it was not kept."""
    if done is not None and done.status == before:
        return f"The payout was {before} already: nothing was changed."
    return said


def _check_waits(payout: Payout) -> None:
    """Raises PayoutWrongStatus for one that a rate would change nothing of."""
    if payout.status != "draft" or payout.problem is None:
        raise service.PayoutWrongStatus(
            "The payout waits for no exchange rate: what it is converted at stays."
        )


def _not_ready(payout_id: str, payout: Payout) -> ResponseReturnValue:
    flash(f"The payout is {payout.status}: only one that is ready is marked as paid.", "danger")
    return redirect(_place(payout_id), 303)


def _done(payout_id: str, said: str) -> ResponseReturnValue:
    flash(said, "success")
    return redirect(_place(payout_id), 303)


def _place(payout_id: str) -> str:
    return url_for("payouts_pages.show_payout", payout_id=payout_id)


def _paying(payout: Payout, form: PaidForm, status: int = 200) -> ResponseReturnValue:
    session = current_session()
    return show(
        "payouts/pay.html", status, payout=payout, form=form, facts=facts_of(payout),
        id=ids.encode("pay", payout.id), **partner_of(session, payout),
    )  # fmt: skip


def _page(key: int, status: int = 200, **forms: Any) -> ResponseReturnValue:
    session = current_session()
    payout = queries.get_payout(session, key)
    shown: dict[str, Any] = {
        "invoice_form": InvoiceForm(prefix="invoice-", formdata=None),
        "cancel_form": CancelForm(prefix="cancel-", formdata=None),
        "rate_form": RateForm(prefix="rate-", formdata=None),
    }
    shown["rate_form"].rate_on.data = payout.cut_off_on.isoformat()
    return show(
        "payouts/payout.html", status, **values_of(session, payout), **{**shown, **forms},
        opened=next(iter(forms), None),
    )  # fmt: skip
