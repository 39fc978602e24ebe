"""The sections of the document about what workers do, and about beginning from nothing."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench import drain
from rewards_service.webhooks.jobs import BATCHES

ROOT = Path(__file__).parent.parent
Found = Mapping[str, Any]


def drain_section(found: Found) -> str:
    lean = [drain.Drained(**one) for one in found["lean"]]
    others = {name: drain.Drained(**one) for name, one in found["others"].items()}
    profile = "\n".join(
        line.rstrip() for line in found["profile"].splitlines() if "rewards_service/" in line
    ).replace(f"{ROOT}/", "")
    rows = [
        *(_drained("transaction, invoice, customer (2.8 kB)", one) for one in lean),
        _drained("as Chargebee sends it, with the subscription (4.1 kB)", others["whole"]),
        _drained("2.8 kB, and a rule that counts: 12 months of each customer", others["counting"]),
    ]
    return f"""## A backlog until the last reward

One process, batches of {BATCHES["postgresql"]:,}, two payments a customer; each
customer's first payment converts a lead.

| payments | number | seconds | events/s | worker CPU us/event | PostgreSQL CPU us/event |
|---|---|---|---|---|---|
{chr(10).join(rows)}

Where the time goes (cumulative seconds, profiler on):

```
   ncalls  tottime  percall  cumtime  percall filename:lineno(function)
{profile}
```"""


def _drained(kind: str, one: drain.Drained) -> str:
    return (
        f"| {kind} | {one.events:,} | {one.seconds:.1f} | {one.rate:,.0f} | "
        f"{one.cpu_seconds / one.events * 1e6:.0f} | "
        f"{one.database_seconds / one.events * 1e6:.0f} |"
    )


def batches_section(found: Found) -> str:
    many, one = found["per_second"]["500"], found["per_second"]["1"]
    return (
        f"By 500 a commit {many:,.0f} events/s, one by one with the same code {one:,.0f}: "
        f"**{many / one:.1f} x** ({found['events']:,} and {found['singles']:,} events; a tenth of "
        "each goes before to warm up; events and rewards one after the other, not side by side)."
    )


def backlog_section(found: Found) -> str:
    rows = "\n".join(
        f"| {processes} | {seconds:.1f} | {found['events'] / seconds:,.0f} |"
        for processes, seconds in found["processes"].items()
    )
    return f"""{found["events"]:,} recorded events until the last reward:

| processes | seconds | events/s |
|---|---|---|
{rows}"""


def finish_section(found: Found) -> str:
    rows = "\n".join(
        f"| {label} | {found[name]['acknowledged_s']:.1f} | {found[name]['rewarded_s']:.1f} | "
        f"{found[name]['rewards'] / found[name]['rewarded_s']:.0f} |"
        for name, label in (
            ("ours", "ours, one worker"),
            ("afternoon", "afternoon baseline, one RQ worker that forks, preloaded"),
        )
    )
    return f"""## End to end

{found["payments"]:,} payments over 4 connections as fast as they are acknowledged, until the last
reward is in the database.

| | last acknowledged after s | last reward after s | rewards/s |
|---|---|---|---|
{rows}"""


def fresh_section(found: Found) -> str:
    def shown(runs: Any) -> str:
        if isinstance(runs, str):
            return f"not measured: {runs}"
        return "; ".join(
            ", ".join(f"{step} {seconds:.1f}" for step, seconds in steps.items()) for steps in runs
        )

    return f"""## From nothing

Seconds of each step, run by run. Packages are fetched and unpacked anew, from whichever index this
machine is set up with.

- Servers, by pip, into an empty environment: {shown(found["servers"])}.
- Service, by uv: environment and everything in `requirements.lock`; `rewards run` until it
  answers; `rewards sandbox` and `rewards send-test-event`: {shown(found["service"])}."""
