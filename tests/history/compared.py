"""Two worlds side by side: one that webhooks told of everything, one that fetched its history."""

import json
from typing import Any

from rewards_service.rewards.models import LedgerEntry, MetricEntry, Reward, RewardCount
from rewards_service.simulator.delivery import body, due
from rewards_service.simulator.faults import Faults
from rewards_service.simulator.site import Site
from rewards_service.transactions.models import Transaction
from tests.builders.world import World

# Sections of the digest that do not depend on how the service heard of a payment.
SAME = ("customers", "leads", "deals", "rewards", "balances")


def webhooks(site: Site) -> list[bytes]:
    """Every webhook of a site, its customers with the addresses that they have in the end.

    History knows no others: to that extent it cannot come to the same.
    """
    rows = site.tables["customer"].rows
    found = []
    for call in due(site, Faults()):
        event = json.loads(body(site, call))
        customer = event["content"].get("customer")
        if customer is not None:
            customer.pop("email", None)
            email = rows[customer["id"]].get("email")
            customer |= {"email": email} if email else {}
        found.append(json.dumps(event).encode())
    return found


def standing(world: World) -> set[tuple[Any, ...]]:
    """Payments, but for those that were withdrawn at Chargebee."""
    return {
        (row.chargebee_transaction_id, row.amount_minor, row.status, row.refunded_minor,
         row.partner_id, row.reason)
        for row in world.all(Transaction)
        if row.withdrawn_at is None
    }  # fmt: skip


def counts(world: World) -> set[tuple[Any, ...]]:
    """What rules that count have counted, and where invoices stand under them."""
    return {
        (row.invoice_id, row.rule_id, row.partner_id, row.counted_on, row.ordinal, row.position)
        for row in world.all(RewardCount)
    }


def metrics(world: World) -> set[tuple[Any, ...]]:
    """What each payment and refund added to a metric, and on which day."""
    return {
        (row.invoice_id, row.source_id, row.counted_on, row.amount_minor)
        for row in world.all(MetricEntry)
    }


def sums(world: World) -> dict[tuple[int, str], int]:
    """(partner, currency) -> what was posted."""
    rewards = {row.id: (row.partner_id, row.currency) for row in world.all(Reward)}
    found: dict[tuple[int, str], int] = {}
    for entry in world.all(LedgerEntry):
        slot = rewards[entry.reward_id]
        found[slot] = found.get(slot, 0) + entry.amount_minor
    return {slot: amount for slot, amount in found.items() if amount}
