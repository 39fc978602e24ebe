"""The play of an upgrade: what an operator does, in order, while events come in."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from redis import Redis
from sqlalchemy import Engine, create_engine, inspect, make_url, text

from rewards_service.kit.queue import EVENTS, queue_on
from tests.builders.chargebee import Json
from tests.operations.books import assert_as_undisturbed, waiting
from tests.operations.business import add_leads, set_up
from tests.operations.fleet import Fleet
from tests.operations.rehearsal import COLUMN, INDEX, REVISION, RULE
from tests.operations.traffic import Made, Traffic
from tests.peers.livez import is_live


class Upgrade:
    """One installation between two releases, `old` and `new` trees of code."""

    def __init__(self, fleet: Fleet, engine: Engine, old: Path, new: Path) -> None:
        self.fleet, self.engine, self.old, self.new = fleet, engine, old, new
        self.migrations_killed = 0

    def settle(self, port: int) -> Made:
        """The old release, with its schema, its web process and its people."""
        assert self.fleet.rewards("init", tree=self.old, log="init").wait(240) == 0
        made = set_up(self.fleet, lambda *words: self.fleet.ask(*words, tree=self.old))
        self.fleet.web(port, self.old)
        self.fleet.wait_for(lambda: is_live(port), 120, "the old web process answers")
        add_leads("127.0.0.1", port, made)
        return made

    def kill_migration_that_waits(self) -> None:
        """Killed while it waits for a table that somebody reads: nothing of it is there."""
        with self._transaction("SELECT 1 FROM received_events LIMIT 1"):
            self._migrate_until(self._waits_for_lock)
        assert COLUMN not in self._columns()

    def kill_migration_that_builds(self) -> None:
        """Killed in the middle of an index: it is there, and counts as none."""
        with self._transaction("SELECT count(*) FROM partners"):
            self._migrate_until(self._half_built)
            self._run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                      " WHERE query LIKE 'CREATE%INDEX CONCURRENTLY%'")  # fmt: skip
        assert self._half_built() != []

    def migrate(self) -> None:
        """To its end: what was begun is made whole."""
        done = self.fleet.rewards("init", tree=self.new, log="init")
        assert done.wait(300) == 0, self.fleet.said()
        assert self._revision() == REVISION
        assert self._half_built() == []
        assert INDEX in self._indexes()
        assert COLUMN in self._columns()
        assert RULE in {str(one["name"]) for one in
                        inspect(self.engine).get_check_constraints("received_events")}  # fmt: skip

    def ring_as_a_later_release(self, redis_url: str) -> None:
        """A ring in words that the old worker does not know: it refuses it, and loses nothing."""
        connection = Redis.from_url(redis_url)
        queue_on(connection, EVENTS).enqueue_call(
            "rewards_service.webhooks.jobs.drain_payloads", kwargs={"payload_version": 2}
        )
        connection.close()

    def finish(self, folder: Path, happened: list[Json]) -> None:
        self.fleet.wait_for(lambda: waiting(self.engine) == 0, 300, "everything is worked off")
        assert_as_undisturbed(self.engine, folder, happened)

    def _migrate_until(self, reached: object) -> None:
        process = self.fleet.rewards("init", tree=self.new, log="init")
        self.fleet.wait_for(reached, 120, "the migration is in its middle")
        self.fleet.kill(process)
        self.migrations_killed += 1

    @contextmanager
    def _transaction(self, reading: str) -> Iterator[None]:
        """One that read something and does not end."""
        engine = create_engine(self.engine.url, isolation_level="REPEATABLE READ")
        with engine.connect() as connection:
            connection.execute(text(reading))
            yield
        engine.dispose()

    def _run(self, statement: str) -> list[tuple[object, ...]]:
        url = make_url(str(self.engine.url.render_as_string(hide_password=False)))
        host = url.host or str(url.query.get("host", ""))
        with psycopg.connect(
            dbname=url.database, user=url.username, host=host, autocommit=True
        ) as connection:
            return connection.execute(statement.encode()).fetchall()

    def _waits_for_lock(self) -> bool:
        return bool(self._run(
            "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            " AND query LIKE 'ALTER TABLE received_events%'"
        ))  # fmt: skip

    def _indexes(self) -> dict[str, bool]:
        """Whether each is valid."""
        rows = self._run(
            "SELECT c.relname, indisvalid FROM pg_index JOIN pg_class c ON c.oid = indexrelid"
        )
        return {str(name): bool(valid) for name, valid in rows}

    def _half_built(self) -> list[str]:
        return [name for name, valid in self._indexes().items() if not valid]

    def _revision(self) -> object:
        return self._run("SELECT version_num FROM alembic_version")[0][0]

    def _columns(self) -> set[str]:
        return {str(one["name"]) for one in inspect(self.engine).get_columns("received_events")}


def roll(
    upgrade: Upgrade, redis_url: str, ports: tuple[int, int], play: list[Json], kills: int = 2
) -> list[float]:
    """The whole upgrade under load; the slowest acknowledgement of each half, in seconds."""
    fleet, (first, second) = upgrade.fleet, ports
    half = len(play) // 2
    made = upgrade.settle(first)
    old_worker = fleet.rewards("worker", tree=upgrade.old, log="worker-old")
    with Traffic([("127.0.0.1", first)], made, play[:half], per_second=half / 4) as before:
        if kills > 1:
            upgrade.kill_migration_that_waits()
        upgrade.kill_migration_that_builds()
        upgrade.migrate()
        upgrade.ring_as_a_later_release(redis_url)
        fleet.wait_for(before.is_done, 300, "the first half is taken by the old web process")
        assert before.failures() == {}
        fleet.rewards("worker", tree=upgrade.new, log="worker-new")
        fleet.end(old_worker)
    fleet.web(second, upgrade.new)
    fleet.wait_for(lambda: is_live(second), 120, "the new web process answers")
    fleet.rewards("worker", tree=upgrade.old, log="worker-old")
    both = [("127.0.0.1", first), ("127.0.0.1", second)]
    with Traffic(both, made, play[half:]) as after:
        fleet.wait_for(after.is_done, 300, "the second half is taken by both")
        assert after.failures() == {}
    return [before.worst(), after.worst()]
