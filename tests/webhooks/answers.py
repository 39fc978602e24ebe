"""Bodies to post to the webhook endpoint, and what its answers must be like."""

import json
from base64 import b64encode

from werkzeug.test import TestResponse

from rewards_service.inbox.models import ReceivedEvent
from tests.builders.chargebee import paid
from tests.builders.world import World

ADA = "ada@one.example"


def body_of(event_id: str) -> bytes:
    return json.dumps(paid("p", "cb_1", ADA) | {"id": event_id}).encode()


def basic(login: str) -> str:
    return "Basic " + b64encode(login.encode()).decode()


def stored(world: World) -> list[ReceivedEvent]:
    rows: list[ReceivedEvent] = world.all(ReceivedEvent)
    return rows


def assert_problem(answer: TestResponse, status: int) -> None:
    """RFC 9457, with the status in it; never a redirect, never a 500."""
    assert answer.status_code == status, answer.text
    assert answer.content_type.startswith("application/problem+json")
    found = json.loads(answer.data)
    assert found["status"] == status
    assert {"type", "title", "detail", "code"} <= found.keys()
