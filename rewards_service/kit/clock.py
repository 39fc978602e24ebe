"""Time in the one form the service uses: aware, in UTC."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

YEAR_2000 = 946_684_800
YEAR_2100 = 4_102_444_800


def utc_now() -> datetime:
    return datetime.now(UTC)


def from_epoch(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def rfc3339(value: datetime) -> str:
    """`2026-01-31T08:30:00Z`, with fractions only when there are any."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def start_of_day(day: date, timezone: str) -> datetime:
    """The first moment of a day in a time zone (IANA name), in UTC."""
    return datetime.combine(day, time(), ZoneInfo(timezone)).astimezone(UTC)


def instant(value: date | datetime | None, timezone: str) -> datetime | None:
    """A time as it is; of a day its first moment in a time zone (IANA name)."""
    if value is None or isinstance(value, datetime):
        return value
    return start_of_day(value, timezone)
