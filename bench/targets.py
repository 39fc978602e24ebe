"""What is aimed at, and what was measured beside it. A part that was not measured shows as such."""

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bench import paired

Found = Mapping[str, Any]  # what each part found, by its name
GROWTH = "[How it grows](benchmarks-growth.md), `make bench-growth`"
BACKFILL = "[History](history.md#how-fast), `make bench-backfill`"


@dataclass(frozen=True)
class Target:
    """One aim. `at_least`: more is better. `value` takes what was found; None: measured elsewhere.

    unit is written behind the number. digits: after the point.
    """

    id: str
    what: str
    aim: float
    stretch: float
    value: Callable[[Found], float] | None
    at_least: bool = False
    unit: str = ""
    digits: int = 0
    where: str = ""

    def shown(self, number: float) -> str:
        return f"{number:,.{self.digits}f}{self.unit}"

    def is_met(self, number: float, aim: float) -> bool:
        return number >= aim if self.at_least else number <= aim


def _rate(one: str, other: str) -> Callable[[Found], float]:
    """The median of the per-round ratios of requests a second."""
    return lambda found: statistics.median(paired.ratios(found["paired"], one, other))


def finished_us(found: Found) -> float:
    """CPU of a payment of ours until its reward: acknowledged, and drained."""
    return paired.median(found["paired"], "ours", "total_us") + float(found["drain"]["cpu_us"])


def _finished_by(peer: str) -> Callable[[Found], float]:
    return lambda found: finished_us(found) / paired.median(found["paired"], peer, "total_us")


def _cpu_of_bare(found: Found) -> float:
    return statistics.median(paired.ratios(found["paired"], "bare", "ours", "total_us"))


def _batches(found: Found) -> float:
    rates = found["batches"]["per_second"]
    return float(rates["500"] / rates["1"])


def _backlog(processes: str) -> Callable[[Found], float]:
    """Seconds for 100,000 events; of a shorter backlog at the rate that was measured."""

    def value(found: Found) -> float:
        part = found["backlog"]
        return float(part["processes"][processes] * 100_000 / part["events"])

    return value


def _end_to_end(found: Found) -> float:
    part = found["finish"]
    return float(part["afternoon"]["rewarded_s"] / part["ours"]["rewarded_s"])


def _half(found: Found) -> float:
    [half] = [one for one in found["latency"]["acknowledged"] if one["share"] == 0.5]
    return float(half["p99_ms"])


def _rewarded(name: str) -> Callable[[Found], float]:
    return lambda found: float(found["latency"]["rewarded"][name])


def _fresh(kind: str) -> Callable[[Found], float]:
    """The median of the sums of all steps. Raises KeyError when there was no run."""

    def value(found: Found) -> float:
        runs = found["fresh"][kind]
        if isinstance(runs, str):
            raise KeyError(runs)
        return float(statistics.median(sum(steps.values()) for steps in runs))

    return value


def _page(found: Found) -> float:
    return statistics.median(paired.ratios(found["page"], "page", "bare"))


def _page_p95(found: Found) -> float:
    return float(found["page"]["alone"]["p95_ms"])


TARGETS = (
    Target("P1", "acknowledged webhook / bare route, requests/s", 0.40, 0.55,
           _rate("ours", "bare"), True, " x", 2),
    Target("P1", "bare route / acknowledged webhook, total CPU", 0.40, 0.55,
           _cpu_of_bare, True, " x", 2),
    Target("P2", "acknowledged webhook / afternoon baseline, requests/s", 5, 8,
           _rate("ours", "afternoon"), True, " x", 1),
    Target("P3", "acknowledged webhook / dj-stripe, requests/s", 10, 20,
           _rate("ours", "dj_stripe"), True, " x", 1),
    Target("P3", "CPU of a finished payment / of dj-stripe's event", 1 / 8, 1 / 15,
           _finished_by("dj_stripe"), False, " x", 3),
    Target("P4", "CPU of a finished payment / of stripe-sync-engine's event", 3, 1.5,
           _finished_by("sync_engine"), False, " x", 2),
    Target("P5", "drain by 500 a commit / one by one", 10, 20, _batches, True, " x", 1),
    Target("P6", "drain with full matching, events/s of a process", 3_000, 8_000,
           lambda found: float(found["drain"]["rate"]), True),
    Target("P7", "100,000 recorded events until the last reward, 1 process", 33, 12,
           _backlog("1"), False, " s", 1),
    Target("P7", "the same, 2 processes", 18, 7, _backlog("2"), False, " s", 1),
    Target("P8", "2,000 payments end to end: afternoon with preloaded workers / ours", 20, 45,
           _end_to_end, True, " x", 1),
    Target("P9, T9", "backfill, invoices/s of a process, locally", 5_000, 10_000, None, True,
           where=BACKFILL),
    Target("T9", "share of the API's budget that a backfill uses", 90, 97, None, True, " %",
           where=BACKFILL),
    Target("P10", "reports at 5 million rewards, SQL p95: statement page", 5, 2, None, False,
           " ms", where=GROWTH),
    Target("P10", "the same: totals of a statement", 2, 1, None, False, " ms", where=GROWTH),
    Target("P10", "the same: all partners, one month", 10, 5, None, False, " ms", where=GROWTH),
    Target("P10", "the same: top 20 partners", 20, 10, None, False, " ms", where=GROWTH),
    Target("P10", "the same: page 10,000 of a list", 2, 1, None, False, " ms", where=GROWTH),
    Target("P11", "a page of the REST API, p95 (at 5 million in `make bench-growth`)", 25, 12,
           _page_p95, False, " ms", 1),
    Target("P12", "ten times the data: time of the reports", 1.5, 1.2, None, False, " x", 1,
           where=GROWTH),
    Target("P12", "ten times the backlog: rate of the drain", 0.85, 0.95, None, True, " x", 2,
           where=GROWTH),
    Target("P13", "both embedded servers: `pip install` until PING and SELECT 1", 6, 3,
           _fresh("servers"), False, " s", 1),
    Target("T6", "acknowledgement p99, open loop at half the capacity", 15, 8, _half, False,
           " ms", 1),
    Target("T7", "event to reward p50 at 200/s", 50, 20, _rewarded("p50_ms"), False, " ms", 0),
    Target("T7", "event to reward p99 at 200/s", 250, 60, _rewarded("p99_ms"), False, " ms", 0),
    Target("T11", "a page of 100 rewards / bare route, requests/s", 0.3, 0.5, _page, True, " x", 2),
    Target("T12", "empty environment to an answered test payment (uv)", 15, 8,
           _fresh("service"), False, " s", 1),
)  # fmt: skip


def rows(found: Found, reasons: Mapping[str, str]) -> list[str]:
    """The lines of the table: id, what, aim, stretch, measured, verdict."""
    return [_row(one, found, reasons) for one in TARGETS]


def _row(one: Target, found: Found, reasons: Mapping[str, str]) -> str:
    sign = "≥" if one.at_least else "≤"
    aims = f"{sign} {one.shown(one.aim)} | {sign} {one.shown(one.stretch)}"
    measured, verdict = _judged(one, found, reasons)
    return f"| {one.id} | {one.what} | {aims} | {measured} | {verdict} |"


def _judged(one: Target, found: Found, reasons: Mapping[str, str]) -> tuple[str, str]:
    if one.value is None:
        return "elsewhere", one.where
    try:
        number = one.value(found)
    except (KeyError, statistics.StatisticsError):
        return "-", "not measured here"
    if one.is_met(number, one.stretch):
        return one.shown(number), "met, stretch too"
    if one.is_met(number, one.aim):
        return one.shown(number), "met"
    why = reasons.get(one.id, "")
    return one.shown(number), f"**missed**{': ' + why if why else ''}"
