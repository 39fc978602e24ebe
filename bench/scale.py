"""What lists, reports and exports cost at a million rewards: `make bench-scale`.

PostgreSQL with durable defaults, gunicorn as in production, one caller on one connection. Writes
docs/benchmarks-scale.md for a million; `--rewards N` runs smaller and only prints.
"""

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psutil
from cryptography.fernet import Fernet
from flask import Flask
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.orm import Session

from bench import scale_lists, scale_world, servers, world
from bench.scale_client import PORT, PREFIX, Client, Memory, Meter
from rewards_service.accounts.service import create_key
from rewards_service.app import create_app
from rewards_service.kit import ids
from rewards_service.kit.pages import seal_cursor
from rewards_service.settings import load_settings

DOCUMENT = Path(__file__).parent.parent / "docs" / "benchmarks-scale.md"
MILLION = 1_000_000
AIM_MS = 50.0


class Timing(NamedTuple):
    """One address at one place of its list: milliseconds."""

    path: str
    place: str
    p50: float
    p95: float
    aim: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rewards", type=int, default=MILLION)
    parser.add_argument("--requests", type=int, default=40, help="for each address and place")
    parser.add_argument("--only", default="", help="addresses that hold this text")
    parser.add_argument("--url", help="measure a database that was built before")
    parser.add_argument("--no-files", action="store_true", help="leave the exports out")
    options = parser.parse_args()
    with ExitStack() as ends:
        folder = ends.enter_context(tempfile.TemporaryDirectory())
        url = options.url or ends.enter_context(servers.database())[0]
        engine = create_engine(url)
        began = time.monotonic()
        if not options.url:
            scale_world.build(engine, options.rewards)
        built = time.monotonic() - began
        redis = ends.enter_context(servers.queue(Path(folder)))
        found = _measure(engine, _environ(url, redis, folder), options)
        engine.dispose()
    report = _document(options.rewards, built, *found)
    print(report)
    if options.rewards >= MILLION and not options.only:
        DOCUMENT.write_text(report)


def _environ(url: str, redis: str, folder: str) -> dict[str, str]:
    return {
        "DATABASE_URL": url, "REDIS_URL": redis, "VAR_DIR": folder, "PORT": str(PORT),
        "BASE_URL": "https://bench.example", "SECRET_KEY": world.SECRET_KEY,
        "ENCRYPTION_KEYS": Fernet.generate_key().decode(), "LOG_FORMAT": "json",
    }  # fmt: skip


def _measure(
    engine: Engine, environ: dict[str, str], options: argparse.Namespace
) -> tuple[list[Timing], list[Memory]]:
    with Session(engine) as session, session.begin():
        _, key = create_key(session, "bench", ["admin"], secret_key=world.SECRET_KEY)
    app = create_app(load_settings(environ))
    client = Client(key)
    things = _things(engine)
    timings, files = [], []
    with servers.web("wsgi", PORT, environ) as web:
        for path, aim in _addresses(options.only):
            for place, address in _places(app, client, path.format(**things)):
                timings.append(_timed(client, path, place, address, aim, options.requests))
        if not options.no_files:
            files.append(_stream(client, web))
            with _worker(environ) as worker:
                files.append(_export(client, worker, "csv", {}))
                late = {"created_at[gte]": things["late"]}
                files.append(_export(client, worker, "xlsx", late))
    return timings, files


def _addresses(only: str) -> list[tuple[str, float]]:
    found = [*((path, AIM_MS) for path in scale_lists.LISTS), *scale_lists.REPORTS]
    return [(path, aim) for path, aim in found if only in path]


def _things(engine: Engine) -> dict[str, Any]:
    """What the addresses name."""
    with engine.connect() as connection:
        by_size = "SELECT partner_id FROM rewards GROUP BY 1 ORDER BY count(*), 1"
        partners = connection.execute(text(by_size)).scalars().all()
        payout = connection.execute(
            text("SELECT id FROM payouts ORDER BY line_count DESC LIMIT 1")
        ).scalar_one()
    small = partners[len(partners) // 5]
    return {
        "partner": ids.encode("par", partners[-1]), "small": ids.encode("par", small),
        "customer": ids.encode("cus", 78), "payout": ids.encode("pay", payout),
        "integration": ids.encode("int", 1), "program": ids.encode("prg", 1),
        "early": "2024-07-01T00:00:00Z", "late": "2025-10-01T00:00:00Z", "month": "2025-10",
    }  # fmt: skip


def _places(app: Flask, client: Client, path: str) -> Iterator[tuple[str, list[str]]]:
    """Name of a place and addresses there: the ends of a list, its middle, page 10,000."""
    if path.startswith("/reports/"):
        yield "-", [path]
        return
    bare, _, query = path.partition("?")
    endpoint, _ = app.url_map.bind("").match(PREFIX + bare, method="GET")
    start = f"{bare}?{query}&" if query else f"{bare}?"
    yield "first", [f"{start}sort=id"]
    yield "first, newest first", [f"{start}sort=-id"]
    ends = [client.ask("GET", f"{start}sort={sort}&limit=1")["data"] for sort in ("id", "-id")]
    first, last = (_key(rows) for rows in ends)
    if last - first < 1_000:
        return
    for place, key, backwards in (
        ("middle", (first + last) // 2, False),
        ("middle, newest first", (first + last) // 2, True),
        ("page 10,000", min(first + 9_999 * 50, last - 100), False),
    ):
        purpose = f"{endpoint}:{backwards}:"  # as kit.lists has it for keys bound to nobody
        sort = f"sort={'-id' if backwards else 'id'}"
        cursors = [seal_cursor(world.SECRET_KEY, purpose, key + shift) for shift in range(20)]
        yield place, [f"{start}{sort}&cursor={cursor}" for cursor in cursors]


def _key(rows: Sequence[Any]) -> int:
    """The key of the first of these rows; 0 where there is none, or it shows no id."""
    public_id = str(rows[0].get("id", "")) if rows else ""
    return ids.decode(public_id.partition("_")[0], public_id) or 0


def _timed(
    client: Client, path: str, place: str, addresses: Sequence[str], aim: float, count: int
) -> Timing:
    took = []
    for number in range(count + 4):
        began = time.perf_counter()
        client.ask("GET", addresses[number % len(addresses)])
        took.append((time.perf_counter() - began) * 1_000)
    measured = sorted(took[4:])  # the first ones compile statements
    p95 = measured[min(int(len(measured) * 0.95), len(measured) - 1)]
    timing = Timing(path, place, statistics.median(measured), p95, aim)
    if p95 > aim:
        print(f"slow: {timing}", file=sys.stderr)
    return timing


def _stream(client: Client, web: psutil.Process) -> Memory:
    meter, began = Meter(web), time.monotonic()
    answer = client.open("GET", "/rewards", Accept="text/csv")
    size = lines = 0
    while part := answer.read(1 << 20):
        size, lines = size + len(part), lines + part.count(b"\r\n")
    return meter.end("CSV, streamed", lines - 1, size, time.monotonic() - began)


@contextmanager
def _worker(environ: dict[str, str]) -> Iterator[psutil.Process]:
    command = [sys.executable, "-m", "rewards_service", "worker"]
    process = subprocess.Popen(command, env={**os.environ, **environ})
    time.sleep(5)
    try:
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(60)


def _export(client: Client, worker: psutil.Process, kind: str, filters: dict[str, str]) -> Memory:
    meter, began = Meter(worker), time.monotonic()
    wanted = {"resource": "rewards", "format": kind, "filters": filters}
    made = client.ask("POST", "/exports", wanted)
    while made["state"] in ("waiting", "running"):
        time.sleep(1)
        made = client.ask("GET", f"/exports/{made['id']}")
    if made["state"] != "done":
        raise SystemExit(f"The export failed: {made['error']}")
    took = time.monotonic() - began
    return meter.end(f"{kind.upper()}, by a worker", made["rows"], made["size"], took)


def _document(
    rewards: int, built: float, timings: Sequence[Timing], files: Sequence[Memory]
) -> str:
    slow = [timing for timing in timings if timing.p95 > timing.aim]
    rows = "\n".join(
        f"| `{one.path}` | {one.place} | {one.p50:.1f} | {one.p95:.1f} |" for one in timings
    )
    kept = "\n".join(
        f"| {one.what} | {one.rows:,} | {one.size / 2**20:.0f} | {one.seconds:.0f} | "
        f"{one.before:.0f} | {one.at_tenth:.0f} | {one.peak:.0f} |"
        for one in files
    )
    return f"""# Lists and files at scale

Written by `make bench-scale`. {rewards:,} rewards of {scale_world.PARTNERS:,} partners in
PostgreSQL, built in {built:.0f} s; {psutil.cpu_count()} cores, Python {platform.python_version()},
gunicorn with 2 processes of 4 threads, one caller. Pages of 50.

## Lists

Milliseconds over HTTP. Of {len(timings)} places, {len(slow)} have a p95 above their aim
({AIM_MS:.0f} ms for a page).

| address | place | p50 | p95 |
|---|---|---|---|
{rows}

## Files of rewards

MiB of the process that makes it: before, after a tenth of the time, at most.

| file | rows | MiB | seconds | before | at a tenth | peak |
|---|---|---|---|---|---|---|
{kept}
"""


if __name__ == "__main__":
    main()
