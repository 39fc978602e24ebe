"""A test event through the door's own path: checked, kept, handled by the workers, and told of.

Its type is none that anything follows from, whatever the options: it is kept, seen in the list of
events, and ends as `ignored` (or `all_off`). It touches neither the mirror nor the books.
"""

import base64
import time
from collections.abc import Callable
from io import BytesIO
from secrets import token_hex
from typing import NamedTuple

import orjson
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from rewards_service.inbox.models import PENDING, ReceivedEvent
from rewards_service.integrations.gaps import TEST_EVENT
from rewards_service.integrations.models import Integration
from rewards_service.kit import bells
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import READ_ONLY
from rewards_service.kit.errors import Conflict
from rewards_service.webhooks.door import Refusal, read_delivery
from rewards_service.webhooks.routes import Reception

ACCEPTED, REFUSED, NOT_TRIED = "accepted", "refused", "not_tried"
CREDENTIALS = (ACCEPTED, REFUSED, NOT_TRIED)
LOOKS_EVERY_SECONDS = 0.05


class Sent(NamedTuple):
    """What the door said to the credentials, and the event it kept; None when it refused them."""

    credentials: str
    event_key: int | None


class Came(NamedTuple):
    """What has become of an event."""

    state: str
    outcome: str | None


def send(reception: Reception, integration: Integration, login: tuple[str, str] | None) -> Sent:
    """Hand a test event in at the door of an integration, with a user name and a password.

    Without a login the event is kept past the check of credentials: of a password only a digest is
    known here. Raises Conflict when the integration changes just now.
    """
    holder, credentials = (integration.id, integration.version), NOT_TRIED
    if login is not None:
        # Not by way of the whole endpoint: this is no sign that Chargebee has the new password.
        door = reception.doors.open_with(integration.endpoint_key, _basic(login))
        if door is None:
            return Sent(REFUSED, None)
        holder, credentials = (door.integration_id, door.version), ACCEPTED
    delivery = read_delivery(_request(_body()))
    if isinstance(delivery, Refusal):
        raise RuntimeError(f"The door refuses our own test event: {delivery.detail}")
    key = reception.recorder.record(*holder, delivery)
    if key is None:
        raise Conflict("The integration is changing just now. Send the test event again.")
    bells.ring("events")
    return Sent(credentials, key)


def _basic(login: tuple[str, str]) -> str:
    return "Basic " + base64.b64encode(":".join(login).encode()).decode()


def _body() -> bytes:
    now = int(utc_now().timestamp())
    return orjson.dumps(
        {
            "id": f"test_{token_hex(12)}",
            "object": "event",
            "api_version": "v2",
            "source": "rewards",
            "event_type": TEST_EVENT,
            "occurred_at": now,
            "content": {"test": {"object": "test", "made_at": now}},
        }
    )


def _request(body: bytes) -> dict[str, object]:
    return {
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": BytesIO(body),
    }


def wait_for(
    engine: Engine, key: int, seconds: float, sleep: Callable[[float], None] = time.sleep
) -> Came:
    """What has become of an event: as soon as it is handled, or after so many seconds."""
    until = time.monotonic() + seconds
    while (came := _look(engine, key)).state == PENDING and time.monotonic() < until:
        sleep(LOOKS_EVERY_SECONDS)
    return came


def _look(engine: Engine, key: int) -> Came:
    query = select(ReceivedEvent.state, ReceivedEvent.outcome).where(ReceivedEvent.id == key)
    with Session(engine) as session:
        session.connection(execution_options={READ_ONLY: True})
        return Came(*session.execute(query).one())
