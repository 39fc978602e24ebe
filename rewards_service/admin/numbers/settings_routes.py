"""Settings: what is configured, exchange rates, payout schedules, files of everything."""

from collections.abc import Sequence
from typing import Any

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rewards_service.admin import doing
from rewards_service.admin.layout import address_of, day
from rewards_service.admin.lists import Column, Filter, ListView
from rewards_service.admin.numbers import configured
from rewards_service.admin.numbers.parts import foreign
from rewards_service.admin.numbers.settings_forms import RateForm, ScheduleForm
from rewards_service.admin.pages import Pages, actor, show
from rewards_service.kit import ids
from rewards_service.kit.db import db
from rewards_service.kit.pages import Page, Paging
from rewards_service.kit.web import current_session, current_settings, path_key
from rewards_service.payouts import exchange, schedules, service
from rewards_service.payouts.models import RATE_MISSING, Payout
from rewards_service.payouts.schedule_routes import show_schedules
from rewards_service.programs.models import Program

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


@blueprint.page("/schedules", permission=READ)
def list_schedules() -> ResponseReturnValue:
    """When payouts are made by themselves."""
    return _schedules_page(ScheduleForm())


@blueprint.page("/schedules", permission=WRITE, methods=("POST",))
def add_schedule() -> ResponseReturnValue:
    """A new schedule; days before today do not count."""
    form = ScheduleForm()
    form.program_id.choices = _programs(current_session())
    made = doing.carry_out(
        form, lambda: schedules.create_schedule(current_session(), form.wanted(), actor())
    )
    if made is None:
        return _schedules_page(form, 422)
    flash("From now on drafts are made by this schedule.", "success")
    return redirect(url_for("settings_pages.list_schedules"))


@blueprint.page("/schedules/<schedule_id>", permission=WRITE, methods=("POST",))
def change_schedule(schedule_id: str) -> ResponseReturnValue:
    """Switch it on or off, or end it."""
    key, wanted = path_key("sch", schedule_id), request.form.get("to")
    if wanted == "end":
        doing.attempt(lambda: schedules.delete_schedule(current_session(), key, actor()),
                      "The schedule is ended; its payouts stay.")  # fmt: skip
    elif wanted in ("on", "off"):
        doing.attempt(
            lambda: schedules.change_schedule(
                current_session(), key, {"enabled": wanted == "on"}, actor()
            ),
            f"The schedule is switched {wanted}.",
        )
    return redirect(url_for("settings_pages.list_schedules"))


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


def _schedules_page(form: ScheduleForm, status: int = 200) -> ResponseReturnValue:
    session = current_session()
    page = schedules.list_schedules(session, Paging(200))
    form.program_id.choices = _programs(session)
    return show(
        "settings/schedules.html", status, form=form, tabs=_tabs("list_schedules"),
        schedules=show_schedules([row[0] for row in page.rows]), id_of=_schedule_id,
        programs={key: foreign(name) for key, name in session.execute(
            select(Program.id, Program.name)
        )},
    )  # fmt: skip


def _programs(session: Session) -> Sequence[tuple[str, str]]:
    rows = session.execute(select(Program.id, Program.name).order_by(Program.name))
    return [("", "All partners"), *((ids.encode("prg", key), name) for key, name in rows)]


def _schedule_id(key: int) -> str:
    return ids.encode("sch", key)


def _tabs(here: str) -> list[tuple[str, str, bool]]:
    """Those of them that this person may open."""
    every = (("Configuration", "show_settings"), ("Exchange rates", "list_rates"),
             ("Payout schedules", "list_schedules"))  # fmt: skip
    found = ((title, address_of(f"settings_pages.{name}"), name == here) for title, name in every)
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
    empty="No rates yet. They are needed where a partner is paid in another currency than earned.",
    empty_icon="arrows-exchange",
)  # fmt: skip
