"""Faults of PostgreSQL: stopped, killed, full up, locked, cut off; and of SQLite: locked."""

import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from chaos.answers import figures
from chaos.faults import namespace
from chaos.faults.web import RATE, ask, longest_silence, size, slowest
from chaos.lab import Figures, Lab
from chaos.skipping import NotHere
from tests.builders.chargebee import paid

CUT_SECONDS = 12.0
LOCKED_SECONDS = 6.0


def stopped(lab: Lab) -> Figures:
    """An immediate stop, three times, as a crash of the server would be."""
    load = lab.load("f17", size(lab, 500), RATE)
    for _ in range(3):
        lab.stack.rest(lab.chance.uniform(1.0, 2.5))
        lab.stack.crash_postgres()
    answers = lab.finish(load)
    return {"longest_silence_s": longest_silence(answers), **figures(answers)}


def backend_killed(lab: Lab) -> Figures:
    """SIGKILL of one of its processes: all others are ended, and it recovers."""
    load = lab.load("f18", size(lab, 400), RATE)
    for _ in range(3):
        lab.stack.rest(lab.chance.uniform(1.0, 2.0))
        lab.stack.kill_backend(lab.chance)
    answers = lab.finish(load)
    return {"longest_silence_s": longest_silence(answers), **figures(answers)}


def no_connection(lab: Lab) -> Figures:
    """It takes no more connections: 503 at once, with Retry-After."""
    load = lab.load("f20", size(lab, 300), RATE)
    lab.stack.rest(1.0)
    with _closed_to_all(lab):
        lab.stack.rest(3.0)
        event = json.dumps(paid("f20", "cb_f20", "f20@one.example")).encode()
        status, retry_after, seconds = ask(lab, event)
    answers = lab.finish(load)
    found = {"slowest_503_ms": slowest(answers, 503), **figures(answers)}
    assert (status, retry_after) == (503, "30"), f"It was answered {status}, {retry_after}."
    assert found["tries"].get("503"), "No delivery was answered 503."
    assert not found["tries"].get("500"), "A delivery was answered 500."
    return {"answered_after_s": seconds, "retry_after_s": retry_after, **found}


@contextmanager
def _closed_to_all(lab: Lab) -> Iterator[None]:
    """Nobody gets a new connection; those that are there are ended."""
    admin = lab.stack.other_database("template1")
    ours = "UPDATE pg_database SET datallowconn = {} WHERE datname = 'postgres'"
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'postgres'"
    with admin.connect() as connection:
        connection.exec_driver_sql(ours.format("false"))
        connection.exec_driver_sql(end)
        try:
            yield
        finally:
            connection.exec_driver_sql(ours.format("true"))
    admin.dispose()


def locked(lab: Lab) -> Figures:
    """Somebody holds every customer, lead and deal for a while, and changes the site."""
    load = lab.load("f21", size(lab, 400), RATE)
    lab.stack.rest(1.0)
    with lab.stack.engine.begin() as connection:
        for table in ("customers", "leads", "deals"):
            connection.execute(text(f"SELECT id FROM {table} FOR UPDATE"))  # noqa: S608
        connection.execute(text("UPDATE integrations SET name = name"))
        lab.stack.rest(LOCKED_SECONDS)
    answers = lab.finish(load)
    found = figures(answers)
    assert set(found["tries"]) <= {"200", "400", "413", "415"}, f"Answers: {found['tries']}"
    return found


def deadlocks(lab: Lab) -> Figures:
    """Two others lock the same customers and leads as the workers, one forwards, one backwards."""
    load = lab.load("f22", size(lab, 400), RATE)
    over = threading.Event()
    met = [0, 0]

    def fight(number: int, order: str) -> None:
        while not over.wait(0.01):
            try:
                with lab.stack.engine.begin() as connection:
                    for table in ("leads", "customers")[:: 1 if number else -1]:
                        held = f"SELECT id FROM {table} ORDER BY id {order} LIMIT 400 FOR UPDATE"  # noqa: S608
                        connection.execute(text(held))
            except DBAPIError:
                met[number] += 1

    threads = [
        threading.Thread(target=fight, args=(n, way)) for n, way in enumerate(("ASC", "DESC"))
    ]
    for thread in threads:
        thread.start()
    try:
        answers = lab.finish(load)
    finally:
        over.set()
        for thread in threads:
            thread.join()
    return {"deadlocks_of_the_others": sum(met), **figures(answers)}


def sqlite_locked(lab: Lab) -> Figures:
    """Another writer holds the file for two seconds: a delivery waits for it, and is kept."""
    world = lab.reference.world
    path = str(world.engine.url.database)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    body = paid("f23_0", "cb_f23", "f23@one.example")
    begun = time.monotonic()
    answers: list[int] = []
    posting = threading.Thread(target=lambda: answers.append(world.site.post(body).status_code))
    posting.start()
    lab.stack.rest(2.0)
    other.execute("ROLLBACK")
    posting.join()
    other.close()
    assert answers == [200], f"It was answered {answers}."
    lab.post_at_once([body])  # and the one under fire has it as well
    return {"waited_s": time.monotonic() - begun}


def cut_off(lab: Lab) -> Figures:
    """The network between the service and PostgreSQL swallows everything, then it works again."""
    lab.stack.through_proxies(True)
    proxy = lab.stack.to_database
    try:
        load = lab.load("f36", size(lab, 500), RATE / 2)
        lab.stack.rest(2.0)
        proxy.silent = True
        lab.stack.rest(CUT_SECONDS)
        healed = time.time()
        proxy.heal()
        answers = lab.finish(load)
    finally:
        lab.stack.through_proxies(False)
    back = min((a.at for a in answers if a.status == 200 and a.at > healed), default=0.0) - healed
    return {"cut_s": CUT_SECONDS, "first_ack_after_s": back, **figures(answers)}


def slow(lab: Lab) -> Figures:
    """Each packet between the service and PostgreSQL is 20 ms late; then links are reset."""
    lab.stack.through_proxies(True)
    proxy = lab.stack.to_database
    try:
        load = lab.load("f36slow", size(lab, 200), RATE / 2)
        proxy.latency = 0.02
        lab.stack.rest(3.0)
        for _ in range(5):
            proxy.reset()
            lab.stack.rest(0.5)
        proxy.latency, proxy.truncate = 0.0, 4_000
        lab.stack.rest(2.0)
        proxy.heal()
        proxy.reset()
        return figures(lab.finish(load))
    finally:
        proxy.heal()
        lab.stack.through_proxies(False)


def networks(lab: Lab) -> Figures:
    """Cut, slow and reset by a proxy; and, where namespaces can be made, a host that vanishes."""
    try:
        apart = namespace.cut_off(lab)
    except NotHere as reason:
        apart = {"skipped": str(reason)}
    return {**cut_off(lab), "slow_and_reset": slow(lab), "host_that_vanishes": apart}
