"""One run at a time in one VAR_DIR."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rewards_service.kit.errors import RewardsError


class AlreadyRunning(RewardsError):
    status = 409
    code = "already_running"
    title = "Another run uses this folder."


@contextmanager
def run_lock(var_dir: Path) -> Iterator[None]:
    """Hold `var_dir` for this process; the system lets go of it however the process ends.

    Makes the folder, for its owner only, when it is missing. Raises AlreadyRunning.
    """
    var_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(var_dir / "run.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _take(descriptor, var_dir)
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int, var_dir: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.pread(descriptor, 20, 0).decode().strip() or "unknown"
        raise AlreadyRunning(
            f"The service is already running in {var_dir} (process {holder}). Stop it first, or "
            "give this one a folder and a port of its own: VAR_DIR=var2 PORT=8001."
        ) from error
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
