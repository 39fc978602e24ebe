"""/api/v1/rewards."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from rewards_service.accounts.auth import current_actor, current_caller
from rewards_service.accounts.service import ADMIN
from rewards_service.audit.service import MACHINE
from rewards_service.crm.customer_routes import known_customers
from rewards_service.kit.lists import FormatQuery, page_answer, paging
from rewards_service.kit.own import confined_to, own_partner
from rewards_service.kit.web import Resource, current_session, path_key
from rewards_service.programs.queries import rules_for
from rewards_service.rewards import adjusting, listing, review
from rewards_service.rewards.explaining import render
from rewards_service.rewards.models import LedgerEntry, Reward
from rewards_service.rewards.schemas import (
    ACTIONS,
    ActivityListSchema,
    AdjustmentSchema,
    BulkAnswerSchema,
    BulkSchema,
    DecisionSchema,
    ExplanationSchema,
    HoldSchema,
    RefusalSchema,
    RewardPageSchema,
    RewardQuerySchema,
    RewardSchema,
)
from rewards_service.rewards.timers import ACTOR
from rewards_service.transactions.listing import own_transactions

blueprint = Resource("rewards", "What partners earn")

READ, WRITE = "rewards:read", "rewards:write"
HOUSE = "house"  # whoever of the house it was, as partners see it
PLAIN = (
    "id", "partner_id", "customer_id", "transaction_id", "seq", "currency", "status",
    "hold_until_on", "available_on", "created_at",
)  # fmt: skip


@blueprint.operation(
    "GET", "/rewards", scope=READ, query=RewardQuerySchema, answer=RewardPageSchema,
    for_partners=True,
)  # fmt: skip
def list_rewards(query: dict[str, Any]) -> Any:
    """List rewards."""
    page = listing.list_rewards(current_session(), paging(query), query, own_partner())
    return page_answer(query, page, _shown([row[0] for row in page.rows]))


@blueprint.operation(
    "GET", "/rewards/<reward_id>", scope=READ, answer=RewardSchema, for_partners=True
)
def get_reward(reward_id: str) -> Any:
    """Get one reward."""
    key = path_key("rew", reward_id)
    return _shown([listing.get_reward(current_session(), key, own=own_partner())])[0]


@blueprint.operation(
    "GET", "/rewards/<reward_id>/explanation", scope=READ, answer=ExplanationSchema,
    for_partners=True,
)  # fmt: skip
def explain_reward(reward_id: str) -> Any:
    """How a reward came about, step by step and in words."""
    session, own = current_session(), own_partner()
    key = path_key("rew", reward_id)
    reward = listing.get_reward(session, key, with_explanation=True, own=own)
    entries = listing.entries_of(session, [reward.id])[reward.id]
    stored, is_own = reward.explanation, True
    if own is not None and "rule" in stored:
        stored, is_own = _confined(stored, own)
    explained = adjusting.explain(render(stored), entries, reward.currency)
    rule = explained["rule"] if is_own else None
    return {**explained, "rule": rule, "reward_id": reward.id}


def _confined(stored: dict[str, Any], own: int) -> tuple[dict[str, Any], bool]:
    """What led to a reward without the rules that are for others, and whether its own is not."""
    rule, skipped = stored["rule"], stored["skipped"]
    named = [rule["rule_id"], *(rule_id for rule_id, _ in skipped)]
    known = rules_for(current_session(), own, named)
    is_own = rule["rule_id"] in known
    shown = rule if is_own else {**rule, "name": "of another programme"}
    return {**stored, "rule": shown, "skipped": [one for one in skipped if one[0] in known]}, is_own


@blueprint.operation(
    "GET", "/rewards/<reward_id>/activity", scope=READ, query=FormatQuery,
    answer=ActivityListSchema, for_partners=True,
)  # fmt: skip
def list_activity(_query: dict[str, Any], reward_id: str) -> Any:
    """What happened to a reward: entries and moves with who, why and when, the oldest first."""
    session, own = current_session(), own_partner()
    reward = listing.get_reward(session, path_key("rew", reward_id), own=own)
    happened = listing.activity_of(session, reward.id)
    return {"data": happened if own is None else [_without_notes(one) for one in happened]}


def _without_notes(one: dict[str, Any]) -> dict[str, Any]:
    """What happened as a partner may see it: notes on moves are for the house, and so is who."""
    reason = None if one["kind"] == listing.MOVE else one["reason"]
    return {**one, "actor": shown_actor(one["actor"]), "reason": reason}


def shown_actor(actor: str | None) -> str | None:
    """Who did something, as partners may see it: no people or keys of the house."""
    return actor if actor in (None, MACHINE, ACTOR) else HOUSE


@blueprint.operation(
    "POST", "/rewards/<reward_id>/approve", scope=WRITE, body=DecisionSchema, answer=RewardSchema
)
def approve_reward(body: dict[str, Any], reward_id: str) -> Any:
    """Let a reward be paid out; approving it again changes nothing."""
    return _decide(reward_id, "approve", body)


@blueprint.operation(
    "POST", "/rewards/<reward_id>/decline", scope=WRITE, body=RefusalSchema, answer=RewardSchema
)
def decline_reward(body: dict[str, Any], reward_id: str) -> Any:
    """Refuse a reward for good."""
    return _decide(reward_id, "decline", body)


@blueprint.operation(
    "POST", "/rewards/<reward_id>/hold", scope=WRITE, body=HoldSchema, answer=RewardSchema
)
def hold_reward(body: dict[str, Any], reward_id: str) -> Any:
    """Let a reward wait for a person, or until a day is over."""
    return _decide(reward_id, "hold", body)


@blueprint.operation(
    "POST", "/rewards/<reward_id>/release", scope=WRITE, body=DecisionSchema, answer=RewardSchema
)
def release_reward(body: dict[str, Any], reward_id: str) -> Any:
    """End a hold: the reward is pending again, and not held for that reason any more."""
    return _decide(reward_id, "release", body)


@blueprint.operation("POST", "/rewards/bulk", scope=WRITE, body=BulkSchema, answer=BulkAnswerSchema)
def decide_many(body: dict[str, Any]) -> Any:
    """One action on up to 200 rewards; what one is refused does not stop the others."""
    session = current_session()
    order = review.Order(
        ACTIONS[body["action"]], body.get("reason"), current_actor(), body.get("until")
    )
    results = review.change_each(session, body["ids"], order, current_caller().may(ADMIN))
    statuses = listing.statuses_of(session, body["ids"])
    return {
        "results": [
            {
                "id": result.reward_key,
                "ok": result.ok,
                "status": statuses.get(result.reward_key),
                "code": result.code,
                "detail": result.detail,
            }
            for result in results
        ]
    }


@blueprint.operation(
    "POST", "/rewards/<reward_id>/adjust", scope=WRITE, body=AdjustmentSchema, answer=RewardSchema
)
def adjust_reward(body: dict[str, Any], reward_id: str) -> Any:
    """Add to a reward by hand; the reward that carries the entry, a new one beside a settled."""
    row = adjusting.adjust(
        current_session(), path_key("rew", reward_id), body["amount_minor"], body["reason"],
        current_actor(), current_caller().may(ADMIN),
    )  # fmt: skip
    return _shown([row])[0]


def _decide(reward_id: str, action: str, body: dict[str, Any]) -> dict[str, Any]:
    session, key = current_session(), path_key("rew", reward_id)
    order = review.Order(ACTIONS[action], body.get("reason"), current_actor(), body.get("until"))
    review.decide(session, [key], order, current_caller().may(ADMIN))
    return _shown([listing.get_reward(session, key)])[0]


def _shown(rewards: Sequence[Reward]) -> list[dict[str, Any]]:
    session, keys = current_session(), [reward.id for reward in rewards]
    entries = listing.entries_of(session, keys)
    rules = listing.rules_of(session, rewards)
    transactions = listing.transactions_of(session, keys)
    may_name = _namable(rewards, rules, transactions)
    customers = known_customers([reward.customer_id for reward in rewards])
    for_house = confined_to() is None
    return [
        {
            **{name: getattr(reward, name) for name in PLAIN},
            "customer_id": customers.get(reward.customer_id),
            "hold_reason": reward.hold_reason if for_house else None,
            "flags": (reward.flags or []) if for_house else [],
            "chargebee_invoice_id": reward.invoice_id,
            "rule_id": may_name.rules.get(rules[reward.rule_version_id][0]),
            "rule_version": rules[reward.rule_version_id][1],
            "transaction_id": may_name.transactions.get(reward.transaction_id),
            "transaction_ids": [
                key for key in transactions[reward.id] if key in may_name.transactions
            ],
            "amount_minor": sum(entry.amount_minor for entry in entries[reward.id]),
            "entries": [_entry(entry) for entry in entries[reward.id]],
        }
        for reward in rewards
    ]


class _Namable(NamedTuple):
    """What the key of this request may name, each by itself."""

    rules: dict[int, int]
    transactions: dict[int, int]


def _namable(
    rewards: Sequence[Reward],
    rules: Mapping[int, tuple[int, int]],
    transactions: Mapping[int, Sequence[int]],
) -> _Namable:
    rule_ids = {rule_id for rule_id, _ in rules.values()}
    paid = {reward.transaction_id for reward in rewards}.union(*transactions.values())
    if (own := confined_to()) is not None:
        rule_ids = rules_for(current_session(), own, rule_ids)
        paid = own_transactions(current_session(), paid, own)
    return _Namable({key: key for key in rule_ids}, {key: key for key in paid})


def _entry(entry: LedgerEntry) -> dict[str, Any]:
    return {
        "kind": entry.kind,
        "amount_minor": entry.amount_minor,
        "cause_event": entry.cause_event_id,
        "reason": entry.reason,
        "actor": entry.actor if entry.actor is None or confined_to() is None else HOUSE,
        "at": entry.posted_at,
    }
