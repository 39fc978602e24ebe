"""`rewards simulate chargebee`: a Chargebee site of one's own, on this machine."""

import os
import signal
import socket
import time
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import urlsplit

import click

from rewards_service.cli.main import Refused
from rewards_service.simulator.api import BASE, KEY
from rewards_service.simulator.history import make_history
from rewards_service.simulator.month import DAYS, is_over
from rewards_service.simulator.server import SimulatorServer

PORT = 8002
PATIENCE_S = 60.0
DAY_S, LEEWAY_S = 86_400, 3_600


@click.group()
def simulate() -> None:
    """Stand-ins for the services that this one talks to."""


@simulate.command()
@click.option("--port", type=click.IntRange(0, 65535), default=PORT, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True, help="Decides every id and fault.")
@click.option("--key", default=KEY, show_default=True, help="The API key it wants.")
@click.option(
    "--start-at",
    type=click.DateTime(),
    help="Where its clock starts, in UTC. Left out: now.",
)
@click.option(
    "--speed",
    type=click.FloatRange(0, 100_000),
    default=1.0,
    show_default=True,
    help="Its seconds for each real one; 0 stands still but for what is told.",
)
@click.option(
    "--rate-limit",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="API calls in a minute; 0 for no limit.",
)
@click.option(
    "--history",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Begin with so many paid invoices of the past.",
)
@click.option(
    "--state",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Go on from this file if it is there; write it at the end.",
)
@click.option(
    "--webhook",
    envvar="REWARDS_WEBHOOK_URL",
    help="Send all events there, with REWARDS_WEBHOOK_USERNAME and REWARDS_WEBHOOK_PASSWORD.",
)
@click.option("--month", is_flag=True, help="Play a month of business that ends now.")
def chargebee(
    rate_limit: int, history: int, webhook: str | None, month: bool, **chosen: Any
) -> None:
    """Run a simulated Chargebee site on loopback, until Ctrl-C.

    Its API answers below /api/v2; POST /simulator/verbs/VERB makes things happen, such as sign_up,
    subscribe, pay, refund or chargeback. The same seed, start, speed 0 and calls make the same
    bytes.
    """
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    server = _server(month, **chosen)
    server.runner.simulator.limit.set(rate_limit)
    if history:
        make_history(server.site, history)
    if webhook is not None:
        username, password = (
            os.environ.get(f"REWARDS_WEBHOOK_{name}", "") for name in ("USERNAME", "PASSWORD")
        )
        server.runner.listen(webhook, username, password)
    with server:
        click.echo(f"Chargebee, simulated: {server.url}{BASE} (user {chosen['key']}, no password)")
        click.echo(f"Make things happen:   POST {server.url}/simulator/verbs/sign_up and others")
        if month and not is_over(server.site):
            _play(server, webhook, stop)
        elif chosen["speed"] and chosen["start_at"] is None:
            _catch_up(server)
        stop.wait()
    click.echo("Stopped.")


def _server(month: bool, start_at: datetime | None, **chosen: Any) -> SimulatorServer:
    start_s = time.time() if start_at is None else start_at.replace(tzinfo=UTC).timestamp()
    if month and start_at is None:
        start_s -= DAYS * DAY_S + LEEWAY_S
    try:
        return SimulatorServer(start_ms=int(start_s) * 1000, **chosen)
    except (OSError, SystemExit) as error:
        port = chosen["port"]
        raise Refused(f"Port {port} cannot be used. Choose another with --port.") from error
    except ValueError as error:
        raise Refused(f"{chosen['state']}: {error}") from error


def _catch_up(server: SimulatorServer) -> None:
    """A site that was put aside goes on today, with what was due in the meantime."""
    behind = int(time.time()) - server.site.now
    if behind > 0:
        server.runner.say("wait", {"seconds": behind})


def _play(server: SimulatorServer, webhook: str | None, stop: Event) -> None:
    """Play the month as soon as something listens where its webhooks go."""
    deadline = time.monotonic() + PATIENCE_S
    while webhook is not None and not _listens(webhook) and time.monotonic() < deadline:
        if stop.wait(0.2):
            return
    server.runner.play_month()
    server.runner.move_to(int(time.time() * 1000))
    server.save()
    click.echo("A month was played.")


def _listens(url: str) -> bool:
    parts = urlsplit(url)
    address = (parts.hostname or "", parts.port or 80)
    try:
        with socket.create_connection(address, timeout=1):
            return True
    except OSError:
        return False
