"""`rewards simulate chargebee`: a Chargebee site of one's own, on this machine."""

import signal
import time
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any

import click

from rewards_service.cli.main import Refused
from rewards_service.simulator.api import BASE, KEY
from rewards_service.simulator.history import make_history
from rewards_service.simulator.server import SimulatorServer

PORT = 8002


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
def chargebee(
    port: int, rate_limit: int, history: int, start_at: datetime | None, **chosen: Any
) -> None:
    """Run a simulated Chargebee site on loopback, until Ctrl-C.

    Its API answers below /api/v2; POST /simulator/verbs/VERB makes things happen, such as sign_up,
    subscribe, pay, refund or chargeback. The same seed, start, speed 0 and calls make the same
    bytes.
    """
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    start_s = time.time() if start_at is None else start_at.replace(tzinfo=UTC).timestamp()
    try:
        server = SimulatorServer(port=port, start_ms=int(start_s) * 1000, **chosen)
    except (OSError, SystemExit) as error:
        raise Refused(f"Port {port} cannot be used. Choose another with --port.") from error
    except ValueError as error:
        raise Refused(f"{chosen['state']}: {error}") from error
    server.runner.simulator.limit.set(rate_limit)
    if history:
        make_history(server.site, history)
    with server:
        click.echo(f"Chargebee, simulated: {server.url}{BASE} (user {chosen['key']}, no password)")
        click.echo(f"Make things happen:   POST {server.url}/simulator/verbs/sign_up and others")
        stop.wait()
    click.echo("Stopped.")
