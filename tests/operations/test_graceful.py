"""A web process is stopped and the next one started under load: nobody is turned away."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.operations.business import events, set_up
from tests.operations.fleet import WEB, Fleet
from tests.operations.traffic import Traffic
from tests.peers.livez import is_live

HERE = "127.0.0.1"
NUMBER, PER_SECOND = 400, 200
# By systemd's protocol the first socket is file 3, and two variables say for whom.
AS_SYSTEMD = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
os.execv(sys.argv[2], sys.argv[2:])
"""


@pytest.fixture
def fleet(database_url: str, redis_url: str, tmp_path: Path) -> Iterator[Fleet]:
    fleet = Fleet(database_url, redis_url, tmp_path)
    yield fleet
    fleet.close()


@pytest.fixture
def port() -> Iterator[socket.socket]:
    """A listening socket that outlives the processes that serve it."""
    with socket.create_server((HERE, 0), backlog=512) as port:
        yield port


def web_on(fleet: Fleet, port: socket.socket) -> "subprocess.Popen[bytes]":
    """The web process on a socket that it is given, as by `deploy/systemd/rewards-web.socket`."""
    number = port.fileno()
    return fleet.start(
        *WEB, "rewards_service.cli.web:app", log="web", keep=[number],
        within=[sys.executable, "-c", AS_SYSTEMD, str(number)],
    )  # fmt: skip


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
class TestRestart:
    def test_under_load_no_request_fails(self, fleet: Fleet, port: socket.socket) -> None:
        """Beside kept connections that close between two requests."""
        made = set_up(fleet)
        address = (HERE, port.getsockname()[1])
        first = web_on(fleet, port)
        fleet.wait_for(lambda: is_live(address[1], HERE), 120, "it answers")
        play = events(NUMBER)
        with Traffic([address], made, play, per_second=PER_SECOND, patience=90) as traffic:
            fleet.wait_for(lambda: len(traffic.acked) > NUMBER // 4, 120, "the load is on")
            status = fleet.end(first)
            acked = len(traffic.acked)
            web_on(fleet, port)
            fleet.wait_for(traffic.is_done, 300, "all is acknowledged")

        assert status == 0
        assert acked < NUMBER
        assert len(traffic.acked) == NUMBER
        assert traffic.failures() == {}
