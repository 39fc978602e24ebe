"""`rewards demo`: the service with a month of business in it, from a simulated Chargebee."""

import os
import socket
import sys
import time
from http.client import HTTPConnection, HTTPException
from json import loads

import click
from sqlalchemy.orm import Session

from rewards_service.cli.databases import migrated, reading
from rewards_service.cli.demo_company import SITE, make_company, summary
from rewards_service.cli.main import Refused
from rewards_service.cli.run import Beside, command_line, first_steps, local_host, start_everything
from rewards_service.embedded.supervisor import Child
from rewards_service.kit.db import hold_stage, transaction
from rewards_service.reports.backlog import read_backlog
from rewards_service.settings import API_BASE_FILE, Settings

PORT = 8002
STATE_FILE = "demo-chargebee.json"
LOOK_SECONDS = 1.0
API_BASE = "CHARGEBEE_API_BASE"


@click.command()
@click.option(
    "--simulator-port",
    type=click.IntRange(0, 65535),
    default=PORT,
    show_default=True,
    envvar="SIMULATOR_PORT",
    help="Where the simulated Chargebee listens.",
)
@click.option(
    "--seed", type=int, help="Decides who does what in the month; without it, each is another."
)
def demo(simulator_port: int, seed: int | None) -> None:
    """Start everything, with sample partners, leads, deals and a month of their business.

    As `rewards run`, and beside it a simulated Chargebee that plays a month of payments and
    refunds into the service. Started again, it finds what was played and goes on.
    """
    port = _usable(simulator_port)
    os.environ[API_BASE] = f"http://127.0.0.1:{port}"
    start_everything(Demo(port, int(time.time()) if seed is None else seed))


def _usable(wanted: int) -> int:
    """The port, or a free one for 0. Raises Refused when another program has it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError as error:
            raise Refused(
                f"Port {wanted} cannot be used ({error.strerror}). Choose another for the "
                f"simulated Chargebee: SIMULATOR_PORT={wanted % 65535 + 1} make demo"
            ) from error
        port: int = probe.getsockname()[1]
        return port


class Demo(Beside):
    """The company's rows before the start, the simulator as a process, the sums at the end."""

    def __init__(self, port: int, seed: int) -> None:
        self._port, self._seed = port, seed
        self._settings: Settings | None = None
        self._told = False
        self._looked_s = 0.0

    def prepare(self, settings: Settings) -> None:
        self._settings = settings
        (settings.var_dir / API_BASE_FILE).write_text(os.environ[API_BASE])
        with migrated(settings) as engine, transaction(engine) as session:
            hold_stage(session, "demo")
            integration, credentials = make_company(session, settings)
            host = local_host(settings)
            address = f"[{host}]" if ":" in host else host
            url = f"http://{address}:{settings.port}/webhooks/chargebee/{integration.endpoint_key}"
        os.environ["REWARDS_WEBHOOK_URL"] = url
        os.environ["REWARDS_WEBHOOK_USERNAME"] = credentials.username
        os.environ["REWARDS_WEBHOOK_PASSWORD"] = credentials.password

    def children(self, settings: Settings) -> list[Child]:
        program = [sys.executable, "-m", "rewards_service", "simulate", "chargebee"]
        state = settings.var_dir / STATE_FILE
        chosen = ["--port", str(self._port), "--seed", str(self._seed), "--month"]
        return [Child("simulator", [*program, *chosen, "--state", str(state)])]

    def look(self) -> None:
        """Tell the sums once the month is played and the service has worked all of it off."""
        settings, now_s = self._settings, time.monotonic()
        if self._told or settings is None or now_s - self._looked_s < LOOK_SECONDS:
            return
        self._looked_s = now_s
        if not self._is_played():
            return
        with migrated(settings) as engine, Session(reading(engine)) as session:
            waiting = read_backlog(session)
            if waiting.pending_events or waiting.reward_due:
                return
            lines = summary(session)
        self._told = True
        click.echo("\n".join([*lines, "", *self._next()]))

    def _is_played(self) -> bool:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=2)
        try:
            connection.request("GET", "/simulator/progress")
            found = loads(connection.getresponse().read())
        except (OSError, HTTPException, ValueError):
            return False
        finally:
            connection.close()
        return bool(found.get("month") and not found.get("planned"))

    def _next(self) -> list[str]:
        command = command_line()
        simulator = f"http://127.0.0.1:{self._port}/simulator"
        return [
            "Look at it, in another terminal:",
            "",
            f"  {command} check",
            f"  {command} reconcile --integration {SITE}",
            f"  {command} api-key create --name me --scopes admin",
            "",
            "Make more of it happen: a payer signs up, as one of the demo's Chargebee site.",
            "",
            f'  curl -d \'{{"email": "ada@analytical.example"}}\' {simulator}/verbs/sign_up',
            "",
        ]

    def welcome(self, settings: Settings) -> str:
        return f"""
The rewards service is running, with a simulated Chargebee beside it.

  Address        {settings.base_url}
  Chargebee      http://127.0.0.1:{self._port}/api/v2 (integration {SITE})
  Kept in        {settings.var_dir}
{first_steps(settings)}
A month of business is being played into it. Ctrl-C stops everything.
"""
