"""Keys that make a repeated POST count once, for as long as Chargebee remembers them (pure).

That is 30 minutes for the same key and parameters. Within one call of ours the key is always fresh
enough. A job that comes back later must look first whether its thing is there, and use ids of ours
(`customer[id]`), which Chargebee refuses a second time.
"""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import uuid4

HEADER = "chargebee-idempotency-key"
REPLAYED_HEADER = "chargebee-idempotency-replayed"
WINDOW = timedelta(minutes=30)
LONGEST = 100


class IdempotencyKey(NamedTuple):
    """`value` (1 to 100 printable ASCII characters) and when it was first sent."""

    value: str
    first_sent_at: datetime

    def covers(self, until: datetime) -> bool:
        """Whether Chargebee still knows the key at `until`."""
        return until < self.first_sent_at + WINDOW

    @property
    def is_lawful(self) -> bool:
        value = self.value
        return 0 < len(value) <= LONGEST and value.isascii() and value.isprintable()


def fresh_key(now: datetime) -> IdempotencyKey:
    """A key nobody used before."""
    return IdempotencyKey(str(uuid4()), now.astimezone(UTC))
