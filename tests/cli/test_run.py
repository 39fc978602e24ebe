"""`rewards run` as a user starts it: real processes, a real port, a fresh folder."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event

import psutil
import pytest

from tests.peers.livez import is_live

ROOT = Path(__file__).resolve().parents[2]
_PASSED_ON = ("PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Run:
    """One `rewards run` in a folder of its own."""

    def __init__(self, folder: Path, port: int) -> None:
        kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        own = {"PORT": str(port), "VAR_DIR": str(folder / "var"), "PYTHONPATH": str(ROOT),
               "WORKERS": "1", "WEB_WORKERS": "1"}  # fmt: skip
        self.port = port
        self.output = folder / f"output-{port}.txt"
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "rewards_service", "run"],
                cwd=folder,
                env=kept | own,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_until_live(self, seconds: float = 180.0) -> None:
        deadline, pause = time.monotonic() + seconds, Event()
        while not self.is_live() or "What to do next" not in self.output.read_text():
            if self.process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"The service did not start:\n{self.output.read_text()}")
            pause.wait(0.1)

    def is_live(self) -> bool:
        return is_live(self.port)

    def family(self) -> list[psutil.Process]:
        parent = psutil.Process(self.process.pid)
        return [parent, *parent.children(recursive=True)]

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(90)


@pytest.fixture
def folder() -> Iterator[Path]:
    with TemporaryDirectory(prefix="rewards-run-") as name:
        yield Path(name)


@pytest.fixture
def run(folder: Path) -> Iterator[Run]:
    run = Run(folder, free_port())
    yield run
    run.end()


@pytest.fixture(scope="module")
def lasting() -> Iterator[Run]:
    """A live one for tests that leave it so."""
    with TemporaryDirectory(prefix="rewards-run-") as name:
        run = Run(Path(name), free_port())
        try:
            run.wait_until_live()
            yield run
        finally:
            run.end()


class TestRun:
    def test_serves_until_ctrl_c_and_leaves_nothing_behind(self, run: Run, folder: Path) -> None:
        run.wait_until_live()
        family = run.family()
        names = " ".join(" ".join(process.cmdline()) for process in family)
        assert all(part in names for part in ("gunicorn", "worker", "scheduler", "valkey-server"))

        run.process.send_signal(signal.SIGINT)
        assert run.process.wait(90) == 0
        _, alive = psutil.wait_procs(family, timeout=20)
        assert alive == []
        assert not run.is_live()
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", run.port))
        assert list((folder / "var").glob("*.sock")) == []

    def test_refuses_a_second_run_in_the_same_folder(self, lasting: Run) -> None:
        second = Run(lasting.output.parent, free_port())

        assert second.process.wait(90) == 2
        assert "already running" in second.output.read_text()
        assert lasting.is_live()

    def test_starts_a_process_again_that_was_killed(self, lasting: Run) -> None:
        masters = [one for one in lasting.family()[1:] if _is_gunicorn_master(one, lasting)]
        assert len(masters) == 1
        ended = [*masters, *masters[0].children()]
        masters[0].kill()
        _, alive = psutil.wait_procs(ended, timeout=20)
        lasting.wait_until_live()

        assert alive == []
        assert lasting.process.poll() is None

    @pytest.mark.skipif(
        not sys.platform.startswith("linux"),
        reason="Embedded server: only Linux ends a child with its parent",
    )
    def test_leaves_nothing_behind_when_it_is_killed(self, run: Run) -> None:
        run.wait_until_live()
        family = run.family()
        run.process.kill()
        run.process.wait()
        _, alive = psutil.wait_procs(family, timeout=20)

        assert alive == []

    def test_says_so_when_the_port_is_taken(self, folder: Path) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            run = Run(folder, taken.getsockname()[1])

            assert run.process.wait(90) == 2
        assert "cannot be used" in run.output.read_text()


def _is_gunicorn_master(process: psutil.Process, run: Run) -> bool:
    return "gunicorn" in " ".join(process.cmdline()) and process.ppid() == run.process.pid
