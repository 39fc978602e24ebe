"""The service's processes as an operator starts them, of any release, each where it is to run."""

import io
import json
import os
import signal
import subprocess
import sys
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.conftest import ENCRYPTION_KEY, SECRET_KEY
from tests.redis_process import until

ROOT = Path(__file__).resolve().parents[2]
_PASSED_ON = ("PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV")
WEB = ("-m", "gunicorn", "--config", "python:rewards_service.cli.gunicorn_settings")


def tree_of(revision: str, folder: Path) -> Path | None:
    """The files of a revision, unpacked into `folder`; None where its history is not there."""
    packed = subprocess.run(
        ["git", "archive", revision, "rewards_service", "migrations"],
        cwd=ROOT, capture_output=True, check=False,
    )  # fmt: skip
    if packed.returncode != 0:
        return None
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder


class Fleet:
    """Processes on one database and one queue; `close` ends all of them."""

    def __init__(self, database_url: str, redis_url: str, folder: Path, **settings: str) -> None:
        kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        self.environ = kept | {
            "DATABASE_URL": database_url, "REDIS_URL": redis_url, "VAR_DIR": str(folder / "var"),
            "SECRET_KEY": SECRET_KEY, "ENCRYPTION_KEYS": ENCRYPTION_KEY, "LOG_FORMAT": "json",
            "WEB_WORKERS": "1", "ARGON2_MEMORY_KIB": "64", "API_REQUESTS_PER_MINUTE": "0",
            "API_REQUESTS_PER_MINUTE_WITHOUT_KEY": "0", "PYTHONUNBUFFERED": "1", **settings,
        }  # fmt: skip
        self.folder = folder
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(
        self, *arguments: str, tree: Path = ROOT, within: Sequence[str] = (), log: str = "log",
        environ: Mapping[str, str] | None = None, keep: Sequence[int] = (),
    ) -> subprocess.Popen[bytes]:  # fmt: skip
        """Python with these arguments on the code of `tree`; `within`: a command in front;
        `keep`: files that stay open there."""
        with (self.folder / f"{log}.txt").open("ab") as output:
            process = subprocess.Popen(
                [*within, sys.executable, *arguments], cwd=tree, stdin=subprocess.DEVNULL,
                stdout=output, stderr=output, start_new_session=True, pass_fds=keep,
                env={**self.environ, "PYTHONPATH": str(tree), **(environ or {})},
            )  # fmt: skip
        self.processes.append(process)
        return process

    def web(
        self, port: int, tree: Path = ROOT, within: Sequence[str] = (), host: str = "127.0.0.1"
    ) -> subprocess.Popen[bytes]:
        there = {"PORT": str(port), "HOST": host}
        return self.start(
            *WEB, "rewards_service.cli.web:app", tree=tree, within=within, log=f"web-{port}",
            environ=there,
        )  # fmt: skip

    def rewards(
        self, *arguments: str, tree: Path = ROOT, within: Sequence[str] = (), log: str = "log"
    ) -> subprocess.Popen[bytes]:
        """A process of the program that goes on, such as a worker."""
        return self.start("-m", "rewards_service", *arguments, tree=tree, within=within, log=log)

    def ask(self, *arguments: str, tree: Path = ROOT, within: Sequence[str] = ()) -> Any:
        """What a command prints with --json; it must succeed."""
        done = subprocess.run(
            [*within, sys.executable, "-m", "rewards_service", *arguments, "--json"], cwd=tree,
            env={**self.environ, "PYTHONPATH": str(tree)}, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        if done.returncode != 0:
            raise AssertionError(f"rewards {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return json.loads(done.stdout)

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """At once, with all it started."""
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def end(self, process: subprocess.Popen[bytes], seconds: float = 20.0) -> int:
        """As a supervisor ends it; its exit status."""
        process.terminate()
        return process.wait(seconds)

    def close(self) -> None:
        for process in self.processes:
            self.kill(process)

    def said(self) -> str:
        """The last words of every process, to tell why something failed."""
        logs = sorted(self.folder.glob("*.txt"))
        return "\n".join(f"{log.name}: {log.read_text()[-2000:]}" for log in logs)

    def wait_for(self, condition: Any, seconds: float, what: str) -> None:
        if not until(condition, seconds):
            raise AssertionError(f"Not within {seconds:g} s: {what}\n{self.said()}")
