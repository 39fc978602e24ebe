"""/api/v1/rewards."""

from collections.abc import Sequence
from typing import Any

from rewards_service.kit.lists import page_answer, paging
from rewards_service.kit.web import Resource, current_session, path_key
from rewards_service.rewards import listing
from rewards_service.rewards.explaining import render
from rewards_service.rewards.models import LedgerEntry, Reward
from rewards_service.rewards.schemas import (
    ExplanationSchema,
    RewardPageSchema,
    RewardQuerySchema,
    RewardSchema,
)

blueprint = Resource("rewards", "What partners earn")

READ = "rewards:read"
PLAIN = (
    "id", "partner_id", "customer_id", "transaction_id", "seq", "currency", "status",
    "hold_reason", "available_on", "created_at",
)  # fmt: skip


@blueprint.operation(
    "GET", "/rewards", scope=READ, query=RewardQuerySchema, answer=RewardPageSchema
)
def list_rewards(query: dict[str, Any]) -> Any:
    """List rewards."""
    page = listing.list_rewards(current_session(), paging(query), query)
    return page_answer(query, page, _shown([row[0] for row in page.rows]))


@blueprint.operation("GET", "/rewards/<reward_id>", scope=READ, answer=RewardSchema)
def get_reward(reward_id: str) -> Any:
    """Get one reward."""
    return _shown([listing.get_reward(current_session(), path_key("rew", reward_id))])[0]


@blueprint.operation(
    "GET", "/rewards/<reward_id>/explanation", scope=READ, answer=ExplanationSchema
)
def explain_reward(reward_id: str) -> Any:
    """How a reward came about, step by step and in words."""
    reward = listing.get_reward(
        current_session(), path_key("rew", reward_id), with_explanation=True
    )
    return {**render(reward.explanation), "reward_id": reward.id}


def _shown(rewards: Sequence[Reward]) -> list[dict[str, Any]]:
    session, keys = current_session(), [reward.id for reward in rewards]
    entries = listing.entries_of(session, keys)
    rules = listing.rules_of(session, rewards)
    transactions = listing.transactions_of(session, keys)
    return [
        {
            **{name: getattr(reward, name) for name in PLAIN},
            "chargebee_invoice_id": reward.invoice_id,
            "rule_id": rules[reward.rule_version_id][0],
            "rule_version": rules[reward.rule_version_id][1],
            "transaction_ids": transactions[reward.id],
            "amount_minor": sum(entry.amount_minor for entry in entries[reward.id]),
            "entries": [_entry(entry) for entry in entries[reward.id]],
        }
        for reward in rewards
    ]


def _entry(entry: LedgerEntry) -> dict[str, Any]:
    return {
        "kind": entry.kind,
        "amount_minor": entry.amount_minor,
        "cause_event": entry.cause_event_id,
        "at": entry.posted_at,
    }
