"""Drains for the tests of the worker: rows of a SQLite file, as simple as can be."""

import os
import signal
import sqlite3
import threading

PATH = "TEST_DRAINS_PATH"


def connect(path: str | None = None) -> sqlite3.Connection:
    connection = sqlite3.connect(path or os.environ[PATH], timeout=15, isolation_level=None)
    connection.execute("CREATE TABLE IF NOT EXISTS pending (id INTEGER PRIMARY KEY, runs INTEGER)")
    return connection


def drain_events() -> int:
    connection = connect()
    handled = connection.execute("UPDATE pending SET runs = runs + 1 WHERE runs = 0").rowcount
    connection.close()
    return handled


def drain_rewards() -> int:
    return 0


def drain_and_stop() -> int:
    """Be told to stop in the middle of a batch."""
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(0.1)
    return drain_events()


def drain_failing() -> int:
    raise ConnectionError("the database is away")
