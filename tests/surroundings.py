"""What holds for the whole of a test process, and for the processes that its tests start."""

import gc
import os
import sqlite3
import sys
from typing import Any

import hypothesis
import structlog
from sqlalchemy import Engine, event

import rewards_service.kit.db  # noqa: F401 - its settings of a connection come before ours
from tests.statements import share_compiled


def set_up() -> None:
    _keep_bytecode()
    share_compiled()
    event.listen(Engine, "connect", _in_haste)
    _choose_examples()
    # Without the values of all variables, which take seconds to draw.
    structlog.configure(
        processors=[
            *structlog.get_config()["processors"][:-1],
            structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
        ]
    )


def spare_the_collector() -> None:
    """What is there by now stays: nobody looks for garbage in it again.

    Modules, thousands of collected tests and applications would be gone through over and over, a
    second each time; and whatever calls for a collection by itself, as an export does, would pay.
    """
    gc.collect()
    gc.freeze()


def _keep_bytecode() -> None:
    """Many containers forbid it, for a service that is started once.

    Here every worker of the suite, and dozens of real processes that tests start, would compile
    all of the sources again: seconds for each.
    """
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False


def _in_haste(connection: Any, _record: object) -> None:
    """Databases of tests need not outlive a power cut, as PostgreSQL's here: no commit waits for
    the disk. Processes that tests start sync as ever."""
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous=OFF")


def _choose_examples() -> None:
    # The same examples in every run, and no deadline: machines of all speeds run the tests.
    hypothesis.settings.register_profile("house", deadline=None, derandomize=True, database=None)
    # `make mutation` runs a test again and again in one process, and needs no rare examples.
    hypothesis.settings.register_profile(
        "mutants", hypothesis.settings.get_profile("house"), max_examples=40,
        suppress_health_check=[hypothesis.HealthCheck.differing_executors],
    )  # fmt: skip
    hypothesis.settings.load_profile("mutants" if "MUTANT_UNDER_TEST" in os.environ else "house")
