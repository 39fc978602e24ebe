import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import pytest
from redis import Redis
from redis.exceptions import RedisError

from rewards_service.embedded.redis_server import EmbeddedServerError, RedisServer, find_binary
from rewards_service.settings import load_settings

_RUN = """
import sys
from pathlib import Path
from rewards_service.embedded.redis_server import RedisServer
server = RedisServer(sys.argv[1], Path(sys.argv[2]))
server.start()
print(server._process.pid, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    with TemporaryDirectory(prefix="rewards ") as name:  # a blank must do no harm
        yield Path(name)


@pytest.fixture
def url(folder: Path) -> str:
    return load_settings({"VAR_DIR": str(folder)}).redis_url


def answers(url: str) -> bool:
    try:
        with Redis.from_url(url) as client:
            return bool(client.ping())
    except RedisError:
        return False


class TestRedisServer:
    def test_answers_on_a_private_socket_and_leaves_none_behind(
        self, url: str, folder: Path
    ) -> None:
        with RedisServer(url, folder) as server:
            assert server.is_alive
            assert answers(url)
            assert stat.S_IMODE((folder / "redis.sock").stat().st_mode) == 0o700

        assert not server.is_alive
        assert not (folder / "redis.sock").exists()

    def test_never_throws_a_job_away(self, url: str, folder: Path) -> None:
        with RedisServer(url, folder), Redis.from_url(url, decode_responses=True) as client:
            assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
            assert client.config_get("appendonly") == {"appendonly": "yes"}
            client.set("job", "kept")

        with RedisServer(url, folder), Redis.from_url(url, decode_responses=True) as client:
            assert client.get("job") == "kept"

    def test_keeps_others_of_the_machine_off_its_loopback_port(self, folder: Path) -> None:
        url = load_settings({"VAR_DIR": str(folder / ("d" * 100))}).redis_url

        with RedisServer(url, folder):
            assert answers(url)
            with socket.create_connection(("127.0.0.1", int(url.split(":")[-1][:-2]))) as stranger:
                stranger.sendall(b"PING\r\n")
                assert stranger.recv(100).startswith(b"-NOAUTH")

    def test_stops_twice_without_complaint(self, url: str, folder: Path) -> None:
        server = RedisServer(url, folder)
        server.start()
        server.stop()
        server.stop()

        assert not answers(url)

    def test_starts_over_a_socket_that_nobody_listens_on(self, url: str, folder: Path) -> None:
        with socket.socket(socket.AF_UNIX) as stale:
            stale.bind(str(folder / "redis.sock"))

        with RedisServer(url, folder):
            assert answers(url)

    def test_ends_the_server_that_a_killed_run_left_over(self, url: str, folder: Path) -> None:
        left_over = RedisServer(url, folder)
        left_over.start()

        with RedisServer(url, folder) as server:
            assert answers(url)
            assert server.is_alive
        left_over.stop()

    def test_says_why_when_it_cannot_start(self, folder: Path) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            server = RedisServer(f"redis://127.0.0.1:{taken.getsockname()[1]}/0", folder)
            with pytest.raises(EmbeddedServerError, match=r"ended at once.*redis\.log"):
                server.start()

        assert not server.is_alive

    @pytest.mark.skipif(
        not sys.platform.startswith("linux"),
        reason="Embedded server: only Linux ends a child with its parent",
    )
    def test_dies_with_a_run_that_is_killed(self, url: str, folder: Path) -> None:
        run = subprocess.Popen(
            [sys.executable, "-c", _RUN, url, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert run.stdin is not None
        assert run.stdout is not None
        server = psutil.Process(int(run.stdout.readline()))
        os.kill(run.pid, signal.SIGKILL)
        run.wait()
        run.stdin.close()
        run.stdout.close()

        psutil.wait_procs([server], timeout=10)
        assert not server.is_running() or server.status() == psutil.STATUS_ZOMBIE


class TestFindBinary:
    def test_finds_a_server_that_runs(self) -> None:
        answer = subprocess.run([find_binary(), "--version"], capture_output=True, check=True)

        assert b"server v" in answer.stdout
