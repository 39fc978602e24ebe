"""A batch of events on its way: what they say, and what comes of each."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row

from rewards_service.chargebee.events import Reading
from rewards_service.crm.matching import Claim
from rewards_service.inbox.service import Ending
from rewards_service.integrations.options import Options
from rewards_service.mirror.queries import Key

AnyRow = Row[*tuple[Any, ...]]


@dataclass(slots=True)
class Batch:
    """Events of one batch with what they say, and what comes of them."""

    events: Sequence[AnyRow]
    options: dict[int, Options]  # by options key
    readings: dict[int, Reading]  # by event key
    active: list[AnyRow] = field(default_factory=list)  # those that may touch the books
    endings: dict[int, Ending] = field(default_factory=dict)
    corrections: dict[int, Ending] = field(default_factory=dict)  # of events done before
    held: dict[int, Claim] = field(default_factory=dict)  # claims that events left before
    observed: list[AnyRow] = field(default_factory=list)  # those that only a rehearsal may touch
    due: dict[Key, int | None] = field(default_factory=dict)  # invoice -> causing event

    def end(self, event: AnyRow, outcome: str, **results: Any) -> None:
        found = {name: value for name, value in results.items() if value}
        self.endings[event.id] = Ending(event.id, outcome, results=found)

    def part(self, events: Sequence[AnyRow]) -> "Batch":
        """Some of its events as a batch of their own, as they were read."""
        ids = {event.id for event in events}
        return Batch(
            events,
            self.options,
            {key: reading for key, reading in self.readings.items() if key in ids},
            [event for event in self.active if event.id in ids],
            {key: ending for key, ending in self.endings.items() if key in ids},
            held={key: claim for key, claim in self.held.items() if key in ids},
            observed=[event for event in self.observed if event.id in ids],
        )

    def options_of(self, event: AnyRow) -> Options:
        return self.options[event.options_id]

    def correct(self, event_id: int, outcome: str, **results: Any) -> None:
        """Give another ending to an event: of this batch, or done before."""
        found = {name: value for name, value in results.items() if value}
        ending = Ending(event_id, outcome, results=found)
        if event_id in self.readings:
            self.endings[event_id] = ending
        else:
            self.corrections[event_id] = ending
