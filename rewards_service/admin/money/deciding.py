"""What a person may do with a reward, and doing it to many: the words around `rewards.review`."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from flask import request
from sqlalchemy.orm import Session

from rewards_service.accounts.permissions import OWNER
from rewards_service.admin.money.forms import objection
from rewards_service.admin.pages import actor, role
from rewards_service.kit.errors import RewardsError
from rewards_service.payouts.queries import entry_sums
from rewards_service.rewards import review
from rewards_service.rewards.models import Reward
from rewards_service.rewards.review import LAWFUL, OF_PAYOUTS
from rewards_service.rewards.schemas import ACTIONS, BulkSchema

DONE = {"approve": "approved", "hold": "put on hold", "release": "released", "decline": "declined"}
# What takes a move back: the lawful move the other way, where there is one. What is declined is
# declined for good.
_BACK = {
    ("pending", "approved"): "hold", ("hold", "approved"): "hold", ("hold", "pending"): "hold",
    ("pending", "hold"): "release", ("approved", "hold"): "approve",
}  # fmt: skip


def possible(status: str) -> list[str]:
    """The actions by which a person may move a reward of this status."""
    return [
        action for action, to_status in ACTIONS.items()
        if to_status in LAWFUL[status] and (status, to_status) not in OF_PAYOUTS
    ]  # fmt: skip


CHOOSABLE = frozenset(status for status in LAWFUL if possible(status))


def way_back(from_status: str, to_status: str) -> str | None:
    """The action that takes a move back; None where the service knows no lawful one."""
    return _BACK.get((from_status, to_status))


def may_write_off() -> bool:
    """Whether who is asking may let a partner off a debt: as a key with the scope admin may."""
    return role() == OWNER


def order(action: str, reason: str | None, until: Any = None) -> review.Order:
    """An order of who is asking."""
    return review.Order(ACTIONS[action], reason, actor(), until)


class Wish(NamedTuple):
    """One decision on many rewards, as a form asks for it."""

    keys: list[int]
    action: str
    reason: str | None


class Sum(NamedTuple):
    """What many rewards come to in one currency."""

    currency: str
    number: int
    amount_minor: int


def read_wish() -> Wish:
    """The decision that the form of this request asks for. Raises ValidationError."""
    given: dict[str, Any] = {
        "ids": request.form.getlist("ids"), "action": request.form.get("action", ""),
    }  # fmt: skip
    if not given["ids"]:
        raise objection("ids", "Choose at least one reward.")
    if reason := request.form.get("reason", "").strip():
        given["reason"] = reason
    body: dict[str, Any] = BulkSchema().load(given)
    if ACTIONS[body["action"]] in review.NEED_A_REASON and not body.get("reason"):
        raise objection("reason", "To hold or to decline needs a reason: the partner may ask.")
    return Wish(list(dict.fromkeys(body["ids"])), body["action"], body.get("reason"))


def carry_out(session: Session, wish: Wish) -> Sequence[review.Result] | RewardsError:
    """What became of each reward, or why the order suits none."""
    try:
        return review.change_each(
            session, wish.keys, order(wish.action, wish.reason), may_write_off()
        )
    except RewardsError as refusal:
        if refusal.status >= 500:
            raise
        return refusal


def sums_of(session: Session, found: Sequence[Reward]) -> list[Sum]:
    """How many rewards there are in each currency, and what they come to."""
    amounts: Mapping[int, int] = entry_sums(session, [row.id for row in found])
    by_currency: dict[str, list[int]] = {}
    for row in found:
        by_currency.setdefault(row.currency, []).append(amounts.get(row.id, 0))
    return [Sum(name, len(some), sum(some)) for name, some in sorted(by_currency.items())]
