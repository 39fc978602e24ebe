"""One decision on many rewards of the queue, each by itself, with what became of each."""

from collections.abc import Sequence
from typing import Any

from flask import redirect, request
from flask.typing import ResponseReturnValue
from marshmallow import ValidationError
from sqlalchemy import select

from rewards_service.admin.doing import Undo, tell
from rewards_service.admin.money import deciding, names
from rewards_service.admin.money.blueprints import rewards as blueprint
from rewards_service.admin.money.reward_list import draw, rows_of
from rewards_service.admin.pages import show
from rewards_service.kit import ids
from rewards_service.kit.errors import RewardsError
from rewards_service.kit.problems import walk
from rewards_service.kit.web import current_session
from rewards_service.rewards.models import Reward
from rewards_service.rewards.review import Result
from rewards_service.rewards.schemas import ACTIONS

# For good: said first what it comes to, and done when it is confirmed.
_CONFIRMED = ("decline",)


@blueprint.page("", permission="rewards:write", methods=("POST",))
def review_rewards() -> ResponseReturnValue:
    """Approve, hold or decline the chosen ones; what one is refused does not stop the others."""
    try:
        wish = deciding.read_wish()
    except ValidationError as error:
        return draw(422, objections=[one["detail"] for one in walk(error.messages, "")])
    session = current_session()
    rows = list(session.scalars(select(Reward).where(Reward.id.in_(wish.keys)).order_by(Reward.id)))
    if wish.action in _CONFIRMED and request.form.get("confirmed") != "yes":
        return show(
            "rewards/confirm.html", wish=wish, rows=rows_of(session, rows), names=names,
            sums=deciding.sums_of(session, rows), address=_back(),
        )  # fmt: skip
    undo = _undo(wish, rows)
    results = deciding.carry_out(session, wish)
    if isinstance(results, RewardsError):
        session.rollback()
        return draw(422, objections=[results.detail])
    refused = [one for one in results if not one.ok]
    if not refused:
        tell(f"{_said(results, wish.action)}.", undo)
        return redirect(_back(), 303)
    return show("rewards/results.html", **_told(wish, results, rows))


def _undo(wish: deciding.Wish, rows: list[Reward]) -> Undo | None:
    """What takes it back, where that is one lawful move for all of them; rows as they are before.

    Who was there already does not move back: then there is none.
    """
    ways = {deciding.way_back(row.status, ACTIONS[wish.action]) for row in rows}
    if len(ways) != 1 or (action := ways.pop()) is None:
        return None
    names = [ids.encode("rew", row.id) for row in rows]
    return _back(), {"ids": names, "action": action, "reason": "Taken back by whoever did it"}


def _told(wish: deciding.Wish, results: Any, rows: list[Reward]) -> dict[str, Any]:
    session = current_session()
    known = {row.reward.id: row for row in rows_of(session, rows)}
    lines = [(one, ids.encode("rew", one.reward_key), known.get(one.reward_key)) for one in results]
    done = [line for line in lines if line[0].ok]
    return {
        "lines": sorted(lines, key=lambda line: line[0].ok), "names": names, "address": _back(),
        "done": _said([line[0] for line in done], wish.action),
        "refused": len(lines) - len(done), "word": deciding.DONE[wish.action],
    }  # fmt: skip


def _said(done: Sequence[Result], action: str) -> str:
    """What was done, and of how many it was so before: of those nothing that was said is kept."""
    already = sum(not one.moved for one in done)
    said = f"{_count(len(done) - already)} {deciding.DONE[action]}"
    if not already:
        return said
    return f"{said}; {already} {'was' if already == 1 else 'were'} so already"


def _back() -> str:
    return request.full_path.rstrip("?")


def _count(number: int) -> str:
    return "1 reward" if number == 1 else f"{number} rewards"
