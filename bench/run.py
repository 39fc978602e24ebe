"""Measure and write docs/benchmarks.md: `make bench`, or `python -m bench.run --quick`."""

import argparse
import platform
from importlib.metadata import version
from pathlib import Path

import psutil

from bench import ack, drain

DOCUMENT = Path(__file__).parent.parent / "docs" / "benchmarks.md"
PACKAGES = ("flask", "gunicorn", "sqlalchemy", "psycopg", "rq", "redis", "orjson")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="short rounds, no document")
    quick = parser.parse_args().quick
    rounds, seconds, events = (2, 2.0, 4_000) if quick else (5, 6.0, 20_000)
    bare, ours = ack.measure(rounds, seconds)
    runs = [drain.measure(events)[0] for _ in range(1 if quick else 3)]
    counting, _ = drain.measure(events, first_months=12)
    _, profile = drain.measure(min(events, 6_000), profile=True)
    text = _document(bare, ours, runs, counting, profile)
    print(text)
    if not quick:
        DOCUMENT.write_text(text)


def _document(
    bare: ack.Subject,
    ours: ack.Subject,
    runs: list[drain.Drained],
    counting: drain.Drained,
    profile: str,
) -> str:
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    memory = psutil.virtual_memory().total / 2**30
    machine = f"{psutil.cpu_count()} cores, {memory:.0f} GiB, Python {platform.python_version()}"
    ratio = ours.total_us / bare.total_us
    rows = "\n".join(_row(subject) for subject in (bare, ours))
    drained = "\n".join(_drained(run) for run in runs)
    top = "\n".join(line.rstrip() for line in profile.splitlines() if "rewards_service/" in line)
    top = top.replace(str(DOCUMENT.parent.parent) + "/", "")
    return f"""# Benchmarks

Written by `make bench`. Machine: {machine}; {versions}; PostgreSQL with durable defaults
(`fsync` and `synchronous_commit` on). Ratios within one run are what counts; requests per second
move with the machine.

## An acknowledged webhook beside a bare Flask route

Same gunicorn (2 workers, 4 threads), same 2.7 kB payment, 8 keep-alive connections, alternating
rounds; CPU of the process trees per request, medians. Recorded events are counted afterwards.

| subject | web CPU us | database CPU us | total us | requests/s |
|---|---|---|---|---|
{rows}

Total CPU per acknowledged webhook: **{ratio:.2f} x** the bare route.

## A backlog of recorded payments until the last reward

One process, batches of {drain.event_jobs.BATCHES["postgresql"]}, two payments a customer; each
customer's first payment converts a lead. Counted afterwards: one reward a payment, the sum right to
the cent.

| backlog | seconds | events/s | worker CPU us/event | database CPU us/event |
|---|---|---|---|---|
{drained}

The same where the rule counts (a customer's first 12 months): events and rewards are one step then.

| backlog | seconds | events/s | worker CPU us/event | database CPU us/event |
|---|---|---|---|---|
{_drained(counting)}

Where the time goes (cumulative seconds, profiler on):

```
   ncalls  tottime  percall  cumtime  percall filename:lineno(function)
{top}
```
"""


def _drained(run: drain.Drained) -> str:
    return (
        f"| {run.events} | {run.seconds:.1f} | {run.rate:.0f} | "
        f"{run.cpu_seconds / run.events * 1e6:.0f} | "
        f"{run.database_seconds / run.events * 1e6:.0f} |"
    )


def _row(subject: ack.Subject) -> str:
    return (
        f"| {subject.name} | {subject.median('web_us'):.0f} | "
        f"{subject.median('database_us'):.0f} | {subject.total_us:.0f} | "
        f"{subject.median('per_second'):.0f} |"
    )


if __name__ == "__main__":
    main()
