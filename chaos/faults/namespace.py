"""A worker on another host, whose network is cut: in a network namespace of Linux."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from chaos.answers import figures
from chaos.faults.web import size
from chaos.lab import Figures, Lab
from chaos.processes import Program, python
from chaos.reference import Reference
from chaos.skipping import NotHere
from chaos.stack import DATABASE, Stack

OURS, THEIRS = "10.213.71.1", "10.213.71.2"
CUT_SECONDS = 30.0
RATE = 20.0


def cut_off(lab: Lab) -> Figures:
    """One of two workers is cut off in mid-transaction; the other does the work of both.

    PostgreSQL must give the silent one up, and with it the locks it holds.
    """
    with _namespace() as (name, link):
        stack = Stack(lab.stack.folder / "apart", 1, listen_addresses=OURS)
        _let_in(stack)
        stack.elsewhere.append(_elsewhere(stack, name))
        with stack, Reference(stack.settings) as reference:
            other = Lab(stack, reference, lab.seed, lab.chance, lab.scale)
            try:
                return _cut(other, link)
            finally:
                other.close()


def _cut(lab: Lab, link: str) -> Figures:
    lab.stack.wait_for(lambda: _their_backends(lab.stack), 60)
    load = lab.load("f36apart", size(lab, 30 * int(RATE)), RATE)
    caught = lab.stack.wait_for(lambda: _holds_locks(lab.stack) or not load.is_running, 30)
    _ip("link", "set", link, "down")
    begun = time.monotonic()
    gone = lab.stack.wait_for(lambda: not _their_backends(lab.stack), CUT_SECONDS)
    given_up = time.monotonic() - begun
    lab.stack.rest(max(CUT_SECONDS / 2 - given_up, 0.0))
    _ip("link", "set", link, "up")
    answers = lab.finish(load)
    verdict = lab.settle()
    assert gone, f"PostgreSQL kept what the vanished worker held for {CUT_SECONDS:g} s."
    assert verdict.ok, f"Broken: {verdict.broken}"
    return {"in_mid_transaction": caught, "given_up_after_s": given_up, **figures(answers)}


def _holds_locks(stack: Stack) -> bool:
    return _count(stack, "AND backend_xid IS NOT NULL") > 0


def _their_backends(stack: Stack) -> int:
    return _count(stack, "")


def _count(stack: Stack, more: str) -> int:
    query = f"SELECT count(*) FROM pg_stat_activity WHERE client_addr = '{THEIRS}' {more}"  # noqa: S608
    with stack.engine.connect() as connection:
        return int(connection.exec_driver_sql(query).scalar_one())


def _let_in(stack: Stack) -> None:
    """PostgreSQL takes connections from the other host as well."""
    with (stack.postgres.folder / "data" / "pg_hba.conf").open("a") as rules:
        rules.write(f"host all all {THEIRS}/32 trust\n")
    with stack.engine.connect() as connection:
        connection.exec_driver_sql("SELECT pg_reload_conf()")
    stack.engine.dispose()


def _elsewhere(stack: Stack, name: str) -> Program:
    """A worker in the namespace. It reaches no Redis: it only sweeps."""
    url = f"postgresql+psycopg://rewards@{OURS}:5432/{DATABASE}"
    environ = {**stack.workers[0].environ, "DATABASE_URL": url}
    command = ["ip", "netns", "exec", name, *python("rewards_service", "worker")]
    return Program("worker elsewhere", command, environ, stack.folder / "worker-elsewhere.log")


@contextmanager
def _namespace() -> Iterator[tuple[str, str]]:
    """A namespace and our end of the line to it. Raises NotHere."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        raise NotHere("only root may make network namespaces, with `ip` of iproute2")
    name = f"rewards{os.getpid()}"
    ours, theirs = f"rwa{os.getpid()}"[:15], f"rwb{os.getpid()}"[:15]
    try:
        _ip("netns", "add", name)
        try:
            _ip("link", "add", ours, "type", "veth", "peer", "name", theirs)
            _ip("link", "set", theirs, "netns", name)
            _ip("addr", "add", f"{OURS}/30", "dev", ours)
            _ip("link", "set", ours, "up")
            inside = ("netns", "exec", name, "ip")
            _ip(*inside, "addr", "add", f"{THEIRS}/30", "dev", theirs)
            _ip(*inside, "link", "set", theirs, "up")
            _ip(*inside, "link", "set", "lo", "up")
            yield name, ours
        finally:
            subprocess.run(["ip", "link", "del", ours], check=False, capture_output=True)
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)
    except subprocess.CalledProcessError as refused:
        raise NotHere(f"no network namespace can be made: {refused.stderr.strip()}") from refused


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)
