"""What people decide under /api/v1/events and /api/v1/customers, where money follows at once."""

from collections.abc import Sequence
from typing import Any

from rewards_service.accounts.auth import current_actor
from rewards_service.crm.customer_routes import blueprint as customers
from rewards_service.crm.customer_routes import show_customers
from rewards_service.crm.customer_service import get_customer
from rewards_service.crm.models import Customer
from rewards_service.crm.near_misses import NearMiss
from rewards_service.crm.schemas import CustomerChangeSchema
from rewards_service.inbox.routes import NO_RESULTS
from rewards_service.inbox.routes import blueprint as events
from rewards_service.kit.web import current_session, path_key
from rewards_service.transactions.models import Transaction
from rewards_service.webhooks import looking, reattribution, workbench
from rewards_service.webhooks.consequences import RewardChange, totals
from rewards_service.webhooks.workbench_schemas import (
    AttachedSchema,
    AttachSchema,
    ChangedCustomerSchema,
    NearMissesSchema,
    ReplayedSchema,
    ReplaySchema,
)

DECIDE = "crm:write"  # it decides who brought whom, as entering a lead does
REPLAY = "events:replay"
BLUEPRINTS = (customers, events)  # with the operations added here


@events.operation(
    "POST", "/events/<event_id>/attach", scope=DECIDE, body=AttachSchema, answer=AttachedSchema
)
def attach_event(body: dict[str, Any], event_id: str) -> Any:
    """Match a payment by hand, with its rewards, whenever the lead or deal was registered."""
    session = current_session()
    chosen = next(
        (kind, body[f"{kind}_id"]) for kind in ("lead", "deal", "customer") if f"{kind}_id" in body
    )
    done = workbench.attach_event(
        session, path_key("evt", event_id), chosen, body["reason"], current_actor(),
        dry_run=body["dry_run"],
    )  # fmt: skip
    is_there = session.get(Customer, done.customer_id) is not None
    return {
        "dry_run": body["dry_run"],
        "state": done.event["state"],
        "outcome": done.event["outcome"],
        "results": _surviving(done.event["results"]),
        "customer_id": done.customer_id if is_there else None,
        "customer_is_new": done.customer_is_new,
        "transactions": done.transactions,
        "rewards": show_changes(done.changes),
    }


@events.operation(
    "POST", "/events/<event_id>/replay", scope=REPLAY, body=ReplaySchema, answer=ReplayedSchema
)
def replay_event(body: dict[str, Any], event_id: str) -> Any:
    """Handle an event once more, by the options it met when it came; nothing is posted twice."""
    done = workbench.replay_event(
        current_session(), path_key("evt", event_id), body["dry_run"], current_actor(),
        body.get("reason"),
    )  # fmt: skip
    same = ("state", "outcome", "results")
    return {
        **done.after,
        "dry_run": body["dry_run"],
        "results": _surviving(done.after["results"]),
        "before": done.before,
        "changed": any(done.before[name] != done.after[name] for name in same)
        or bool(done.changes),
        "rewards": show_changes(done.changes),
    }


@events.operation(
    "GET", "/events/<event_id>/near-misses", scope="crm:read", answer=NearMissesSchema
)
def list_near_misses(event_id: str) -> Any:
    """Leads, deals and customers that a payment almost matched, and why they did not match."""
    owner, found = looking.near_misses_of(current_session(), path_key("evt", event_id))
    return {
        "customer_id": owner,
        "leads": [_near(one, _LEAD) for one in found.leads],
        "deals": [_near(one, _DEAL) for one in found.deals],
        "customers": [_near(one, _CUSTOMER) for one in found.customers],
    }


_LEAD = ("id", "email", "status", "partner_id", "registered_at")
_DEAL = ("id", "name", "contact_email", "stage", "partner_id", "registered_at")
_CUSTOMER = ("id", "name", "email", "source_partner_id")


def _near(one: NearMiss, names: Sequence[str]) -> dict[str, Any]:
    shown = {name: getattr(one.thing, name) for name in names}
    return {**shown, "why": one.why, "attachable": one.attachable}


@customers.operation(
    "PATCH", "/customers/<customer_id>", scope=DECIDE, body=CustomerChangeSchema,
    answer=ChangedCustomerSchema,
)  # fmt: skip
def change_customer(body: dict[str, Any], customer_id: str) -> Any:
    """Change what is given; another source partner needs a reason, and may go back in time."""
    session, key = current_session(), path_key("cus", customer_id)
    moved = reattribution.change_customer(session, key, body, current_actor())
    return {
        **show_customers([get_customer(session, key)])[0],
        "dry_run": body.get("dry_run", False),
        "reward_changes": show_changes(moved.changes),
        "reward_totals": [
            {"partner_id": partner_id, "currency": currency, "amount_minor": amount}
            for (partner_id, currency), amount in totals(moved.changes).items()
        ],
        "kept_invoice_ids": [invoice_id for _, invoice_id in moved.kept],
    }


def show_changes(changes: Sequence[RewardChange]) -> list[dict[str, Any]]:
    """Changes of rewards as the API shows them."""
    return [{**one._asdict(), "amount_minor": one.amount_minor} for one in changes]


def _surviving(results: dict[str, Any]) -> dict[str, Any]:
    """Results without what only a dry run had made."""
    session = current_session()
    shown = {**NO_RESULTS, **results}
    for name, model in (("customer_id", Customer), ("transaction_id", Transaction)):
        if shown[name] is not None and session.get(model, shown[name]) is None:
            shown[name] = None
    return shown
