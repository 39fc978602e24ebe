"""/api/v1/events."""

from collections.abc import Sequence
from typing import Any

from flask import Response, current_app, json

from rewards_service.accounts.auth import current_actor
from rewards_service.inbox import listing, verification
from rewards_service.inbox.models import ReceivedEvent
from rewards_service.inbox.schemas import (
    EventPageSchema,
    EventQuerySchema,
    EventSchema,
    EventWithBodySchema,
)
from rewards_service.kit import bells, ids
from rewards_service.kit.lists import page_answer, paging
from rewards_service.kit.queue import VERIFICATIONS
from rewards_service.kit.web import Resource, current_session, path_key

blueprint = Resource("events", "What Chargebee sent, and what became of it")

PLAIN = (
    "id", "integration_id", "event_id", "event_type", "occurred_at", "received_at", "source",
    "webhook_at", "state", "outcome", "attempts", "error", "other_body_seen", "finished_at",
)  # fmt: skip
NO_RESULTS: dict[str, Any] = {
    "lead_id": None,
    "customer_id": None,
    "deal_ids": [],
    "transaction_id": None,
}
_BOM = "\ufeff"


@blueprint.operation(
    "GET", "/events", scope="events:read", query=EventQuerySchema, answer=EventPageSchema
)
def list_events(query: dict[str, Any]) -> Any:
    """List received events."""
    page = listing.list_events(current_session(), paging(query), query)
    return page_answer(query, page, _shown([row[0] for row in page.rows]))


@blueprint.operation("GET", "/events/<event_id>", scope="events:read", answer=EventWithBodySchema)
def get_event(event_id: str) -> Any:
    """Get one event with its body."""
    event = listing.get_event(current_session(), path_key("evt", event_id))
    shown = json.dumps(EventSchema().dump(_shown([event])[0]))
    # The body is passed on as the JSON it is: read and written again, it could lose digits.
    body = event.body.decode().removeprefix(_BOM) or "null"  # null: kept long enough
    answer: Response = current_app.response_class(
        f'{shown[:-1]}, "body": {body}}}', mimetype="application/json"
    )
    return answer


@blueprint.operation(
    "POST", "/events/<event_id>/verify", scope="events:replay", status=202, answer=EventSchema
)
def verify_event(event_id: str) -> Any:
    """Ask Chargebee once more about an event that was refused; it is handled with the answer."""
    event = verification.ask_again(current_session(), path_key("evt", event_id), current_actor())
    bells.ring(VERIFICATIONS)
    return _shown([event])[0]


def _verification(event: ReceivedEvent) -> dict[str, Any] | None:
    if event.verification is None:
        return None
    return {
        "state": event.verification,
        "note": event.verification_note,
        "tries": event.verification_tries,
    }


def _shown(events: Sequence[ReceivedEvent]) -> list[dict[str, Any]]:
    rewards = listing.rewards_of_events(current_session(), events)
    return [
        {
            **{name: getattr(event, name) for name in PLAIN},
            "verification": _verification(event),
            "results": {
                **NO_RESULTS,
                **_results(event),
                "reward_ids": rewards.get(event.id, []),
            },
        }
        for event in events
    ]


def _results(event: ReceivedEvent) -> dict[str, Any]:
    found: dict[str, Any] = event.results or {}
    observed = found.get("observed")
    if observed and isinstance(observed.get("customer"), int):
        observed = {**observed, "customer": ids.encode("cus", observed["customer"])}
        found = {**found, "observed": observed}
    return found
