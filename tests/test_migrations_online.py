"""Migrations run while old and new code work on the database."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, inspect, text

from rewards_service.kit import migrate
from rewards_service.kit.migrate import alembic_config, current_revision, downgrade, upgrade
from tests.migration_rules import offences, recorded
from tests.operations.rehearsal import COLUMN, INDEX, REVISION, RULE, add_migration
from tests.redis_process import until

# The migrations until then made what nobody had yet.
FIRST_RELEASE = "0021"
PAGE = (Path(__file__).parent.parent / "docs/upgrading.md").read_text()


def later() -> list[Script]:
    directory = ScriptDirectory(str(migrate.script_location()))
    return [one for one in reversed([*directory.walk_revisions()]) if one.revision > FIRST_RELEASE]


@pytest.fixture
def rehearsed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The program knows one more migration, of every step we allow."""
    add_migration(tmp_path)
    real = alembic_config

    def config(url: str) -> object:
        made = real(url)
        folders = f"{migrate.script_location()}/versions\n{tmp_path}"
        made.set_main_option("path_separator", "newline")
        made.set_main_option("version_locations", folders)
        return made

    monkeypatch.setattr(migrate, "alembic_config", config)


@pytest.fixture
def engine(database_url: str, rehearsed: None) -> Iterator[Engine]:
    engine = create_engine(database_url)
    yield engine
    engine.dispose()


class TestOffences:
    @pytest.mark.parametrize(
        "statement",
        [
            "CREATE INDEX ix_a ON rewards (id)",
            "CREATE UNIQUE INDEX ix_a ON rewards (id)",
            "ALTER TABLE rewards ALTER COLUMN kind TYPE TEXT",
            "ALTER TABLE rewards ALTER COLUMN kind SET NOT NULL",
            "ALTER TABLE rewards ADD COLUMN kind VARCHAR NOT NULL",
            "ALTER TABLE rewards ADD COLUMN twice INT GENERATED ALWAYS AS (2 * id) STORED",
            "ALTER TABLE rewards ADD CONSTRAINT ck CHECK (id > 0)",
            "ALTER TABLE rewards ADD CONSTRAINT uq UNIQUE (kind)",
            "ALTER TABLE rewards DROP COLUMN kind",
            "ALTER TABLE rewards RENAME kind TO sort",
            "DROP TABLE rewards",
            "UPDATE rewards SET kind = 'x'",
        ],
    )
    def test_what_blocks_writers_or_breaks_old_code_is_found(self, statement: str) -> None:
        assert len(offences([statement])) == 1
        assert offences(["CREATE TABLE rewards (id INT)", statement]) == []

    def test_what_lets_all_go_on_passes(self) -> None:
        allowed = [
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_a ON rewards (id)",
            "ALTER TABLE rewards ADD COLUMN kind VARCHAR",
            "ALTER TABLE rewards ADD COLUMN kind INTEGER DEFAULT 0 NOT NULL",
            "ALTER TABLE rewards ADD CONSTRAINT ck CHECK (id > 0) NOT VALID",
            "ALTER TABLE rewards VALIDATE CONSTRAINT ck",
            "ALTER TABLE rewards DROP CONSTRAINT IF EXISTS ck",
            "UPDATE alembic_version SET version_num = '0022'",
        ]
        assert offences(allowed) == []

    def test_what_no_release_uses_any_more_may_be_taken_away(self) -> None:
        assert offences(["ALTER TABLE rewards DROP COLUMN kind"], contracts=True) == []


def leave(connection: Connection, when: Callable[[], bool]) -> threading.Thread:
    """Cut a connection off once something holds, at the latest after a minute."""

    def wait_and_leave() -> None:
        try:
            until(when)
        finally:
            connection.invalidate()

    leaving = threading.Thread(target=wait_and_leave)
    leaving.start()
    return leaving


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
class TestMigrations:
    def test_none_keeps_writers_waiting_or_breaks_the_release_before(
        self, database_url: str
    ) -> None:
        """Each may name, in `OFFLINE`, why it needs a pause; the page on upgrades names it then."""
        downgrade(database_url, FIRST_RELEASE)
        found = {}
        for script in later():
            with recorded() as sent:
                upgrade(database_url, script.revision)
            if getattr(script.module, "OFFLINE", None):
                assert f"`{script.revision}`" in PAGE
                continue
            contracts = bool(getattr(script.module, "CONTRACTS", None))
            if wrong := offences(sent, contracts):
                found[script.revision] = wrong

        assert found == {}


class TestUpgrade:
    def test_every_step_we_allow_works_twice_and_passes_the_rules(
        self, database_url: str, engine: Engine
    ) -> None:
        with recorded() as sent:
            upgrade(database_url)
        if engine.dialect.name == "postgresql":  # SQLite keeps all of a migration or nothing
            with engine.begin() as connection:
                back = text("UPDATE alembic_version SET version_num = :revision")
                connection.execute(back, {"revision": later()[-1].revision})
            upgrade(database_url)
        found = inspect(engine)

        assert current_revision(engine) == REVISION
        assert COLUMN in {one["name"] for one in found.get_columns("received_events")}
        assert INDEX in {one["name"] for one in found.get_indexes("received_events")}
        if engine.dialect.name == "postgresql":
            rules = {one["name"] for one in found.get_check_constraints("received_events")}
            assert RULE in rules
            assert offences(sent) == []

    @pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
    def test_it_gives_way_to_who_uses_the_table_and_comes_again(
        self, database_url: str, engine: Engine, caplog: pytest.LogCaptureFixture
    ) -> None:
        """It waits for three seconds, in which writers wait behind it, then lets them go first."""
        again = "A table is in use; the migration tries again (1)"
        with engine.connect() as reader:
            reader.execute(text("SELECT 1 FROM received_events"))
            leaving = leave(reader, lambda: again in caplog.messages)
            upgrade(database_url)
            leaving.join()

        assert current_revision(engine) == REVISION
        assert again in caplog.messages

    @pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
    def test_two_at_once_become_one(self, database_url: str, engine: Engine) -> None:
        hold = text("SELECT pg_advisory_lock(hashtext('rewards_service:migrate'))")
        with engine.connect() as other:
            other.execute(hold)
            during: list[str | None] = []

            def has_asked_twice() -> bool:
                if sum("pg_try_advisory" in one for one in sent) < 2:
                    return False
                during.append(current_revision(engine))
                return True

            with recorded() as sent:
                leaving = leave(other, has_asked_twice)
                upgrade(database_url)
            leaving.join()

        assert during == [later()[-1].revision]
        assert current_revision(engine) == REVISION
