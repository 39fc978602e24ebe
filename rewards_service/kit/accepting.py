"""Which of the offered media types an Accept header likes best (RFC 9110, 12.5.1) (pure)."""

from collections.abc import Iterator, Sequence


def best(accept: str, offered: Sequence[str]) -> str | None:
    """The offered type of the highest quality, the first of equals; None when all are refused.

    No header, or an empty one, likes everything. Parameters such as charset do not count.
    """
    ranges = list(_ranges(accept))
    if not ranges:
        return offered[0]
    qualities = [_quality(kind, ranges) for kind in offered]
    highest = max(qualities)
    return offered[qualities.index(highest)] if highest > 0 else None


def _ranges(accept: str) -> Iterator[tuple[str, float]]:
    for item in accept.split(","):
        name, *parameters = (part.strip().lower() for part in item.split(";"))
        if name:
            given = [text[2:] for text in parameters if text.startswith("q=")]
            yield name, _number(given[0]) if given else 1.0


def _number(text: str) -> float:
    """A quality; what is none likes nothing."""
    try:
        value = float(text)
    except ValueError:
        return 0.0
    return value if 0 <= value <= 1 else 0.0


def _quality(kind: str, ranges: Sequence[tuple[str, float]]) -> float:
    """By the most specific range that covers a type."""
    for pattern in (kind, f"{kind.partition('/')[0]}/*", "*/*"):
        found = [quality for name, quality in ranges if name == pattern]
        if found:
            return max(found)
    return 0.0
