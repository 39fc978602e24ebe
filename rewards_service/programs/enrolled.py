"""A partner's time in a programme as a value, and whether a rule is for it then (pure)."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from rewards_service.programs.rules import RuleVersion

NO_LEVEL = 0


class Enrolled(NamedTuple):
    """A time within [from_at, until_at) in a programme at a level.

    `level_id` 0: at no particular level. `from_at` None: since ever; `until_at` None: for good.
    `entered_at`: when a person said so; None: nobody knows.
    """

    program_id: int
    level_id: int
    from_at: datetime | None
    until_at: datetime | None
    entered_at: datetime | None = None

    def covers(self, at: datetime) -> bool:
        begun = self.from_at is None or self.from_at <= at
        return begun and (self.until_at is None or at < self.until_at)


def applies(enrolled: Iterable[Enrolled], version: RuleVersion, at: datetime) -> bool:
    """Whether a partner is in the rule's programme at a time, at the rule's level if it has one."""
    return any(
        one.program_id == version.program_id
        and version.level_id in (NO_LEVEL, one.level_id)
        and one.covers(at)
        for one in enrolled
    )
