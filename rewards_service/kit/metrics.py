"""Prometheus metrics, usable in one process or under several that share PROMETHEUS_MULTIPROC_DIR.

That variable must stand in the environment before this module is imported: prometheus-client
chooses there and then whether counters live in memory or in files.
"""

import logging
import os
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from functools import cache
from typing import NamedTuple

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from rewards_service.kit.gauges import readings

logger = logging.getLogger(__name__)

_BATCH_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

_answers = Counter("rewards_webhook_answers", "Webhook answers by HTTP status.", ["status"])
_events = Counter("rewards_events_processed", "Events finished, by outcome.", ["outcome"])
_entries = Counter("rewards_entries_posted", "Ledger entries posted, by kind.", ["kind"])
_calls = Counter(
    "rewards_chargebee_answers", "Answers of Chargebee's API by HTTP status.", ["status"]
)
_polled = Counter(
    "rewards_polled_events",
    "Events read from Chargebee's log: new here, or known from the webhook or an earlier reading.",
    ["found"],
)
_webhooks = Counter(
    "rewards_outbound_attempts",
    "Attempts to deliver a webhook to an endpoint of a user, by what came of them.",
    ["result"],
)
_batches = Histogram(
    "rewards_batch_seconds", "Duration of one drained batch.", ["queue"], buckets=_BATCH_BUCKETS
)

_no_connection = Counter(
    "rewards_database_pool_timeouts", "Times that no connection to the database came free."
)

_REQUEST_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PATCH", "PUT", "DELETE"})
_requests = Histogram(
    "rewards_http_request_seconds", "Duration of requests, webhooks not among them.",
    ["method", "route", "status"], buckets=_REQUEST_BUCKETS,
)  # fmt: skip


class Backlog(NamedTuple):
    """What waits in the database right now; numbers of rows, and the age of the oldest event."""

    pending_events: int
    oldest_pending_seconds: float
    quarantined: int
    dead: int
    reward_due: int
    unverified: int = 0
    missed_by_webhook: int = 0
    failing_polls: int = 0
    outbound_pending: int = 0
    outbound_oldest_seconds: float = 0.0
    outbound_failing: int = 0
    outbound_disabled: int = 0


_GAUGES = {
    "pending_events": ("rewards_events_pending", "Events waiting to be processed."),
    "oldest_pending_seconds": (
        "rewards_events_oldest_pending_seconds",
        "Age of the oldest waiting event.",
    ),
    "quarantined": ("rewards_events_quarantined", "Events in quarantine."),
    "dead": ("rewards_events_dead", "Events given up after their last try."),
    "reward_due": ("rewards_reward_due", "Payments waiting for their reward."),
    "unverified": ("rewards_events_unverified", "Events that wait until Chargebee was asked."),
    "missed_by_webhook": (
        "rewards_events_missed_by_webhook",
        "Events of 24 hours that no webhook brought, only the event log.",
    ),
    "failing_polls": ("rewards_polls_failing", "Sites whose event log cannot be read."),
    "outbound_pending": ("rewards_outbound_pending", "Webhooks to users waiting to be delivered."),
    "outbound_oldest_seconds": (
        "rewards_outbound_oldest_pending_seconds",
        "Age of the oldest waiting webhook to a user.",
    ),
    "outbound_failing": (
        "rewards_outbound_endpoints_failing",
        "Endpoints of users that have only failed since their last success.",
    ),
    "outbound_disabled": (
        "rewards_outbound_endpoints_disabled",
        "Endpoints of users that the service switched off.",
    ),
}


class _BacklogCollector(Collector):
    """Asks the database at scrape time; when it cannot answer, the gauges are missing, not zero."""

    def __init__(self) -> None:
        self.read: Callable[[], Backlog] | None = None

    def collect(self) -> Iterable[Metric]:
        if self.read is None:
            return
        try:
            backlog = self.read()
        except Exception:
            # The counters beside it must still be answered while the database is away.
            logger.warning("The backlog could not be read for the metrics", exc_info=True)
            return
        for field, value in backlog._asdict().items():
            name, text = _GAUGES[field]
            yield GaugeMetricFamily(name, text, value=value)


_backlog = _BacklogCollector()


def register_backlog(read: Callable[[], Backlog]) -> None:
    """Set what the gauges are read from; the newest app of the process wins."""
    _backlog.read = read


def count_answer(status: int) -> None:
    """One webhook answered; on the hot path, about a microsecond."""
    _answer_counter(status).inc()


def count_call(status: str) -> None:
    """One answer of Chargebee's API, by its HTTP status; `locked` for a 429 that is no limit."""
    _calls.labels(status).inc()


def count_polled(new: int, known: int) -> None:
    """A page of Chargebee's event log: how many of its events were new here, how many known."""
    _polled.labels("new").inc(new)
    _polled.labels("known").inc(known)


def count_webhook(result: str) -> None:
    """One attempt to deliver a webhook: `2xx`, `3xx` ..., or the code of why nobody answered."""
    _webhooks.labels(result).inc()


def count_pool_timeout() -> None:
    """A request found no free connection to the database in time."""
    _no_connection.inc()


def count_events(outcome: str, number: int = 1) -> None:
    """`number` events finished with `outcome`; one call per batch and outcome is enough."""
    _events.labels(outcome).inc(number)


def count_entries(kind: str, number: int = 1) -> None:
    """`number` ledger entries of one kind posted."""
    _entries.labels(kind).inc(number)


def time_batch(queue: str) -> AbstractContextManager[object]:
    """`with time_batch("events"):` around one batch."""
    return _batches.labels(queue).time()


def time_request(method: str, route: str, status: int, seconds: float) -> None:
    """One request answered; `route` is its template, and only the class of `status` counts."""
    known = method if method in _METHODS else "other"
    _request_histogram(known, route, status // 100).observe(seconds)


def render() -> tuple[bytes, str]:
    """The exposition text of all processes and its content type."""
    registry = CollectorRegistry()
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        registry.register(REGISTRY)
    registry.register(_backlog)
    registry.register(readings)
    return generate_latest(registry), CONTENT_TYPE_LATEST


@cache
def _answer_counter(status: int) -> Counter:
    return _answers.labels(str(status))


@cache
def _request_histogram(method: str, route: str, status_class: int) -> Histogram:
    return _requests.labels(method, route, f"{status_class}xx")
