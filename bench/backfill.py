"""How fast history is fetched: `make bench-backfill`, or `python -m bench.backfill`.

A simulated site of paid invoices in a process of its own, without a rate limit; the service on a
PostgreSQL of its own, in a second process, so that its memory is that of the backfill alone. With
`--prepared` the site's answers lie ready: then the simulator is no part of what is measured.
"""

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psutil
from cryptography.fernet import Fernet
from sqlalchemy import Engine, create_engine, func, select, update
from sqlalchemy.orm import Session

from bench import servers, world
from bench.watch import Watch
from rewards_service.chargebee.connecting import connected
from rewards_service.history import queries, service
from rewards_service.history.running import go_on, to_chargebee
from rewards_service.integrations.models import Integration
from rewards_service.kit import crypto
from rewards_service.kit.db import transaction
from rewards_service.kit.rate import LOCAL_SHARE
from rewards_service.mirror.models import ChargebeeVersion
from rewards_service.settings import Settings, load_settings
from rewards_service.simulator.history import make_history
from rewards_service.simulator.lists import page
from rewards_service.simulator.server import SimulatorServer
from rewards_service.simulator.site import Site
from rewards_service.simulator.wire import Params, dumps
from rewards_service.worker import spare_the_collector

KEY = "simulator_key"
NO_LIMIT = 36_000.0
LISTS = {"customers": "customer", "invoices": "invoice", "transactions": "transaction"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--invoices", type=int, default=100_000)
    parser.add_argument("--prepared", action="store_true", help="serve answers that lie ready")
    parser.add_argument("--limit", type=int, help="requests a minute, on a clock of its own")
    parser.add_argument("--serve", action="store_true", help="be the site")
    parser.add_argument("--url", help="fetch into the database at this address")
    parser.add_argument("--there", action="store_true", help="it holds a business already")
    parser.add_argument("--site", help="from the site at this address")
    options = parser.parse_args()
    if options.serve:
        serve(options.invoices, options.prepared)
    elif options.url:
        print(json.dumps(measure(options.url, options.site, options.there)))
    elif options.limit:
        print(limited(options.invoices, options.limit))
    else:
        print(compare(options.invoices, options.prepared))


def compare(invoices: int, prepared: bool) -> str:
    """Start all three, fetch, and say what it took."""
    more = ["--prepared"] if prepared else []
    with (
        servers.database() as (url, server),
        _process(["--serve", "--invoices", str(invoices), *more]) as site,
    ):
        address = json.loads(site.stdout.readline())["url"] if site.stdout else ""
        postgres = psutil.Process(server.process.pid)
        database, serving = servers.cpu_seconds(postgres), _cpu(site)
        with _process(["--url", url, "--site", address]) as fetching:
            found = json.loads(fetching.communicate()[0])
        database, serving = servers.cpu_seconds(postgres) - database, _cpu(site) - serving
    by_list = ", ".join(
        f"{kind} {figures['listed']} in {figures['seconds']:.1f} s"
        for kind, figures in found["lists"].items()
    )
    memory = ", ".join(f"{mb:.0f}" for mb in found["memory_mb"])
    return (
        f"{invoices} invoices with payments and customers: {found['seconds']:.1f} s, "
        f"{invoices / found['seconds']:.0f} invoices/s, {found['objects'] / found['seconds']:.0f} "
        f"objects/s ({by_list}); {found['objects']} objects mirrored\n"
        f"CPU seconds: service {found['cpu']:.1f}, PostgreSQL {database:.1f}, site {serving:.1f}; "
        f"memory of the service at each tenth, MB: {memory}"
    )


def limited(invoices: int, per_minute: int) -> str:
    """Fetch from a site with a limit; time is only what is waited for, so that nothing waits."""
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    with (
        servers.database() as (url, _),
        SimulatorServer(pumping=False, clock=lambda: now[0]) as server,
    ):
        make_history(server.site, invoices)
        limit = server.runner.simulator.limit
        limit.set(per_minute)
        engine, integration_id, settings = _ready(url, server.url, per_minute * LOCAL_SHARE)
        clock: dict[str, Any] = {"clock": lambda: now[0], "sleep": sleep}
        connect = partial(connected, settings, "bench", KEY, **clock)
        go_on(engine, lambda _: connect, NO_LIMIT, at_once=1)
        with Session(engine) as session:
            shown = queries.shown(session, service.newest(session, integration_id))
    calls = sum(one["pages"] for one in shown["lists"])
    minutes = now[0] / 60
    return (
        f"{calls} calls in {minutes:.2f} minutes at {per_minute} a minute: "
        f"{calls / minutes / per_minute:.1%} of the budget, {limit.refused} refused"
    )


@contextmanager
def _process(arguments: list[str]) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "bench.backfill", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _cpu(process: "subprocess.Popen[str]") -> float:
    return servers.cpu_seconds(psutil.Process(process.pid))


def serve(invoices: int, prepared: bool) -> None:
    """Be the site until killed; says its address on stdout when it is up."""
    if prepared:
        site = Site(1)
        make_history(site, invoices)
        _serve_prepared(site)
        return
    with SimulatorServer(pumping=False) as server:
        make_history(server.site, invoices)
        print(json.dumps({"url": server.url}), flush=True)
        threading.Event().wait()


def _serve_prepared(site: Site) -> None:
    answers = {f"/api/v2/{path}": dict(_answers(site, kind)) for path, kind in LISTS.items()}
    nothing = dumps({"list": []})

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            offset = parse_qs(parts.query).get("offset", [""])[0]
            body = answers.get(parts.path, {}).get(offset, nothing)
            head = (
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\n\r\n"
            )
            self.wfile.write(head.encode() + body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(json.dumps({"url": f"http://127.0.0.1:{server.server_port}"}), flush=True)
    server.serve_forever()


def _answers(site: Site, kind: str) -> Iterator[tuple[str, bytes]]:
    """Every page of a list by its offset, as the simulator answers it."""
    offset: str | None = ""
    while offset is not None:
        given = {"limit": "100", "include_deleted": "true"}
        rows, following = page(site, kind, Params(given | ({"offset": offset} if offset else {})))
        answer: dict[str, Any] = {"list": [{kind: row} for row in rows]}
        if following is not None:
            answer["next_offset"] = following
        yield offset, dumps(answer)
        offset = following


def measure(url: str, site: str, there: bool = False) -> dict[str, Any]:
    """Fetch everything in this process; seconds, CPU, and memory as it went on.

    there: into a business of `bench.world` that is there already, its first site.
    """
    engine, integration_id, settings = _ready(url, site, 0, there)
    held = _versions(engine)
    spare_the_collector()
    watch = Watch()
    start, cpu = time.perf_counter(), time.process_time()
    go_on(engine, to_chargebee(settings), NO_LIMIT, told=watch.look)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    with Session(engine) as session:
        shown = queries.shown(session, service.newest(session, integration_id))
    objects = _versions(engine) - held
    if shown["state"] != "done" or objects != sum(one["listed"] for one in shown["lists"]):
        raise SystemExit(f"The backfill is wrong: {objects} objects, {shown}")
    lists = {
        one["kind"]: {"listed": one["listed"], "seconds": watch.seconds.get(one["kind"], 0.0)}
        for one in shown["lists"]
    }
    return {
        "seconds": seconds, "cpu": cpu, "objects": objects, "lists": lists,
        "memory_mb": watch.memory_mb[:: max(len(watch.memory_mb) // 10, 1)],
    }  # fmt: skip


def _versions(engine: Engine) -> int:
    with Session(engine) as session:
        return session.scalar(select(func.count()).select_from(ChargebeeVersion)) or 0


def _ready(
    url: str, site: str, per_minute: int, there: bool = False
) -> tuple[Engine, int, Settings]:
    """A business that is connected to the site, its backfill begun. Without Redis."""
    engine = create_engine(url)
    integration_id = 1 if there else world.set_up(engine)[0]
    settings = load_settings(
        {
            "DATABASE_URL": url, "REDIS_URL": "unix:///nowhere/redis.sock",
            "SECRET_KEY": world.SECRET_KEY, "ENCRYPTION_KEYS": Fernet.generate_key().decode(),
            "CHARGEBEE_API_BASE": site, "CHARGEBEE_REQUESTS_PER_MINUTE": str(per_minute),
        }
    )  # fmt: skip
    with transaction(engine) as session:
        sealed = crypto.encrypt(settings.encryption_keys, KEY)
        session.execute(update(Integration).values(api_key_encrypted=sealed))
        service.begin(session, integration_id, "bench")
    return engine, integration_id, settings


if __name__ == "__main__":
    main()
