"""An office that tells others: endpoints, things that happen, and a sender with its own clock."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from rewards_service.kit.db import transaction
from rewards_service.kit.outward import Outward
from rewards_service.outbound import service
from rewards_service.outbound.announcing import announce
from rewards_service.outbound.models import (
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookLane,
)
from rewards_service.outbound.sending import Sender
from rewards_service.settings import Settings
from tests.peers.misbehaving import Misbehaving

PAID = "reward.paid"


class Office:
    """`now` is the time for senders; it begins a little after everything that is announced."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self.engine = engine
        self.settings = replace(settings, webhook_allow_loopback=True)
        self.now = datetime.now(UTC) + timedelta(minutes=1)
        self.wait_for_answers(20.0)

    def wait_for_answers(self, seconds: float) -> None:
        """From now on so long; little, where a server keeps silent: that takes real time."""
        self.sender = Sender(
            self.engine, self.settings.encryption_keys,
            Outward(loopback=True, total_seconds=seconds),
            self.settings.webhook_disable_after_days, lambda _session: self.now, lambda: 0.5,
        )  # fmt: skip

    def endpoint(self, url: str, *events: str, enabled: bool = True) -> tuple[int, str]:
        """(key, secret) of a new endpoint; for all events when none is named."""
        wanted = {"url": url, "events": list(events) or ["*"], "description": "",
                  "enabled": enabled}  # fmt: skip
        with transaction(self.engine) as session:
            keys = self.settings.encryption_keys
            made, secret = service.create_endpoint(session, keys, wanted, "test")
            return made.id, secret

    def tell(self, *numbers: int, of: int = 1, event_type: str = PAID) -> None:
        """Something happens to the thing `of`, once for each number, which is told."""
        for number in numbers:
            with transaction(self.engine) as session:
                announce(session, event_type, ("reward", of), {"of": of, "number": number})

    def pass_time(self, **time: float) -> None:
        self.now += timedelta(**time)

    def work(self, endpoint: int = 1) -> int:
        return self.sender.work(endpoint)

    def work_for(self, hours: float, endpoint: int = 1) -> None:
        """Let time pass from one due attempt to the next."""
        until = self.now + timedelta(hours=hours)
        while True:
            self.work(endpoint)
            paused = self.read(endpoint).paused_until_at or self.now
            due = [max(lane.next_attempt_at, paused) for lane in self.lanes()]
            if not self.read(endpoint).enabled or not due or min(due) > until:
                self.now = until
                return
            self.now = max(self.now, min(due))

    def all(self, model: Any) -> list[Any]:
        keys = model.__table__.primary_key.columns
        with Session(self.engine, expire_on_commit=False) as session:
            return list(session.scalars(select(model).order_by(*keys)))

    def deliveries(self) -> list[WebhookDelivery]:
        return self.all(WebhookDelivery)

    def attempts(self) -> list[WebhookAttempt]:
        return self.all(WebhookAttempt)

    def lanes(self) -> list[WebhookLane]:
        return self.all(WebhookLane)

    def told(self) -> list[dict[str, Any]]:
        return [orjson.loads(one.body) for one in self.deliveries()]

    def read(self, key: int = 1) -> WebhookEndpoint:
        with Session(self.engine, expire_on_commit=False) as session:
            return session.get_one(WebhookEndpoint, key)


def received(server: Misbehaving, of: int = 1) -> list[int]:
    """The numbers that a receiver got of one thing, in the order in which they came."""
    bodies = [orjson.loads(seen.body)["data"] for seen in server.seen]
    return [data["number"] for data in bodies if data["of"] == of]


def without_repeats(numbers: Sequence[int]) -> list[int]:
    return [one for place, one in enumerate(numbers) if place == 0 or numbers[place - 1] != one]
