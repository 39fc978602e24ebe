"""The sections of the document about loads over HTTP."""

import statistics
from collections.abc import Mapping
from typing import Any

from bench import paired

Found = Mapping[str, Any]


def paired_section(found: Found) -> str:
    names = [name for name in found["labels"] if name in found["rounds"][0]]
    kept = dict.fromkeys(found["kept"], "")
    rounds = "\n".join(
        f"| {number + 1} | {kept.get(number, 'discarded')} | "
        + " | ".join(f"{row[name]['per_second']:.0f}" for name in names)
        + f" | {max(row[name]['foreign_cores'] for name in names):.2f} |"
        for number, row in enumerate(found["rounds"])
    )
    labels = [found["labels"][name] for name in names]
    ratios = "\n".join(_ratio(found, name) for name in names if name != "ours")
    versions = "".join(
        f"\n- {found['labels'][name]}: {said}." for name, said in found["versions"].items()
    )
    missing = "".join(
        f"\n- {name} was not measured: {why}." for name, why in found["missing"].items()
    )
    return f"""## All under the same load

Closed loop, {paired.CONNECTIONS} kept connections, rounds of {found["seconds"]:g} s after
{paired.WARM_SECONDS:g} s to warm up, in turns A B C ... C B A, each server started afresh, all on
one PostgreSQL and one queue. gunicorn with 2 processes of 4 threads; stripe-sync-engine is one Node
process. Rounds in which the bare route moved by more than {paired.MOST_MOVED:.0%} from its median
are discarded. Medians of the {len(found["kept"])} rounds that count; CPU in microseconds per
request, of the process trees.

| subject | requests/s | p50 ms | p99 ms | web CPU | PostgreSQL CPU | together | queue CPU |
|---|---|---|---|---|---|---|---|
{chr(10).join(_subject(found, name) for name in names)}

Ours by the others, of each round: median, smallest to largest.

| by | requests/s | total CPU |
|---|---|---|
{ratios}

Requests per second of every round; and the most cores that something else used meanwhile.

| round | | {" | ".join(labels)} | foreign cores |
|---|---|{"---|" * len(labels)}---|
{rounds}

What they do for a request is not the same. The bare route parses JSON. Ours records the event,
durably, and leaves the rest to a worker. The afternoon baseline looks for the event and the
customer, keeps the payment and enqueues an RQ job, which makes the reward later. dj-stripe checks a
signature, keeps event and charge; instead of reading the charge again from Stripe it is given the
one of the event. stripe-sync-engine checks a signature and keeps the charge, not the event. Neither
peer matches leads or calculates rewards. The payments are of 2.8 kB, Stripe's events of 2.1 kB.
{versions}{missing}"""


def _subject(found: Found, name: str) -> str:
    names = ("per_second", "p50_ms", "p99_ms", "web_us", "database_us", "total_us", "queue_us")
    values = [paired.median(found, name, one) for one in names]
    digits = [0, 2, 2, 0, 0, 0, 0]
    shown = " | ".join(f"{value:,.{n}f}" for value, n in zip(values, digits, strict=True))
    return f"| {found['labels'][name]} | {shown} |"


def _ratio(found: Found, name: str) -> str:
    cells = [
        f"{statistics.median(some):.2f} x ({some[0]:.2f} to {some[-1]:.2f})"
        for some in (
            paired.ratios(found, "ours", name), paired.ratios(found, "ours", name, "total_us"),
        )
    ]  # fmt: skip
    return f"| {found['labels'][name]} | {cells[0]} | {cells[1]} |"


def latency_section(found: Found) -> str:
    rows = "\n".join(
        f"| {one['share']:.0%} | {one['per_second']:.0f} | {one['requests']:.0f} | "
        f"{one['p50_ms']:.1f} | {one['p99_ms']:.1f} | {one['max_ms']:.1f} |"
        for one in found["acknowledged"]
    )
    reward = found["rewarded"]
    ack = reward["acknowledged"]
    return f"""## How long one waits

Open loop: requests are due at random moments (Poisson) whether or not answers came, and latency
counts from then. The web processes alone acknowledge {found["capacity"]:.0f} payments/s in a closed
loop.

| of that | requests/s | requests | p50 ms | p99 ms | longest ms |
|---|---|---|---|---|---|
{rows}

With one worker, at {reward["rate"]:.0f} events/s for {found["seconds"]:g} s ({reward["events"]}
payments): from `received_at` of the event to the commit of its reward p50
**{reward["p50_ms"]:.0f} ms**, p99 **{reward["p99_ms"]:.0f} ms**, longest {reward["max_ms"]:.0f} ms;
acknowledged meanwhile in p50 {ack["p50_ms"]:.1f} ms, p99 {ack["p99_ms"]:.1f} ms."""


def page_section(found: Found) -> str:
    shares = paired.ratios(found, "page", "bare")
    alone = found["alone"]
    return f"""## A page of the REST API

100 rewards of {found["rewards"]:,}, in turns with the bare route:
**{statistics.median(shares):.2f} x** its requests per second ({shares[0]:.2f} to {shares[-1]:.2f}
in {len(shares)} rounds that count), {paired.median(found, "page", "per_second"):.0f} pages/s at
{paired.median(found, "page", "total_us"):,.0f} us of CPU. One caller alone
waits p50 {alone["p50_ms"]:.1f} ms, p95 {alone["p95_ms"]:.1f} ms."""
