"""A backup of ten minutes ago and Chargebee's event log give what was there."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, create_engine, make_url, select, text
from sqlalchemy.orm import Session

from rewards_service.cli.main import main
from rewards_service.inbox.models import ReceivedEvent
from rewards_service.kit.clock import from_epoch
from rewards_service.polling.reading import poll
from rewards_service.reports.digest import sections
from rewards_service.simulator.api import Simulator
from rewards_service.simulator.play import play
from rewards_service.simulator.runner import Runner
from rewards_service.simulator.site import Site
from tests.builders.simulated import connected_to
from tests.builders.world import World
from tests.cli.conftest import Rewards, read
from tests.postgres_copies import PostgresTemplate
from tests.postgres_server import find_binaries
from tests.simulator.test_into_service import REGISTERED, make_people, wrong
from tests.test_migrations import guards

STEPS, BACKED_UP_AFTER, SEED = 60, 40, 3
OPERATIONS = (Path(__file__).parents[2] / "docs/operations.md").read_text()
DUMP = ("pg_dump", "--format=custom", "--file")
LOAD = ("pg_restore", "--clean", "--if-exists", "--no-owner", "--dbname")


def business(world: World, at_backup: Callable[[], None] = lambda: None) -> Runner:
    """The play of a site whose webhooks all arrive; `at_backup` is called in its middle."""
    make_people(world)
    simulator = Simulator(Site(SEED), lambda: 0.0)
    post = lambda call: world.site.post(call.body).status_code  # noqa: E731
    runner = Runner(simulator, post, lambda: 0.0)
    runner.listen("https://rewards.example/hook", "rewards", "secret")
    for step, _ in enumerate(play(simulator.site, STEPS), 1):
        runner.pump()
        if step == BACKED_UP_AFTER:
            world.drain()
            at_backup()
    world.drain()
    return runner


class Copies:
    """Backup and restore of one database by the documented commands."""

    def __init__(self, engine: Engine, rewards: Rewards, folder: Path) -> None:
        self.engine, self.rewards, self.file = engine, rewards, folder / "rewards.backup"
        self.restored: Engine | None = None
        self._made: str | None = None
        self._is_sqlite = engine.dialect.name == "sqlite"

    def back_up(self) -> None:
        if self._is_sqlite:
            assert read(self.rewards("backup", str(self.file), "--json"))["revision"]
        else:
            self._run(*DUMP, str(self.file), _plain(self.engine))

    def restore(self, template: PostgresTemplate | None) -> Engine:
        """The backup in a database of its own; the old one is not looked at any more."""
        if template is None:
            self._restore_file()
            return self.engine
        name = f"restored_{uuid4().hex}"
        with template.admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        self._made = template.url(name)
        self.restored = create_engine(self._made)
        self._run(*LOAD, _plain(self.restored), str(self.file))
        return self.restored

    def _restore_file(self) -> None:
        self.engine.dispose()
        path = Path(str(self.engine.url.database))
        for lost in path.parent.glob(f"{path.name}*"):
            lost.unlink()
        assert read(self.rewards("restore", str(self.file), "--json"))["since"]

    def close(self, template: PostgresTemplate | None) -> None:
        if template and self.restored is not None and self._made is not None:
            self.restored.dispose()
            template.drop(self._made)

    def _run(self, program: str, *words: str) -> None:
        assert " ".join((program, *words[:2])) in OPERATIONS
        binaries = find_binaries()
        found = binaries / program if binaries and (binaries / program).exists() else None
        path = str(found) if found else shutil.which(program)
        if path is None:
            pytest.skip(f"There is no {program}.")
        subprocess.run([path, *words], check=True)


def _plain(engine: Engine) -> str:
    """As PostgreSQL's own programs take it."""
    url = engine.url.set(drivername="postgresql")
    return url.render_as_string(hide_password=False)


@pytest.fixture
def template(request: pytest.FixtureRequest, engine: Engine) -> PostgresTemplate | None:
    if engine.dialect.name == "sqlite":
        return None
    found: PostgresTemplate = request.getfixturevalue("postgres_template")
    return found


@pytest.fixture
def copies(
    engine: Engine, rewards: Rewards, tmp_path: Path, template: PostgresTemplate | None
) -> Iterator[Copies]:  # fmt: skip
    made = Copies(engine, rewards, tmp_path)
    yield made
    made.close(template)


def digest(engine: Engine) -> dict[str, str]:
    with Session(engine) as session:
        return sections(session)


class TestBackup:
    def test_restored_and_filled_up_it_is_as_if_nothing_had_been_lost(
        self, world: World, second: World, copies: Copies, template: PostgresTemplate | None
    ) -> None:
        """What came after the backup is brought by one reading of Chargebee's event log."""
        runner = business(world, copies.back_up)
        business(second)
        triggers = guards(world.engine)
        restored = copies.restore(template)
        with Session(restored) as session:
            held = session.scalars(select(ReceivedEvent.received_at)).all()
        site = connected_to(runner.simulator)

        report = poll(
            restored, world.site.id, site, from_epoch(runner.simulator.site.now),
            beginning=REGISTERED,
        )  # fmt: skip
        world.engine = restored
        world.drain()

        assert report.complete
        assert len(report.new) > STEPS // 10
        assert len(held) + len(report.new) == len(second.all(ReceivedEvent))
        assert guards(restored) == triggers
        assert wrong(restored) == wrong(second.engine) == []
        assert digest(restored) == digest(second.engine)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
class TestCommands:
    def test_a_backup_is_of_one_moment_while_others_write(
        self, world: World, copies: Copies, rewards: Rewards
    ) -> None:  # fmt: skip
        with world.engine.connect() as writer:
            writer.execute(text("UPDATE integrations SET name = 'half done'"))
            copies.back_up()
            writer.rollback()
        copy = create_engine(f"sqlite:///{copies.file}")
        with copy.connect() as connection:
            (name,) = connection.execute(text("SELECT name FROM integrations")).one()
        copy.dispose()

        assert name != "half done"
        assert copies.file.stat().st_mode & 0o777 == 0o600
        again = rewards("backup", str(copies.file))
        assert (again.exit_code, "exists" in again.output) == (2, True)

    def test_a_damaged_file_is_refused_and_the_database_stays(
        self, world: World, copies: Copies, rewards: Rewards
    ) -> None:  # fmt: skip
        copies.back_up()
        content = bytearray(copies.file.read_bytes())
        content[8192:40960] = b"\0" * (40960 - 8192)
        copies.file.write_bytes(content)
        before = digest(world.engine)

        refused = rewards("restore", str(copies.file), "--replace")

        assert refused.exit_code == 1
        assert digest(world.engine) == before

    def test_what_is_there_is_given_up_only_when_asked(
        self, world: World, copies: Copies, rewards: Rewards
    ) -> None:  # fmt: skip
        copies.back_up()
        world.partner("Late")
        first = rewards("restore", str(copies.file))
        second = rewards("restore", str(copies.file), "--replace")

        assert (first.exit_code, second.exit_code) == (2, 0)
        assert make_url(str(world.engine.url)).database
        with world.engine.connect() as connection:
            assert connection.execute(text("SELECT count(*) FROM partners")).scalar_one() == 0


class TestForPostgresql:
    def test_they_name_its_own_command(self, tmp_path: Path) -> None:
        environ = {"DATABASE_URL": "postgresql://rewards@127.0.0.1:1/rewards",
                   "VAR_DIR": str(tmp_path)}  # fmt: skip
        for words, program in ((("backup", "b"), DUMP), (("restore", __file__), LOAD)):
            refused = CliRunner().invoke(main, [*words], env=environ)

            assert refused.exit_code == 2
            assert " ".join(program) in refused.output
