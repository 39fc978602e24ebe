"""/payouts/make: what payouts there would be, and then their making."""

from dataclasses import dataclass, replace
from datetime import date
from hashlib import sha256
from typing import Any, NamedTuple

import orjson
from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from wtforms.fields.choices import SelectChoice

from rewards_service.admin import doing
from rewards_service.admin.amounts import read_amount
from rewards_service.admin.money import names
from rewards_service.admin.money.blueprints import payouts as blueprint
from rewards_service.admin.money.forms import MakeForm, objection
from rewards_service.admin.pages import actor, show
from rewards_service.kit import ids
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import rehearsal
from rewards_service.kit.web import current_session
from rewards_service.partners.finding import find_partners
from rewards_service.payouts import making
from rewards_service.payouts.schemas import PayoutRequestSchema
from rewards_service.rewards.models import Reward

WHY_NOT = {
    "nothing_due": "Nothing is due.", "negative_balance": "The partner owes more than is due.",
    "below_threshold": "Less than the least amount.", "too_large": "Too large for one payout.",
    "not_positive": "Nothing is left once it is converted.",
}  # fmt: skip
MOST_SHOWN = 100


class Draft(NamedTuple):
    """A payout that would be made."""

    partner_id: int
    currency: str
    total_minor: int
    lines: int
    pay_currency: str
    pay_total_minor: int | None


@dataclass(frozen=True)
class Preview:
    """What would be made, and who is left out: (partner, why, minor units)."""

    currency: str
    drafts: list[Draft]
    left_out: list[tuple[int, str, int]]
    partners: dict[int, str]

    @property
    def total_minor(self) -> int:
        return sum(draft.total_minor for draft in self.drafts)

    @property
    def lines(self) -> int:
        return sum(draft.lines for draft in self.drafts)

    @property
    def seen(self) -> str:
        """What somebody has seen who confirms: anything else has to be seen first."""
        return sha256(orjson.dumps([self.currency, *map(list, self.drafts)])).hexdigest()[:24]


@blueprint.page("/make", permission="payouts:write")
def show_making() -> ResponseReturnValue:
    """Where payouts are made by hand."""
    return _page(_form())


@blueprint.page("/make", permission="payouts:write", methods=("POST",))
def make_payouts() -> ResponseReturnValue:
    """First what would be made; made once that was confirmed, and is still so."""
    session, form = current_session(), _form()
    preview = doing.carry_out(form, lambda: _rehearse(session, _read(session, form)))
    if preview is None:
        return _page(form, 422)
    confirmed = request.form.get("confirmed", "")
    if confirmed != preview.seen or not preview.drafts:
        return _page(form, preview=preview, outdated=bool(confirmed))
    made = making.create(session, _read(session, form), actor()).payouts
    flash("1 draft is made." if len(made) == 1 else f"{len(made)} drafts are made.", "success")
    if len(made) == 1:
        key = ids.encode("pay", made[0].id)
        return redirect(url_for("payouts_pages.show_payout", payout_id=key), 303)
    return redirect(url_for("payouts_pages.list_payouts", status="draft"), 303)


def _rehearse(session: Session, wanted: making.Wanted) -> Preview:
    """Make them, see what comes of it, and take all of it back."""
    with rehearsal(session):
        made = making.create(session, wanted, actor())
        drafts = [
            Draft(one.partner_id, one.currency, one.total_minor, one.line_count, one.pay_currency,
                  one.pay_total_minor)
            for one in made.payouts
        ]  # fmt: skip
    left_out = [
        (one.partner_id, WHY_NOT[one.reason], one.balance_minor)
        for one in made.left_out if one.balance_minor or wanted.partner_ids
    ]  # fmt: skip
    keys = [draft.partner_id for draft in drafts[:MOST_SHOWN]]
    keys += [partner_id for partner_id, *_ in left_out[:MOST_SHOWN]]
    return Preview(wanted.currency, drafts, left_out, names.partner_names(session, keys))


def _read(session: Session, form: MakeForm) -> making.Wanted:
    """What the form asks for. Raises ValidationError at its fields."""
    fields = {"currency": form.currency.data, "cut_off": form.cut_off.data}
    body = doing.read_as(PayoutRequestSchema(), fields)
    wanted = making.Wanted(body["currency"], body["cut_off"])
    if text := (form.partner.data or "").strip():
        meant = find_partners(session, [text])[text]
        if isinstance(meant, str):
            raise objection("partner", meant)
        wanted = replace(wanted, partner_ids=[meant])
    if text := (form.threshold.data or "").strip():
        wanted = replace(wanted, threshold_minor=_threshold(text, wanted.currency))
    return wanted


def _threshold(text: str, currency: str) -> int:
    try:
        found = read_amount(text, currency)
    except ValueError as error:
        raise objection("threshold", str(error)) from error
    if found < 0:
        raise objection("threshold", "Not below zero.")
    return found


def _form() -> MakeForm:
    form = MakeForm()
    known = names.currencies(current_session(), Reward.currency)
    form.currency.choices = [SelectChoice(name, name) for name in known]
    if form.cut_off.data is None:
        form.cut_off.data = _today().isoformat()
    if form.partner.data is None:
        form.partner.data = request.args.get("partner", "")
    return form


def _today() -> date:
    return utc_now().date()


def _page(form: MakeForm, status: int = 200, **more: Any) -> ResponseReturnValue:
    return show(
        "payouts/make.html", status, form=form, names=names, most=MOST_SHOWN,
        **{"preview": None, "outdated": False, **more},
    )  # fmt: skip
