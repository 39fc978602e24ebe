"""What an installation goes through: migrations, backups, changed rules, a long backlog."""

import os
import subprocess
from dataclasses import replace

from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from bench.world import received
from chaos.answers import accepted, figures, percentile
from chaos.armed import VARIABLE
from chaos.client import to_send
from chaos.faults.web import RATE, size
from chaos.lab import Figures, Lab
from chaos.processes import ROOT, python
from chaos.skipping import NotHere
from chaos.stream import Sent, email_of
from rewards_service.inbox.models import ReceivedEvent
from rewards_service.integrations.models import Integration
from rewards_service.kit.db import insert_many
from rewards_service.kit.migrate import current_revision, newest_revision
from rewards_service.rewards import jobs as reward_jobs
from rewards_service.webhooks import jobs as event_jobs
from tests.builders.chargebee import at, paid
from tests.builders.site import Site, webhook_app
from tests.builders.whole import read, violations
from tests.postgres_server import find_binaries

FAR_AWAY = 5 * 365  # days
NO_LIMIT = 3_600.0


def migration_killed(lab: Lab) -> Figures:
    """`rewards init` is ended in the middle, four times, while events come in elsewhere."""
    load = lab.load("f41", size(lab, 300), RATE)
    url = _new_database(lab, "half_migrated")
    crashed = 0
    for _ in range(4):
        crashed += _init(lab, url, f"sql:{lab.chance.randrange(1, 400)}") != 0
        if not load.is_running:
            break
    status = _init(lab, url, "")
    answers = lab.finish(load)
    assert status == 0, f"`rewards init` ended with {status} after it was killed."
    engine = create_engine(url)
    revision, broken = current_revision(engine), violations(engine)
    engine.dispose()
    assert revision == newest_revision(), f"The schema is at {revision}."
    assert broken == {}, f"Broken after the migration: {broken}"
    return {"killed": crashed, **figures(answers)}


def _init(lab: Lab, url: str, crash: str) -> int:
    environ = {**os.environ, **lab.stack.web.environ, "DATABASE_URL": url, VARIABLE: crash}
    ended = subprocess.run(
        python("rewards_service", "init"), env=environ, cwd=ROOT, capture_output=True, check=False
    )
    return ended.returncode


def _new_database(lab: Lab, name: str) -> str:
    admin = lab.stack.other_database("template1")
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE template0")
    admin.dispose()
    return lab.stack.postgres.url(name)


def restored(lab: Lab) -> Figures:
    """A backup of the middle of a load is restored elsewhere; what came since is sent again."""
    binaries = find_binaries()
    if binaries is None or not (binaries / "pg_dump").exists():
        raise NotHere("there is no pg_dump beside this PostgreSQL")
    folder = lab.stack.postgres.folder
    dump = lab.stack.folder / "backup"
    connect = ["-h", str(folder), "-U", "rewards"]
    load = lab.load("f43", size(lab, 300), RATE)
    lab.stack.rest(2.0)
    subprocess.run([binaries / "pg_dump", *connect, "-Fc", "-f", dump, "postgres"], check=True)
    answers = lab.finish(load)
    lab.stack.drain()
    url = _new_database(lab, "restored")
    subprocess.run([binaries / "pg_restore", *connect, "-d", "restored", dump], check=True)
    sent = to_send(load.order)
    again = [sent[place] for place in sorted(accepted(answers))]
    _catch_up(lab, url, again)
    engine, live = create_engine(url), lab.stack.engine
    ours, theirs = read(engine), read(live)
    engine.dispose()
    differ = sorted(name for name in theirs if ours[name] != theirs[name])
    assert differ == [], f"These differ after the restore: {differ}"
    return {"sent_again": len(again), **figures(answers)}


def _catch_up(lab: Lab, url: str, events: list[Sent]) -> None:
    """Send events again to the restored database, and do everything that follows."""
    app = webhook_app(replace(lab.stack.settings, database_url=url))
    site = Site(app.test_client(), lab.stack.world.site.id, "", "")
    site.path, site.authorization = lab.stack.world.site.path, lab.stack.world.site.authorization
    site.accept(*(one.body for one in events))
    engine = create_engine(url)
    while event_jobs.drain(engine, NO_LIMIT) + reward_jobs.drain(engine, NO_LIMIT):
        pass
    engine.dispose()
    app.extensions["rewards_webhooks"].close()


def rule_changed(lab: Lab) -> Figures:
    """New versions of the rule come while rewards are calculated; each reward cites one."""
    load = lab.load("f44", size(lab, 400), RATE)
    newest = 1
    for _ in lab.while_running(load, 0.4, 1.0):
        newest += 1
        for world in (lab.stack.world, lab.reference.world):
            world.add_version(world.rule, newest, 150_000, None, at(FAR_AWAY + newest))
    return {"versions": newest, **figures(lab.finish(load))}


def backlog(lab: Lab) -> Figures:
    """A long queue of events is there all at once: answers go on as before."""
    calm = lab.send("f45calm", size(lab, 200), RATE)
    number = size(lab, 3_000)
    bodies = [
        paid(f"f45b_{n}", f"cb_f45_{n // 4}", email_of("f45", n // 4), 5_000, n % 28)
        for n in range(number)
    ]
    lab.order("f45", number * 2, RATE)
    with Session(lab.stack.engine) as session, session.begin():
        site = session.get_one(Integration, lab.stack.world.site.id)
        rows = [received(body, site.id, site.options_id or 0) for body in bodies]
        insert_many(session, ReceivedEvent, rows)
    lab.also_tell([Sent(row["event_id"], row["body"]) for row in rows])
    during = lab.send("f45", size(lab, 200), RATE)
    seconds = lab.stack.drain()
    return {
        "backlog": number, "drained_in_s": round(seconds, 2),
        "ack_p99_calm_ms": percentile([a.ms for a in calm if a.status == 200], 0.99),
        "ack_p99_backlog_ms": percentile([a.ms for a in during if a.status == 200], 0.99),
    }  # fmt: skip
