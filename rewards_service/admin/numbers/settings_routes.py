"""Settings: what is configured, exchange rates, files of everything."""

from typing import Any

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rewards_service.admin import doing
from rewards_service.admin.cells import foreign
from rewards_service.admin.layout import address_of, day
from rewards_service.admin.lists import Column, Empty, Filter, ListView
from rewards_service.admin.numbers import configured
from rewards_service.admin.numbers.settings_forms import RateForm
from rewards_service.admin.pages import Pages, actor, show
from rewards_service.kit.db import db
from rewards_service.kit.pages import Page, Paging
from rewards_service.kit.web import current_session, current_settings
from rewards_service.payouts import exchange, service
from rewards_service.payouts.models import RATE_MISSING, Payout

blueprint = Pages("settings_pages", url_prefix="/settings")
MOST_AT_ONCE = 200  # payouts whose rate is looked for again by one click
READ, WRITE = "payouts:read", "payouts:write"
FILES = (
    ("Partners", "partners"), ("Programmes", "programs"), ("Reward rules", "reward-rules"),
    ("Leads", "leads"), ("Deals", "deals"), ("Customers", "customers"),
    ("Transactions", "transactions"), ("Rewards", "rewards"), ("Payouts", "payouts"),
    ("Exchange rates", "exchange-rates"), ("Events", "events"), ("Audit log", "audit-log"),
)  # fmt: skip


@blueprint.page("", permission="settings:read")
def show_settings() -> ResponseReturnValue:
    """What is configured, and what runs."""
    settings = current_settings()
    return show("settings/settings.html", tabs=_tabs("show_settings"), files=FILES, groups=(
        ("What runs", configured.service(settings, db.engine)),
        ("Secrets and accounts", configured.secrets(settings)),
        ("Limits, and what is kept", configured.limits(settings)),
    ))  # fmt: skip


@blueprint.page("/rates", permission=READ)
def list_rates() -> ResponseReturnValue:
    """Exchange rates, the newest first, and those that payouts wait for."""
    asked = {name: request.args.get(f"new_{name}", "") for name in ("from", "to")}
    form = RateForm(from_currency=asked["from"], to_currency=asked["to"])
    return _rates_page(form)


@blueprint.page("/rates", permission=WRITE, methods=("POST",))
def add_rate() -> ResponseReturnValue:
    """Keep a rate; of two for the same day the later one counts."""
    form = RateForm()
    made = doing.carry_out(
        form, lambda: exchange.add_rate(current_session(), form.wanted(), actor())
    )
    if made is None:
        return _rates_page(form, 422)
    flash(f"1 {made.from_currency} is {made.rate} {made.to_currency} on {made.rate_on}.", "success")
    return redirect(url_for("settings_pages.list_rates"))


@blueprint.page("/rates/retry", permission=WRITE, methods=("POST",))
def retry_payouts() -> ResponseReturnValue:
    """Look again for the rates that drafts wait for."""
    session, who = current_session(), actor()
    keys = session.scalars(_waiting(Payout.id).order_by(Payout.id).limit(MOST_AT_ONCE)).all()
    found = sum(service.refresh_rate(session, key, who).problem is None for key in keys)
    flash(f"{found} of {len(keys)} payouts have their rate now.", "success" if found else "warning")
    return redirect(url_for("settings_pages.list_rates"))


def _rates_page(form: RateForm, status: int = 200) -> ResponseReturnValue:
    session = current_session()
    pairs: Any = session.execute(
        _waiting(Payout.currency, Payout.pay_currency, func.min(Payout.cut_off_on), func.count())
        .group_by(Payout.currency, Payout.pay_currency)
        .order_by(Payout.currency, Payout.pay_currency)
    ).all()
    return show("settings/rates.html", status, form=form, tabs=_tabs("list_rates"), pairs=pairs,
                payouts=address_of("payouts_pages.list_payouts"), **RATES.values())  # fmt: skip


def _waiting(*columns: Any) -> Any:
    return select(*columns).where(Payout.status == "draft", Payout.problem == RATE_MISSING)


def _tabs(here: str) -> list[tuple[str, str, bool]]:
    """Those of them that this person may open."""
    every = (
        ("Configuration", "settings_pages.show_settings"),
        ("Exchange rates", "settings_pages.list_rates"),
        ("Payout schedules", "payouts_pages.list_schedules"),
    )
    found = ((title, address_of(name), name.endswith(here)) for title, name in every)
    return [(title, place, is_here) for title, place, is_here in found if place]


def _fetch_rates(session: Session, paging: Paging, chosen: dict[str, str]) -> Page:
    wanted = {name: value.upper() for name, value in chosen.items()}
    return exchange.list_rates(session, paging, wanted)


RATES = ListView(
    title="Exchange rates",
    columns=(
        Column("Day", lambda rate: day(rate.rate_on)),
        Column("Rate", lambda rate: f"1 {rate.from_currency} = {rate.rate} {rate.to_currency}"),
        Column("Source", lambda rate: foreign(rate.source)),
        Column("Entered", lambda rate: day(rate.created_at.date()), priority=2),
    ),
    fetch=_fetch_rates,
    filters=(Filter("from_currency", "Rates from"), Filter("to_currency", "Rates to")),
    export="/files/exchange-rates",
    empty=Empty("arrows-exchange", "No rates yet.",
                "They are needed where a partner is paid in another currency than earned."),
)  # fmt: skip
