"""/api/v1/rewards."""

from typing import Any

from rewards_service.accounts.auth import current_actor, current_caller
from rewards_service.accounts.service import ADMIN
from rewards_service.kit.lists import FormatQuery, page_answer, paging
from rewards_service.kit.own import own_partner
from rewards_service.kit.web import Resource, current_session, path_key
from rewards_service.programs.queries import rules_for
from rewards_service.rewards import adjusting, listing, review, showing
from rewards_service.rewards.explaining import render
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

blueprint = Resource("rewards", "What partners earn")

READ, WRITE = "rewards:read", "rewards:write"


@blueprint.operation(
    "GET", "/rewards", scope=READ, query=RewardQuerySchema, answer=RewardPageSchema,
    for_partners=True,
)  # fmt: skip
def list_rewards(query: dict[str, Any]) -> Any:
    """List rewards."""
    page = showing.list_rewards(current_session(), paging(query), query, own_partner())
    return page_answer(query, page, showing.shown(current_session(), page.rows))


@blueprint.operation(
    "GET", "/rewards/<reward_id>", scope=READ, answer=RewardSchema, for_partners=True
)
def get_reward(reward_id: str) -> Any:
    """Get one reward."""
    return showing.show(current_session(), path_key("rew", reward_id), own_partner())


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
    return {**one, "actor": showing.shown_actor(one["actor"]), "reason": reason}


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
    return showing.show(current_session(), row.id)


def _decide(reward_id: str, action: str, body: dict[str, Any]) -> dict[str, Any]:
    session, key = current_session(), path_key("rew", reward_id)
    order = review.Order(ACTIONS[action], body.get("reason"), current_actor(), body.get("until"))
    review.decide(session, [key], order, current_caller().may(ADMIN))
    return showing.show(session, key)
