"""Gauges that are read when somebody asks for the metrics, each reader by itself."""

import logging
from collections.abc import Callable, Iterable

from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

logger = logging.getLogger(__name__)

Labels = tuple[str, ...]
Rows = Iterable[tuple[Labels, float]]
Reader = Callable[[], Iterable[Metric]]


class Readings(Collector):
    """What can be read is shown, what cannot is missing: never a zero that nobody saw."""

    def __init__(self) -> None:
        self._readers: dict[str, Reader] = {}

    def register(self, name: str, read: Reader) -> None:
        """`read` is called at each request; the newest one of a name counts."""
        self._readers[name] = read

    def collect(self) -> Iterable[Metric]:
        for name, read in self._readers.items():
            try:
                yield from list(read())
            except Exception:
                # The metrics beside them must still be answered, above all now.
                logger.warning("The %s could not be read for the metrics", name, exc_info=True)


readings = Readings()


def gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)


def gauges(name: str, text: str, labels: Labels, rows: Rows) -> Metric:
    """One gauge with a value for each combination of labels."""
    family = GaugeMetricFamily(name, text, labels=labels)
    for values, value in rows:
        family.add_metric(values, value)
    return family
