"""What each request came to: a line of the log, and a metric. Nothing of what was asked or said."""

from collections.abc import Iterable, Iterator
from time import perf_counter

import structlog
from flask import Response, g, request

from rewards_service.kit import ids, metrics

log = structlog.get_logger("rewards_service.access")

_UNLOGGED = ("/livez", "/readyz", "/metrics", "/static/")  # probes, and what never changes
NO_ROUTE = "none"  # an address that is none of ours may hold anything


def begin() -> None:
    """The request has come."""
    g.begun_at = perf_counter()


def note(answer: Response) -> None:
    """The request is answered: at once, or when the last of a stream was taken."""
    route = NO_ROUTE if request.url_rule is None else request.url_rule.rule
    line = _Line(request.method, route, answer.status_code, g.get("begun_at", perf_counter()))
    line.is_logged = not request.path.startswith(_UNLOGGED)
    line.key_id = None if (key := g.get("key_id")) is None else ids.encode("key", key)
    line.request_id = g.get("request_id")
    if not answer.is_streamed:
        line.write(answer.content_length or 0)
        return
    stream = answer.response
    answer.direct_passthrough = False  # or nobody is told of the end
    answer.response = line.count(stream)
    if hasattr(stream, "close"):
        answer.call_on_close(stream.close)
    answer.call_on_close(line.write_counted)


class _Line:
    """One request, for when its context is gone."""

    is_logged = False
    key_id: str | None = None
    request_id: str | None = None

    def __init__(self, method: str, route: str, status: int, begun_at: float) -> None:
        self._method, self._route, self._status = method, route, status
        self._begun_at = begun_at
        self._bytes = 0

    def count(self, parts: Iterable[str] | Iterable[bytes]) -> Iterator[bytes]:
        for part in parts:
            text = part.encode() if isinstance(part, str) else part
            self._bytes += len(text)
            yield text

    def write_counted(self) -> None:
        self.write(self._bytes)

    def write(self, length: int) -> None:
        seconds = perf_counter() - self._begun_at
        metrics.time_request(self._method, self._route, self._status, seconds)
        if self.is_logged:
            log.info(
                "request", method=self._method, route=self._route, status=self._status,
                ms=round(seconds * 1000, 1), bytes=length, key=self.key_id,
                request_id=self.request_id,
            )  # fmt: skip
