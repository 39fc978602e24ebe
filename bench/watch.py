"""How a backfill gets on: its memory, and how long each list takes."""

import time
from typing import Any

import psutil


class Watch:
    """Memory at each commit, and how long each list took."""

    def __init__(self) -> None:
        self.memory_mb: list[float] = []
        self.seconds: dict[str, float] = {}
        self._start = time.perf_counter()

    def look(self, shown: Any) -> None:
        self.memory_mb.append(_resident_mb())
        for one in shown["lists"]:
            if one["listed"] and not (one["kind"] in self.seconds and one["is_over"]):
                self.seconds[one["kind"]] = time.perf_counter() - self._start


def _resident_mb() -> float:
    return float(psutil.Process().memory_info().rss) / 2**20
