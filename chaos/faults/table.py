"""The matrix of faults: each row is injected here, proved by tests of the suite, or does not apply.

A row without `inject` names the tests that prove it (`tests/test_chaos.py` looks whether they are
there), or says why it cannot happen.
"""

from collections.abc import Callable
from typing import NamedTuple

from chaos.faults import chargebee, database, disk, jobs, life, outbox, queue, web
from chaos.lab import Figures, Lab

Inject = Callable[[Lab], Figures]


class Fault(NamedTuple):
    """A row: how it is injected, or which tests prove it, or why neither."""

    number: int
    title: str
    inject: Inject | None = None
    tests: tuple[str, ...] = ()
    why_not: str = ""

    @property
    def how(self) -> str:
        parts = ["injected"] if self.inject else []
        parts += [f"`{test}`" for test in self.tests]
        return ", ".join(parts) or self.why_not


FAULTS: tuple[Fault, ...] = (
    Fault(1, "web workers are killed", web.kill_workers),
    Fault(2, "gunicorn is killed whole", web.kill_master),
    Fault(3, "rolling restart of the web process", web.reload),
    Fault(4, "crash points of the webhook", web.crash_points),
    Fault(5, "crash points of a job, and any statement", jobs.crash_points),
    Fault(6, "a work-horse is killed", why_not="Jobs run in the worker itself: row 7."),
    Fault(7, "workers are killed", jobs.killed, ("tests/test_sudden_ends.py",)),
    Fault(8, "a work-horse outlives its worker",
          why_not="Jobs run in the worker itself: row 9."),
    Fault(9, "a worker is frozen in mid-transaction", jobs.frozen),
    Fault(10, "Redis is wiped with 500 queued", queue.wiped),
    Fault(11, "Redis is down", queue.down, ("tests/test_sudden_ends.py",)),
    Fault(12, "Redis takes connections and never answers", queue.silent,
          ("tests/kit/test_queue.py",)),
    Fault(13, "Redis is emptied again and again", queue.emptied),
    Fault(14, "Redis has no memory left", queue.full, ("tests/kit/test_queue.py",)),
    Fault(15, "Redis lost the end of its file", queue.damaged),
    Fault(16, "Redis is replaced by an empty one", queue.replaced),
    Fault(17, "PostgreSQL is stopped at once", database.stopped),
    Fault(18, "a process of PostgreSQL is killed", database.backend_killed),
    Fault(19, "PostgreSQL's disk is full", disk.full),
    Fault(20, "PostgreSQL takes no more connections", database.no_connection),
    Fault(21, "somebody holds locks for long", database.locked),
    Fault(22, "deadlocks", database.deadlocks),
    Fault(23, "SQLite is locked by another writer", database.sqlite_locked),
    Fault(24, "each event a hundred times at once", web.hundredfold),
    Fault(25, "two events of somebody new at once", web.same_payer_at_once),
    Fault(26, "every order of arrival", tests=("tests/proofs/test_permutations.py",)),
    Fault(27, "everything again, later", web.late_duplicates),
    Fault(28, "webhooks are lost", chargebee.losing, ("tests/simulator/test_into_service.py",)),
    Fault(29, "poison", web.poisoned, ("tests/webhooks/test_strict_json.py",)),
    Fault(30, "a job that fails each time", tests=("tests/inbox/test_service.py",)),
    Fault(31, "Chargebee is slow, refuses, or breaks off", chargebee.failing,
          tests=("tests/chargebee/test_client.py", "tests/kit/test_http.py")),
    Fault(32, "a write succeeded and its answer was lost", outbox.answer_lost,
          tests=("tests/chargebee/test_idempotency.py", "tests/connections/test_connect.py")),
    Fault(33, "an OAuth token ends in mid-batch",
          why_not="Not applicable until there are connectors to ERP systems."),
    Fault(34, "a storm of ETag conflicts",
          why_not="Not applicable until there are connectors to ERP systems."),
    Fault(35, "clocks of workers are wrong", jobs.wrong_clock),
    Fault(36, "the network to PostgreSQL is cut, slow, or resets", database.networks),
    Fault(37, "200 connections that say nothing", web.besieged),
    Fault(38, "no file descriptors are left", web.out_of_files),
    Fault(39, "the webhook's password is rotated", web.rotate,
          ("tests/connections/test_rotation.py",)),
    Fault(40, "an encryption key is removed too early",
          tests=("tests/kit/test_crypto.py", "tests/cli/test_rotate_keys.py")),
    Fault(41, "a migration is killed", life.migration_killed),
    Fault(42, "an old worker beside a new web process",
          why_not="Jobs carry nothing that could have a version: a worker reads the event log."),
    Fault(43, "a backup is restored", life.restored),
    Fault(44, "rules change while rewards are calculated", life.rule_changed),
    Fault(45, "a long backlog", life.backlog),
)  # fmt: skip


def injected() -> list[Fault]:
    return [fault for fault in FAULTS if fault.inject is not None]
