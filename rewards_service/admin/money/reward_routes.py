"""/rewards/{id}: one reward, and what a person may do with it."""

from typing import Any, NamedTuple

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from rewards_service.admin import doing
from rewards_service.admin.amounts import read_amount
from rewards_service.admin.money import deciding
from rewards_service.admin.money.blueprints import rewards as blueprint
from rewards_service.admin.money.forms import AdjustForm, DeclineForm, HoldForm, objection
from rewards_service.admin.money.reward_detail import values_of
from rewards_service.admin.pages import actor, show
from rewards_service.admin.places import place_of
from rewards_service.kit.db import rehearsal
from rewards_service.kit.web import current_session, path_key
from rewards_service.payouts.queries import entry_sums
from rewards_service.rewards import adjusting, listing, review
from rewards_service.rewards.models import Reward
from rewards_service.rewards.schemas import AdjustmentSchema, HoldSchema, RefusalSchema


class Preview(NamedTuple):
    """What an adjustment would do: the reward that carries it, before and after, minor units."""

    reward_id: int | None  # None: a new one
    status: str
    is_other: bool
    amount_minor: int
    before_minor: int
    after_minor: int


@blueprint.page("/<reward_id>", permission="rewards:read")
def show_reward(reward_id: str) -> ResponseReturnValue:
    """How it came about, and what happened to it."""
    return _page(path_key("rew", reward_id))


@blueprint.page("/<reward_id>/approve", permission="rewards:write", methods=("POST",))
def approve_reward(reward_id: str) -> ResponseReturnValue:
    """It may be paid out."""
    return _press(path_key("rew", reward_id), "approve")


@blueprint.page("/<reward_id>/release", permission="rewards:write", methods=("POST",))
def release_reward(reward_id: str) -> ResponseReturnValue:
    """The end of a hold: it is to be reviewed again."""
    return _press(path_key("rew", reward_id), "release")


@blueprint.page("/<reward_id>/hold", permission="rewards:write", methods=("POST",))
def hold_reward(reward_id: str) -> ResponseReturnValue:
    """It waits, for a person or until a day is over."""
    form = HoldForm(prefix="hold-")
    given = {"reason": form.reason.data, "until": form.until.data}

    def hold() -> list[int]:
        body = doing.read_as(HoldSchema(), given)
        return _decide(key, "hold", body["reason"], body.get("until"))

    key = path_key("rew", reward_id)
    moved = doing.carry_out(form, hold)
    if moved is None:
        return _page(key, 422, hold_form=form)
    return _done(key, "hold", moved)


@blueprint.page("/<reward_id>/decline", permission="rewards:write", methods=("POST",))
def decline_reward(reward_id: str) -> ResponseReturnValue:
    """It is refused for good."""
    form, key = DeclineForm(prefix="decline-"), path_key("rew", reward_id)

    def decline() -> list[int]:
        return _decide(
            key, "decline", doing.read_as(RefusalSchema(), {"reason": form.reason.data})["reason"]
        )

    moved = doing.carry_out(form, decline)
    if moved is None:
        return _page(key, 422, decline_form=form)
    return _done(key, "decline", moved)


@blueprint.page("/<reward_id>/adjust", permission="rewards:write")
def show_adjustment(reward_id: str) -> ResponseReturnValue:
    """Where an amount is added by hand."""
    reward = listing.get_reward(current_session(), path_key("rew", reward_id))
    return _adjustment(reward, AdjustForm())


@blueprint.page("/<reward_id>/adjust", permission="rewards:write", methods=("POST",))
def adjust_reward(reward_id: str) -> ResponseReturnValue:
    """First what would come of it; posted once that was confirmed, and is still so."""
    session, key, form = current_session(), path_key("rew", reward_id), AdjustForm()
    currency = listing.get_reward(session, key).currency
    preview = doing.carry_out(form, lambda: _rehearse(key, form, currency))
    reward = listing.get_reward(session, key)
    if preview is None:
        return _adjustment(reward, form, status=422)
    confirmed = request.form.get("confirmed", "")
    if confirmed != _seen(preview):
        return _adjustment(reward, form, preview, outdated=bool(confirmed))
    body = _read_adjustment(form, currency)
    carrier = adjusting.adjust(
        session, key, body["amount_minor"], body["reason"], actor(), deciding.may_write_off()
    )
    flash("The adjustment is posted.", "success")
    return redirect(_place(carrier.id), 303)


def _rehearse(key: int, form: AdjustForm, currency: str) -> Preview:
    """Post it, see what it does, and take all of it back."""
    session, body = current_session(), _read_adjustment(form, currency)
    with rehearsal(session):
        row = adjusting.adjust(
            session, key, body["amount_minor"], body["reason"], actor(), deciding.may_write_off()
        )
        carrier, status, amount = row.id, row.status, body["amount_minor"]
        after = entry_sums(session, [carrier])[carrier]
    # One that was opened for it is gone again, and gets a key when it is posted.
    known = carrier if listing.statuses_of(session, [carrier]) else None
    return Preview(known, status, carrier != key, amount, after - amount, after)


def _read_adjustment(form: AdjustForm, currency: str) -> dict[str, Any]:
    """The body that the API would take. Raises ValidationError, at the fields of the form."""
    try:
        amount = read_amount(form.amount.data or "", currency)
    except ValueError as error:
        raise objection("amount", str(error)) from error
    if wrong := AdjustmentSchema().validate({"amount_minor": amount}, partial=True):
        raise objection("amount", " ".join(wrong["amount_minor"]))
    return doing.read_as(AdjustmentSchema(), {"amount_minor": amount, "reason": form.reason.data})


def _seen(preview: Preview) -> str:
    """What somebody has seen who confirms: anything else has to be seen first."""
    return f"{preview.reward_id}:{preview.before_minor}:{preview.amount_minor}"


def _adjustment(
    reward: Reward, form: AdjustForm, preview: Preview | None = None, outdated: bool = False,
    status: int = 200,
) -> ResponseReturnValue:  # fmt: skip
    return show(
        "rewards/adjust.html", status, **values_of_amount(reward), form=form, preview=preview,
        seen=preview and _seen(preview), outdated=outdated, address=_place(reward.id),
    )  # fmt: skip


def values_of_amount(reward: Reward) -> dict[str, Any]:
    """The reward, and what it comes to now."""
    (sum_,) = deciding.sums_of(current_session(), [reward])
    return {"reward": reward, "net_minor": sum_.amount_minor}


def _decide(key: int, action: str, reason: str | None, until: Any = None) -> list[int]:
    order = deciding.order(action, reason, until)
    return review.decide(current_session(), [key], order, deciding.may_write_off())


def _press(key: int, action: str) -> ResponseReturnValue:
    """What a button without a form does."""

    doing.attempt(lambda: _decide(key, action, None), lambda moved: _said(action, moved))
    return redirect(_place(key), 303)


def _done(key: int, action: str, moved: list[int]) -> ResponseReturnValue:
    doing.tell(_said(action, moved))
    return redirect(_place(key), 303)


def _said(action: str, moved: list[int]) -> str:
    """Whoever comes second is told: what they said of it was not kept."""
    if not moved:
        return f"The reward was {deciding.DONE[action]} already: nothing was changed."
    return f"The reward is {deciding.DONE[action]}."


def _place(key: int) -> str:
    return place_of("reward", key) or url_for("rewards_pages.list_rewards")


def _page(key: int, status: int = 200, **forms: Any) -> ResponseReturnValue:
    session = current_session()
    reward = listing.get_reward(session, key, with_explanation=True)
    shown = {"hold_form": HoldForm(prefix="hold-", formdata=None),
             "decline_form": DeclineForm(prefix="decline-", formdata=None)}  # fmt: skip
    return show(
        "rewards/reward.html", status, **values_of(session, reward), **{**shown, **forms},
        opened=next(iter(forms), None),
    )  # fmt: skip
