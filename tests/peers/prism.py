"""A mock of Chargebee's API made from its description: npm's @stoplight/prism-cli, started here."""

import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path

from tests.redis_process import until

PACKAGE = "@stoplight/prism-cli@5.16.0"
DESCRIPTION = Path(__file__).parent.parent / "payloads" / "chargebee" / "openapi.json"
UNAVAILABLE = "node and npm are not on PATH: the mock of Chargebee's API cannot run"
_ENTRY = Path("node_modules", "@stoplight", "prism-cli", "dist", "index.js")


def can_run() -> bool:
    return shutil.which("node") is not None and shutil.which("npm") is not None


class Prism:
    """The mock on a free port of loopback, with every path below /api/v2 as at Chargebee."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port: int = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        entry = _installed() / _ENTRY
        described = json.loads(DESCRIPTION.read_text())
        described["paths"] = {f"/api/v2{path}": at for path, at in described["paths"].items()}
        document, log = self._folder / "openapi.json", self._folder / "prism.log"
        document.write_text(json.dumps(described))
        place = ["--host", "127.0.0.1", "--port", str(self._port)]
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                ["node", str(entry), "mock", *place, str(document)],
                stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        if not until(self._answers, seconds=240):
            self.stop()
            raise RuntimeError(f"prism did not start: {log.read_text()[-2000:]}")

    def stop(self) -> None:
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self._port), timeout=1).close()
        except OSError:
            return False
        return True


def _installed() -> Path:
    """The folder with the package; npm puts it there the first time, one process at a time."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "rewards-service-tests" / PACKAGE.replace("/", "_")
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = folder / "installed"
        if not done.exists():
            quiet = ["--no-save", "--no-audit", "--no-fund", "--ignore-scripts"]
            subprocess.run(
                ["npm", "install", *quiet, "--prefix", str(folder), PACKAGE],
                check=True, stdin=subprocess.DEVNULL, capture_output=True, timeout=600,
            )  # fmt: skip
            done.touch()
    return folder
