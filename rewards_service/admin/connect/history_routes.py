"""The history of a connected site: fetched, then rewarded when somebody says so."""

from collections.abc import Callable
from typing import Any

from flask.typing import ResponseReturnValue
from sqlalchemy import select

from rewards_service.admin.connect.frame import (
    ONE,
    READ,
    WRITE,
    back_to,
    blueprint,
    frame,
    hold_nothing,
    key_of,
    refuse,
    show_tab,
)
from rewards_service.admin.doing import attempt
from rewards_service.admin.pages import actor, show
from rewards_service.history import queries, service
from rewards_service.history.kinds import LISTS
from rewards_service.history.models import AT_WORK
from rewards_service.history.preview import MOST_PAYMENTS, Cost, preview
from rewards_service.integrations.service import get_integration
from rewards_service.kit import bells
from rewards_service.kit.db import db
from rewards_service.kit.errors import NotFound, RewardsError
from rewards_service.kit.queue import BACKFILLS
from rewards_service.kit.web import current_session
from rewards_service.partners.models import Partner

TAB = "show_history"


@blueprint.page(f"{ONE}/history", permission=READ)
def show_history(integration_id: str) -> ResponseReturnValue:
    """How far the newest backfill came."""
    return show_tab(
        "history.html", integration_id, TAB, backfill=_backfill(integration_id), kinds=LISTS
    )


@blueprint.page(f"{ONE}/history/progress", permission=READ)
def show_progress(integration_id: str) -> ResponseReturnValue:
    """The same as a part of the page, which asks again while it is at work."""
    values = frame(integration_id, TAB)
    backfill = _backfill(integration_id)
    return show("connect/history_progress.html", **values, backfill=backfill, kinds=LISTS)


def _backfill(integration_id: str) -> dict[str, Any] | None:
    """The newest backfill, with how many of its lists are over and whether it is at work."""
    session, key = current_session(), key_of(integration_id)
    get_integration(session, key)
    try:
        row = service.newest(session, key)
    except NotFound:  # never fetched
        return None
    shown = queries.shown(session, row)
    over = sum(one["is_over"] for one in shown["lists"])
    return {**shown, "over": over, "at_work": row.state in AT_WORK}


@blueprint.page(f"{ONE}/history/fetch", permission=WRITE, methods=("POST",))
def begin_backfill(integration_id: str) -> ResponseReturnValue:
    """Fetch the history, or go on with it."""
    return _do(integration_id, service.begin, "The workers fetch the history.")


@blueprint.page(f"{ONE}/history/pause", permission=WRITE, methods=("POST",))
def pause_backfill(integration_id: str) -> ResponseReturnValue:
    """Have it rest where it is."""
    return _do(integration_id, service.pause, "It rests where it is. Nothing is forgotten.")


@blueprint.page(f"{ONE}/history/rewards", permission=WRITE, methods=("POST",))
def post_past_rewards(integration_id: str) -> ResponseReturnValue:
    """Have the payments of the past handled as if they came now."""
    said = "The payments of the past are being handled; their rewards wait for review."
    return _do(integration_id, service.begin_posting, said)


def _do(integration_id: str, action: Callable[..., Any], said: str) -> ResponseReturnValue:
    session, key = current_session(), key_of(integration_id)
    get_integration(session, key)
    if attempt(lambda: action(session, key, actor()), said):
        session.commit()  # before a worker looks for it
        bells.ring(BACKFILLS)
    return back_to(TAB, integration_id)


@blueprint.page(f"{ONE}/history/cost", permission=WRITE)
def show_cost(integration_id: str) -> ResponseReturnValue:
    """What rewards for the past would cost, by partner and currency; nothing is kept."""
    key = key_of(integration_id)
    get_integration(current_session(), key)
    hold_nothing()
    try:
        cost = preview(db.engine, key, MOST_PAYMENTS)
    except RewardsError as error:
        refuse(error)
        return back_to(TAB, integration_id)
    return show_tab("cost.html", integration_id, TAB, cost=cost, partners=_by_partner(cost))


def _by_partner(cost: Cost) -> list[tuple[int, str, int, str, int]]:
    """(partner, name, rewards, currency, minor units), by name."""
    keys = {partner for partner, _ in cost.partners}
    found = current_session().execute(select(Partner.id, Partner.name).where(Partner.id.in_(keys)))
    names = {row.id: row.name for row in found}
    return sorted(
        ((key, names[key], rewards, currency, amount)
         for (key, currency), (rewards, amount) in cost.partners.items()),
        key=lambda row: (row[1].casefold(), row[3]),
    )  # fmt: skip
