"""What the client was told: its log, read back, and figures of it."""

import json
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple


class Answer(NamedTuple):
    """One try of one event; status 0: none came."""

    event_id: str | None
    place: int
    attempt: int
    status: int
    at: float  # seconds since 1970, of the answer
    ms: float  # since it was sent
    since_due_ms: float  # since it was to be sent


def read_log(path: Path) -> list[Answer]:
    """Every line that is whole."""
    found = []
    for line in path.read_text().splitlines() if path.exists() else []:
        row: dict[str, Any] = json.loads(line)
        found.append(
            Answer(row["id"], row["place"], row["try"], row["status"], row["at"], row["ms"],
                   row["since_due_ms"])
        )  # fmt: skip
    return found


def accepted(answers: Iterable[Answer]) -> set[int]:
    """Places in the stream that were answered 200."""
    return {answer.place for answer in answers if answer.status == 200}


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest-rank percentile; nan of nothing."""
    if not values:
        return math.nan
    return sorted(values)[max(math.ceil(share * len(values)) - 1, 0)]


def figures(answers: Sequence[Answer]) -> dict[str, Any]:
    """Counts by status; latency of the answers of 200, from when each try was due."""
    first = [answer.since_due_ms for answer in answers if answer.status == 200]
    return {
        "sent": len({answer.place for answer in answers}),
        "accepted": len(accepted(answers)),
        "tries": dict(sorted(Counter(str(answer.status) for answer in answers).items())),
        "ack_p50_ms": percentile(first, 0.50),
        "ack_p99_ms": percentile(first, 0.99),
    }


class Taken:
    """Counts the answers of 200 in the log of a client, as they come."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._read = self._count = 0

    def count(self) -> int:
        if self._log.exists():
            with self._log.open("rb") as log:
                log.seek(self._read)
                new = log.read()
            self._read += len(new)
            self._count += new.count(b'"status": 200')
        return self._count
