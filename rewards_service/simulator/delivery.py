"""Webhooks as planned calls on the site's clock: who gets what, when, and what follows (pure).

A call is a plain row of `site.outbox`: event, endpoint, attempt, `due_ms`. The edge sends what is
due and tells the outcome; nothing here knows of HTTP.
"""

import json
from typing import Any

import orjson

from rewards_service.simulator.errors import not_found
from rewards_service.simulator.faults import Faults
from rewards_service.simulator.old_api import as_v1
from rewards_service.simulator.site import Row, Site
from rewards_service.simulator.wire import dumps

# Pauses before each further attempt: the last comes 3 days, 6 hours and 38 minutes later.
RETRY_S = (120, 360, 1_800, 3_600, 18_000, 86_400, 172_800)
SCHEDULED, SUCCEEDED, AGAIN, FAILED = "scheduled", "succeeded", "re_scheduled", "failed"
_WORST = (FAILED, AGAIN, SCHEDULED, SUCCEEDED)


def endpoints(site: Site, event_type: str) -> list[Row]:
    """Endpoints that want events of the type, the primary one first."""
    rows = [
        row
        for row in site.tables["webhook_endpoint"].rows.values()
        if not row.get("disabled") and not row.get("deleted")
        if not row.get("enabled_events") or event_type in row["enabled_events"]
    ]
    return sorted(rows, key=lambda row: not row.get("primary_url"))


def plan(site: Site, event: Row) -> None:
    """Plan the first call of each endpoint, one after another."""
    if site.silent:
        event["webhook_status"] = "disabled"
        return
    for endpoint in endpoints(site, event["event_type"]):
        event["webhooks"].append({"id": endpoint["id"], "webhook_status": SCHEDULED})
        _append(site, event["id"], endpoint["id"], 0, site.now_ms)
        event["webhook_status"] = SCHEDULED


def _append(site: Site, event_id: str, endpoint_id: str, attempt: int, due_ms: int) -> None:
    call = site.counters["call"] = site.counters.get("call", 0) + 1
    site.outbox[call] = {
        "call": call, "event_id": event_id, "endpoint_id": endpoint_id, "attempt": attempt,
        "due_ms": due_ms, "placed": False,
    }  # fmt: skip


def due(site: Site, faults: Faults) -> list[Row]:
    """The calls to make now, in their order; faults are dealt out once for each call."""
    for call in [call for call in site.outbox.values() if not call["placed"]]:
        _place(site, faults, call)
    return sorted(
        (call for call in site.outbox.values() if call["due_ms"] <= site.now_ms),
        key=lambda call: (call["due_ms"], call["call"]),
    )


def next_due_ms(site: Site) -> int | None:
    """When the next call is due on the site's clock; None when none is planned."""
    return min((call["due_ms"] for call in site.outbox.values()), default=None)


def _place(site: Site, faults: Faults, call: Row) -> None:
    """Deal out the faults of a new call: held back, sent twice, never sent."""
    key = f"{call['event_id']}:{call['endpoint_id']}:{call['attempt']}"
    call["placed"] = True
    call["due_ms"] += faults.delay_s * 1000
    if site.chance(f"reorder:{key}") < faults.reorder:
        call["due_ms"] += int(site.chance(f"reorder_s:{key}") * faults.reorder_s * 1000)
    call["dropped"] = site.chance(f"drop:{key}") < faults.drop
    call["wrong_password"] = site.chance(f"password:{key}") < faults.wrong_password
    if site.chance(f"duplicate:{key}") < faults.duplicate:
        twin = dict(call, call=site.counters["call"] + 1, twin=True)
        twin["due_ms"] += int(site.chance(f"twin_s:{key}") * faults.reorder_s * 1000)
        site.counters["call"] += 1
        site.outbox[twin["call"]] = twin


def body(site: Site, call: Row) -> bytes:
    """The bytes of a call: the event as its endpoint wants it."""
    event = site.tables["event"].rows[call["event_id"]]
    endpoint = site.tables["webhook_endpoint"].rows[call["endpoint_id"]]
    found: dict[str, Any] = {
        "id": event["id"], "occurred_at": event["occurred_at"], "source": event["source"],
        "object": "event", "api_version": endpoint["api_version"],
        "content": orjson.Fragment(event["content"]), "event_type": event["event_type"],
        "webhook_status": event["webhook_status"],
        "webhooks": [{**hook, "object": "webhook"} for hook in event["webhooks"]],
    }  # fmt: skip
    if "user" in event:
        found["user"] = event["user"]
    card = _card(site, event) if endpoint.get("send_card_resource") else None
    if card is not None or endpoint["api_version"] == "v1":
        content = json.loads(event["content"])
        found["content"] = content if card is None else {**content, "card": card}
    if endpoint["api_version"] == "v1":
        found = as_v1(found)
    return dumps(found)


def _card(site: Site, event: Row) -> Row | None:
    customer = json.loads(event["content"]).get("customer")
    return None if customer is None else site.cards.get(customer["id"])


def settle(site: Site, call: Row, succeeded: bool) -> None:
    """The outcome of a call: done, again after a pause, or failed for good after the last."""
    site.outbox.pop(call["call"], None)
    if call.get("twin"):
        return
    status = SUCCEEDED
    if not succeeded:
        status = FAILED if call["attempt"] >= len(RETRY_S) else AGAIN
    if status == AGAIN:
        due_ms = site.now_ms + RETRY_S[call["attempt"]] * 1000
        _append(site, call["event_id"], call["endpoint_id"], call["attempt"] + 1, due_ms)
    _mark(site, call, status)


def _mark(site: Site, call: Row, status: str) -> None:
    event = site.tables["event"].rows[call["event_id"]]
    for hook in event["webhooks"]:
        if hook["id"] == call["endpoint_id"]:
            hook["webhook_status"] = status
    found = {hook["webhook_status"] for hook in event["webhooks"]}
    event["webhook_status"] = next(word for word in _WORST if word in found)


def resend(site: Site, event_id: str) -> int:
    """Send an event again by hand, as the page of Chargebee's events can; how many calls."""
    event = site.tables["event"].rows.get(event_id)
    if event is None:
        raise not_found("event", event_id)
    event["webhooks"] = []
    plan(site, event)
    return len(event["webhooks"])
