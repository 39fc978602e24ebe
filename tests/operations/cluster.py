"""One installation on five hosts: web, two of workers, one of databases, and whoever calls."""

import json
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, text

from tests.operations.business import set_up
from tests.operations.fleet import ROOT, Fleet
from tests.operations.hosts import Hosts, start_redis
from tests.operations.traffic import Made
from tests.postgres_server import start_server

WEB, ONE, TWO, DATA, CALLER = "web", "one", "two", "data", "caller"
PORT = 8000
# Sessions of a host that are in the middle of a transaction, and perhaps hold locks.
_AT_WORK = text(
    "SELECT count(*) FROM pg_stat_activity WHERE client_addr = CAST(:address AS inet)"
    " AND backend_xid IS NOT NULL"
)
_SESSIONS = text("SELECT count(*) FROM pg_stat_activity WHERE client_addr = CAST(:address AS inet)")


class Cluster:
    """`engine`: an onlooker's, through a socket: no cable that is pulled concerns it."""

    fleet: Fleet
    engine: Engine
    made: Made

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = ExitStack()
        self.hosts = Hosts((WEB, ONE, TWO, DATA, CALLER))

    def __enter__(self) -> "Cluster":
        try:
            self._start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _start(self) -> None:
        hosts = self._stack.enter_context(self.hosts)
        server = start_server(durable=True, host=hosts.host(DATA))
        assert server is not None
        self._stack.callback(server.stop)
        redis = start_redis(hosts, DATA, self._folder)
        self._stack.callback(redis.wait)
        self._stack.callback(redis.kill)
        self.engine = create_engine(server.url("postgres"))
        self._stack.callback(self.engine.dispose)
        data = hosts.addresses[DATA]
        self.fleet = Fleet(
            f"postgresql://rewards@{data}/postgres", f"redis://{data}:6379/0", self._folder,
            WEB_WORKERS="2", PORT=str(PORT), HOST=hosts.addresses[WEB],
        )  # fmt: skip
        self._stack.callback(self.fleet.close)
        init = self.fleet.rewards("init", within=hosts.within(WEB), log="init")
        assert init.wait(60) == 0, self.fleet.said()
        self.made = set_up(
            self.fleet, lambda *words: self.fleet.ask(*words, within=hosts.within(WEB))
        )
        self.fleet.web(PORT, within=hosts.within(WEB), host=hosts.addresses[WEB])
        self.fleet.rewards("scheduler", within=hosts.within(WEB), log="scheduler")
        for host in (ONE, TWO):
            self.worker(host)

    def worker(self, host: str) -> None:
        self.fleet.rewards("worker", within=self.hosts.within(host), log=f"worker-{host}")

    def call(self, number: int, per_second: float) -> "subprocess.Popen[str]":
        """Traffic from the fifth host; its log is read with `answered`."""
        given = {
            "addresses": [(self.hosts.addresses[WEB], PORT)], "made": self.made, "first": 0,
            "number": number, "threads": 4, "per_second": per_second, "leads": True,
        }  # fmt: skip
        process = subprocess.Popen(
            [*self.hosts.within(CALLER), sys.executable, "-m", "tests.operations.load"],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._stack.callback(process.kill)
        assert process.stdin is not None
        process.stdin.write(json.dumps(given))
        process.stdin.close()
        return process

    def at_work(self, host: str) -> int:
        return self._count(_AT_WORK, host)

    def sessions(self, host: str) -> int:
        return self._count(_SESSIONS, host)

    def _count(self, query: Any, host: str) -> int:
        with self.engine.connect() as connection:
            address = {"address": self.hosts.addresses[host]}
            return int(connection.execute(query, address).scalar_one())

    def cut_at_work(self, host: str) -> None:
        """Pull the cable in the middle of a transaction, whose locks nobody will let go of."""
        self._in_transaction(host, lambda: self.hosts.cut(host))

    def lose_at_work(self, host: str) -> None:
        self._in_transaction(host, lambda: self.hosts.lose(host))

    def _in_transaction(self, host: str, act: Any) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self.at_work(host):
                act()
                time.sleep(0.2)  # what was under way at the switch arrives
                if self.at_work(host):
                    return
                self.hosts.heal(host)
        raise AssertionError(f"{host} was never caught at work.\n{self.fleet.said()}")


def answered(process: "subprocess.Popen[str]", seconds: float) -> dict[str, Any]:
    assert process.stdout is not None
    process.wait(seconds)
    found: dict[str, Any] = json.loads(process.stdout.read())
    return found
