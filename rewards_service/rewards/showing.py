"""Rewards as the API shows them. Rows instead of objects: a page of them is asked for often."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Row, Select, select
from sqlalchemy.orm import Session

from rewards_service.audit.service import MACHINE
from rewards_service.crm.customer_routes import known_customers
from rewards_service.kit.db import table_of
from rewards_service.kit.errors import NotFound
from rewards_service.kit.own import confined_to, is_foreign
from rewards_service.kit.pages import Page, Paging, fetch
from rewards_service.programs.models import RewardRuleVersion
from rewards_service.programs.queries import rules_for
from rewards_service.rewards import listing
from rewards_service.rewards.models import Reward
from rewards_service.rewards.timers import ACTOR
from rewards_service.transactions.listing import own_transactions

HOUSE = "house"  # whoever of the house it was, as partners see it
# Members of the answer by the columns that hold them. The key comes first, as pages want it.
_REWARD, _VERSION = table_of(Reward).c, table_of(RewardRuleVersion).c
_COLUMNS = {
    "id": _REWARD.id, "partner_id": _REWARD.partner_id, "customer_id": _REWARD.customer_id,
    "transaction_id": _REWARD.transaction_id, "chargebee_invoice_id": _REWARD.invoice_id,
    "rule_id": _VERSION.rule_id, "rule_version": _VERSION.version,
    "seq": _REWARD.seq, "currency": _REWARD.currency, "status": _REWARD.status,
    "hold_reason": _REWARD.hold_reason, "hold_until_on": _REWARD.hold_until_on,
    "flags": _REWARD.flags, "available_on": _REWARD.available_on,
    "created_at": _REWARD.created_at,
}  # fmt: skip
_ROWS: Select[Any] = select(*_COLUMNS.values()).join_from(
    table_of(Reward), table_of(RewardRuleVersion), _VERSION.id == _REWARD.rule_version_id,
    isouter=True,
)  # fmt: skip


def list_rewards(
    session: Session, paging: Paging, wanted: Mapping[str, Any], own: int | None
) -> Page:
    """A page of rows for `shown`; the arguments are those of `listing.list_rewards`."""
    query = listing.matching(_ROWS, wanted, own)
    return fetch(session, query, _REWARD.id, paging, _REWARD.created_at)


def show(session: Session, reward_id: int, own: int | None = None) -> dict[str, Any]:
    """One reward. Raises NotFound; with `own` also for one of another partner."""
    session.flush()
    found = session.execute(_ROWS.where(_REWARD.id == reward_id)).one_or_none()
    if found is None or is_foreign(found.partner_id, own):
        raise NotFound("There is no such reward.")
    return shown(session, [found])[0]


def shown(session: Session, rows: Sequence[Row[Any]]) -> list[dict[str, Any]]:
    """What the key of this request may see of these rewards."""
    found = [dict(zip(_COLUMNS, row, strict=True)) for row in rows]
    keys = [one["id"] for one in found]
    entries = listing.entries_of(session, keys)
    transactions = listing.transactions_of(session, keys)
    may_name = _namable(session, found, transactions)
    is_house = confined_to() is None
    for one in found:
        key = one["id"]
        posted = entries[key]
        one["customer_id"] = may_name.customers.get(one["customer_id"])
        one["rule_id"] = may_name.rules.get(one["rule_id"])
        one["transaction_id"] = may_name.transactions.get(one["transaction_id"])
        one["transaction_ids"] = [n for n in transactions[key] if n in may_name.transactions]
        one["amount_minor"] = sum([entry.amount_minor for entry in posted])
        one["entries"] = [_entry(entry, is_house) for entry in posted]
        one["hold_reason"] = one["hold_reason"] if is_house else None
        one["flags"] = (one["flags"] or []) if is_house else []
    return found


class _Namable(NamedTuple):
    """What the key of this request may name, each by itself."""

    customers: Mapping[int | None, int]
    rules: Mapping[int, int]
    transactions: Mapping[int, int]


def _namable(
    session: Session,
    rewards: Sequence[Mapping[str, Any]],
    transactions: Mapping[int, Sequence[int]],
) -> _Namable:
    rules = {one["rule_id"] for one in rewards}
    paid = {one["transaction_id"] for one in rewards}.union(*transactions.values())
    if (own := confined_to()) is not None:
        rules = rules_for(session, own, rules)
        paid = own_transactions(session, paid, own)
    return _Namable(
        known_customers([one["customer_id"] for one in rewards]),
        {key: key for key in rules},
        {key: key for key in paid},
    )


def _entry(entry: listing.Entry, is_house: bool) -> dict[str, Any]:
    return {
        "kind": entry.kind,
        "amount_minor": entry.amount_minor,
        "cause_event": entry.cause_event_id,
        "reason": entry.reason,
        "actor": entry.actor if is_house or entry.actor is None else HOUSE,
        "at": entry.posted_at,
    }


def shown_actor(actor: str | None) -> str | None:
    """Who did something, as partners may see it: no people or keys of the house."""
    return actor if actor in (None, MACHINE, ACTOR) else HOUSE
