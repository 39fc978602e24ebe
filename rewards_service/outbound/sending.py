"""Send what is due to one endpoint: lease, sign, post, note, again and again until nothing is due.

No transaction is open while something is sent.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import BoundedSemaphore

import structlog
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from rewards_service.kit import crypto
from rewards_service.kit.crash_points import crash_point
from rewards_service.kit.crypto import SecretUnreadable
from rewards_service.kit.db import database_now, transaction
from rewards_service.kit.metrics import count_webhook
from rewards_service.kit.outward import NoAnswer, Outward
from rewards_service.outbound import delivering, service
from rewards_service.outbound.delivering import Outgoing, Reply
from rewards_service.outbound.retrying import GONE, is_success
from rewards_service.outbound.secrets import signed_headers
from rewards_service.settings import Settings

log = structlog.get_logger()

# However many threads send, only so many of them are in the database at once: its connections are
# there for events and rewards first.
_turns = BoundedSemaphore(3)
LONGEST_EXCERPT = 500
Clock = Callable[[Session], datetime]


def _by_lot() -> float:
    return random.random()  # noqa: S311 - spreads retries in time, guards nothing


@dataclass(frozen=True, slots=True)
class Sender:
    """What it takes to send. clock: the time in a session; chance: 0 to 1, by lot."""

    engine: Engine
    keys: tuple[str, ...]  # that open the secrets
    outward: Outward
    disable_after_days: int
    clock: Clock = database_now
    chance: Callable[[], float] = _by_lot

    @classmethod
    def of(cls, engine: Engine, settings: Settings) -> "Sender":
        outward = Outward(loopback=settings.webhook_allow_loopback)
        days = settings.webhook_disable_after_days
        return cls(engine, settings.encryption_keys, outward, days)

    def work(self, endpoint_id: int, until: Callable[[], bool] = lambda: False) -> int:
        """Send what is due to an endpoint until nothing is, or `until` says so.

        Returns how many attempts were made. Safe in many threads and processes at once.
        """
        made = 0
        while not until():
            with _turns, transaction(self.engine) as session:
                outgoing = delivering.lease(session, endpoint_id, self.clock(session))
            if outgoing is None:
                break
            crash_point("outbox.lease_committed")
            while outgoing is not None:
                outgoing = self._send(outgoing)
                made += 1
        return made

    def _send(self, outgoing: Outgoing) -> Outgoing | None:
        """One attempt, noted; what comes next along its lane."""
        endpoint_id = outgoing.lane[0]
        reply = self.attempt(outgoing)
        crash_point("outbox.sent")
        with _turns, transaction(self.engine) as session:
            now = self.clock(session)
            following = delivering.note(session, outgoing, reply, now, self.chance())
            crash_point("outbox.noted")
        count_webhook(_result(reply))
        if not is_success(reply.status):
            # Apart: it ends with the audit log, and holds no lane meanwhile.
            with _turns, transaction(self.engine) as session:
                if reply.status == GONE:
                    service.disable_gone(session, endpoint_id, now)
                else:
                    service.disable_failing(session, endpoint_id, now, self.disable_after_days)
        return following

    def attempt(self, outgoing: Outgoing) -> Reply:
        """Sign and post; whatever happens is a reply."""
        at, begun = outgoing.at, time.monotonic()
        try:
            live = [crypto.decrypt(self.keys, sealed) for sealed in outgoing.secrets]
            headers = signed_headers(live, outgoing.message_id, at, outgoing.body)
            answer = self.outward.post(outgoing.url, outgoing.body.encode(), headers)
        except NoAnswer as problem:
            return Reply(at, _milliseconds(begun), error=problem.code, detail=problem.detail)
        except SecretUnreadable as problem:
            log.error("webhook_not_signed", endpoint=outgoing.lane[0], why=problem.detail)
            return Reply(at, _milliseconds(begun), error=problem.code, detail=problem.detail)
        return Reply(
            at, _milliseconds(begun), status=answer.status, excerpt=excerpt(answer.beginning),
            retry_after=answer.headers.get("Retry-After"),
        )  # fmt: skip


def excerpt(beginning: bytes) -> str | None:
    """The beginning of an answer for people to read; None for an empty one."""
    text = beginning.decode("utf-8", "replace")
    shown = "".join(sign if sign.isprintable() else " " for sign in text)
    return shown[:LONGEST_EXCERPT].strip() or None


def _milliseconds(begun: float) -> int:
    return int((time.monotonic() - begun) * 1_000)


def _result(reply: Reply) -> str:
    if reply.status is None:
        return reply.error or "failed"
    return f"{reply.status // 100}xx"
