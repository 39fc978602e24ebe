import os
import signal
import sys
import time
from pathlib import Path

import psutil
import pytest

from rewards_service.embedded.supervisor import Child, Supervisor

# Notes its process id, then does as told; a grandchild shares its group.
_CHILD = """
import os, signal, subprocess, sys, time
from pathlib import Path
if "stubborn" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if "grandchild" in sys.argv:
    inner = subprocess.Popen(["sleep", "100"])
    Path(sys.argv[1], f"{inner.pid}").touch()
Path(sys.argv[1], f"{os.getpid()}").touch()
if "short" not in sys.argv:
    time.sleep(100)
"""


def child(notes: Path, *manner: str) -> Child:
    return Child("child", [sys.executable, "-c", _CHILD, str(notes), *manner])


def run_until(notes: Path, children: list[Child], starts: int) -> float:
    """Supervise until `starts` processes left a note, then ask to stop; the seconds that took."""
    asked_at = 0.0

    def ask() -> None:
        nonlocal asked_at
        if asked_at == 0.0 and len(list(notes.iterdir())) >= starts:
            asked_at = time.monotonic()
            os.kill(os.getpid(), signal.SIGTERM)

    Supervisor(children, os.environ).run(ask)
    return time.monotonic() - asked_at


def still_running(notes: Path) -> list[str]:
    return [path.name for path in notes.iterdir() if _is_running(int(path.name))]


def _is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class TestRun:
    def test_starts_every_child_and_ends_them_all(self, tmp_path: Path) -> None:
        run_until(tmp_path, [child(tmp_path), child(tmp_path)], starts=2)

        assert len(list(tmp_path.iterdir())) == 2
        assert still_running(tmp_path) == []

    def test_starts_a_child_again_that_ended_without_an_error(self, tmp_path: Path) -> None:
        run_until(tmp_path, [child(tmp_path, "short")], starts=2)

        assert len(list(tmp_path.iterdir())) >= 2

    def test_ends_grandchildren_too(self, tmp_path: Path) -> None:
        run_until(tmp_path, [child(tmp_path, "grandchild")], starts=2)

        assert still_running(tmp_path) == []

    def test_kills_a_child_that_does_not_want_to_end(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("rewards_service.embedded.supervisor.GRACE_SECONDS", 0.5)
        seconds = run_until(tmp_path, [child(tmp_path, "stubborn")], starts=1)

        assert seconds < 10
        assert still_running(tmp_path) == []

    def test_leaves_no_child_behind_when_it_fails(self, tmp_path: Path) -> None:
        def fail() -> None:
            if list(tmp_path.iterdir()):
                raise RuntimeError("no more")

        with pytest.raises(RuntimeError, match="no more"):
            Supervisor([child(tmp_path)], os.environ).run(fail)

        assert still_running(tmp_path) == []

    def test_puts_the_signal_handlers_back(self, tmp_path: Path) -> None:
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)
        before = [signal.getsignal(number) for number in numbers]
        run_until(tmp_path, [child(tmp_path)], starts=1)

        assert [signal.getsignal(number) for number in numbers] == before
