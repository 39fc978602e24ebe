"""What a figure was measured on: machine, versions, disk, and how busy it was."""

import os
import platform
import statistics
import subprocess
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from bench.ground import Ground
from rewards_service.embedded.redis_server import find_binary

PACKAGES = ("flask", "gunicorn", "sqlalchemy", "psycopg", "rq", "redis", "orjson")
_BLOCK = b"\0" * 8_192
_WRITES = 200


def describe(ground: Ground) -> dict[str, Any]:
    """Cores, memory, versions, the settings of PostgreSQL that decide what a commit is, the disk.

    fsync_us: the median of writing 8 kB and waiting for the disk, where the database lies.
    """
    shown = ("server_version", "fsync", "synchronous_commit", "full_page_writes")
    return {
        "cores": psutil.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "processor": _processor(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
        "queue": _queue(),
        "postgres": ground.settings(*shown),
        "fsync_us": round(fsync_us(ground.server.folder)),
    }


def load() -> str:
    """The load averages of 1, 5 and 15 minutes."""
    return " ".join(f"{one:.1f}" for one in psutil.getloadavg())


def fsync_us(folder: Path) -> float:
    place, took = folder / "fsync-probe", []
    with place.open("wb", buffering=0) as file:
        for _ in range(_WRITES):
            began = time.perf_counter()
            file.write(_BLOCK)
            os.fsync(file.fileno())
            took.append(time.perf_counter() - began)
    place.unlink()
    return statistics.median(took) * 1e6


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


def _queue() -> str:
    """Such as "Valkey server v=9.1.2"."""
    said = subprocess.check_output([find_binary(), "--version"], text=True)
    return " ".join(said.split()[:3])
