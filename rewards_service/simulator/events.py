"""The event log: every change leaves an event with its objects as they were then (pure)."""

from typing import Any

import orjson

from rewards_service.simulator import delivery
from rewards_service.simulator.site import Row, Site
from rewards_service.simulator.wire import dumps


def emit(site: Site, event_type: str, **content: Row | list[Row] | None) -> None:
    """Note an event and plan its webhooks. Members that are None are left out.

    The content is frozen as JSON at once: objects change, what an event says does not.
    """
    if site.unrecorded:
        return
    site.now_ms += 1
    row: Row = {
        "id": site.new_id("ev"),
        "occurred_at": site.now,
        "source": site.source,
        "event_type": event_type,
        "webhook_status": "not_configured",
        "webhooks": [],
        "content": dumps({name: value for name, value in content.items() if value is not None})
        .decode(),
    }  # fmt: skip
    if site.user is not None:
        row["user"] = site.user
    site.add("event", row)
    delivery.plan(site, row)


def shown(row: Row) -> dict[str, Any]:
    """An event as the API answers with it."""
    found = {
        "id": row["id"], "occurred_at": row["occurred_at"], "source": row["source"],
        "object": "event", "api_version": "v2", "content": orjson.Fragment(row["content"]),
        "event_type": row["event_type"], "webhook_status": row["webhook_status"],
    }  # fmt: skip
    if "user" in row:
        found["user"] = row["user"]
    if row["webhooks"]:
        found["webhooks"] = [{**call, "object": "webhook"} for call in row["webhooks"]]
    return found
