"""How long it took until what a killed process had in hand was done by another."""

from datetime import datetime
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from chaos.answers import percentile
from rewards_service.inbox.models import ReceivedEvent
from rewards_service.kit.db import chunks, database_now


class Recoveries:
    """Notes at each kill which events were leased, and reads afterwards when they were done.

    Only events that had to be taken over count: what a survivor had in hand took no try more.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._killed_at: dict[int, datetime] = {}
        self.kills = 0
        self.in_the_middle = 0

    def note(self) -> None:
        """Right after a kill."""
        self.kills += 1
        query = select(ReceivedEvent.id).where(
            ReceivedEvent.state == "pending", ReceivedEvent.lease_token.is_not(None)
        )
        try:
            with Session(self._engine) as session:
                at = database_now(session)
                leased = list(session.scalars(query))
        except DBAPIError:  # it was the database that was killed
            return
        self.in_the_middle += bool(leased)
        self._killed_at |= dict.fromkeys(leased, at)

    def seconds(self) -> list[float]:
        """From the (last) kill to the end, of each event that was taken over."""
        found: list[float] = []
        with Session(self._engine) as session:
            for some in chunks(sorted(self._killed_at)):
                query = select(ReceivedEvent.id, ReceivedEvent.finished_at).where(
                    ReceivedEvent.id.in_(some),
                    ReceivedEvent.attempts > 0,
                )
                for key, finished_at in session.execute(query):
                    if finished_at is not None:
                        found.append((finished_at - self._killed_at[key]).total_seconds())
        return [seconds for seconds in found if seconds > 0]

    def figures(self) -> dict[str, Any]:
        seconds = self.seconds()
        return {
            "kills": self.kills,
            "kills_in_mid_batch": self.in_the_middle,
            "recovered_events": len(seconds),
            "recovery_p50_s": percentile(seconds, 0.50),
            "recovery_p99_s": percentile(seconds, 0.99),
            "recovery_max_s": max(seconds, default=float("nan")),
        }
