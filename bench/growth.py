"""How everything grows with the data: `make bench-growth`.

Two worlds on one PostgreSQL (half a million rewards, five million), measured in turns in one run.
`--sizes 20000,200000` runs smaller and only prints. `--server postgresql://.../postgres` builds on
a server that is there, and finds the worlds again next time.
"""

import argparse
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import psutil

from bench import growth_reads, growth_sides, growth_writes, scale_slice, servers
from bench.growth_reads import Read, Scan
from bench.growth_sides import Side
from bench.growth_writes import Written
from rewards_service.kit import log
from rewards_service.worker import spare_the_collector

DOCUMENT = Path(__file__).parent.parent / "docs" / "benchmarks-growth.md"
SIZES = "500000,5000000"
PACKAGES = ("flask", "gunicorn", "sqlalchemy", "psycopg", "orjson")


class Found(NamedTuple):
    """All that was measured."""

    sides: Sequence[Side]
    built: float
    reads: Sequence[Read]
    scans: Sequence[Scan]
    written: Sequence[Written]
    shares: Sequence[float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default=SIZES, help="rewards of the small and the large world")
    parser.add_argument("--slice", type=int, help="rewards that the service itself makes of each")
    parser.add_argument("--server", help="build on the server at this address, and stay there")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=20, help="a round, for each question")
    parser.add_argument("--seconds", type=float, default=5.0, help="of load, a round")
    parser.add_argument("--backlog", type=int, default=10_000)
    parser.add_argument("--invoices", type=int, default=10_000, help="of the backfill")
    options = parser.parse_args()
    spare_the_collector()
    found = _measure(options)
    report = _document(found)
    print(report)
    if options.sizes == SIZES:
        DOCUMENT.write_text(report)
    if found.scans:
        sys.exit("Large tables were read from one end to the other; see above.")


def _measure(options: argparse.Namespace) -> Found:
    sizes = [int(size) for size in options.sizes.split(",")]
    slice_size = options.slice or min(25_000, sizes[0] // 10)
    began = time.monotonic()
    with ExitStack() as ends:
        log.configure("json", ends.enter_context(Path(os.devnull).open("w")))  # it is long
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory()))
        at = ends.enter_context(growth_sides.server(options.server))
        sides, postgres = ends.enter_context(growth_sides.sides(at, sizes, slice_size, folder))
        built = time.monotonic() - began
        with ExitStack() as webs:
            for side in sides:
                webs.enter_context(servers.web("wsgi", side.port, side.environ))
            reads = growth_reads.reads(sides)
            growth_reads.time_http(sides, reads, options.rounds, options.requests)
            scans = growth_reads.time_sql(sides, reads, options.rounds, options.requests)
            shares = growth_writes.beside_bare(sides[-1], options.rounds, options.seconds)
            written = growth_writes.acknowledge(sides, postgres, options.rounds, options.seconds)
        written += growth_writes.drains(sides, postgres, options.rounds, options.backlog)
        written += growth_writes.replays(sides, options.rounds)
        written += growth_writes.backfills(sides, options.invoices)
    return Found(sides, built, reads, scans, written, shares)


def _document(found: Found) -> str:
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    small, large = found.sides
    memory = psutil.virtual_memory().total / 2**30
    load = ", ".join(f"{one:.1f}" for one in psutil.getloadavg())
    shares = sorted(found.shares)
    scans = "\n".join(f"- {one.name}: `{one.table}`" for one in found.scans) or "None."
    return f"""# How it grows

Written by `make bench-growth`. {small.name} and {large.name} rewards, as many payments and twice
as many events, {scale_slice.PARTNERS:,} partners, two years, three currencies; both
databases on one PostgreSQL with durable defaults, asked in turns. Built or found in
{found.built:.0f} s. {psutil.cpu_count()} cores, {memory:.0f} GiB, load at the end {load};
Python {platform.python_version()}, {versions}.

A ratio is the large side's median by the small one's of the same round: the median of all rounds,
and the smallest and largest. Ratios are what counts; milliseconds move with the machine.

## Lists and reports

Pages of 50; "middle" lies halfway through the list. `SQL` is the time in the database alone.

| question | small ms | large ms | large p95 | ratio | SQL large p50 | p95 | SQL ratio | aim |
|---|---|---|---|---|---|---|---|---|
{_lines([_read(one) for one in found.reads])}

A page of 100 rewards of the large side: {statistics.median(shares):.2f} x the requests per second
of a bare Flask route that parses a payment ({shares[0]:.2f} to {shares[-1]:.2f}).

Tables of more than {growth_reads.FEW:,} rows that a plan of these reads from one end to the other:
{scans}

## Writing

Less is better. Counted after each round: every acknowledged event is there, every payment has its
reward, the sum is right to the cent, and a replay changes nothing.

| what | small | large | unit | ratio | aim |
|---|---|---|---|---|---|
{_lines([_write(one) for one in found.written])}
"""


def _lines(rows: Sequence[str]) -> str:
    return "\n".join(rows)


def _read(one: Read) -> str:
    small, large, sql = one.of("http", 0), one.of("http", 1), one.of("sql", 1)
    return (
        f"| `{one.name}` | {statistics.median(small):.1f} | {statistics.median(large):.1f} | "
        f"{_p95(large):.1f} | {_ratio(one.ratios('http'), one.aim)} | "
        f"{statistics.median(sql):.2f} | {_p95(sql):.2f} | {_ratio(one.ratios('sql'), one.aim)} | "
        f"{one.aim} |"
    )


def _write(one: Written) -> str:
    return (
        f"| {one.name} | {one.median(0):.1f} | {one.median(1):.1f} | {one.unit} | "
        f"{_ratio(one.ratios(), one.aim)} | {one.aim:.2g} |"
    )


def _p95(ordered: Sequence[float]) -> float:
    return ordered[min(int(len(ordered) * 0.95), len(ordered) - 1)]


def _ratio(ratios: Sequence[float], aim: float) -> str:
    middle = statistics.median(ratios)
    mark = "**" if middle > aim else ""
    spread = f" ({min(ratios):.2f} - {max(ratios):.2f})" if len(ratios) > 1 else ""
    return f"{mark}{middle:.2f}{mark}{spread}"


if __name__ == "__main__":
    main()
