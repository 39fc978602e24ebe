import shutil
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, create_engine

from rewards_service.settings import Settings
from tests.builders.whole import settings_for
from tests.builders.world import World
from tests.postgres_copies import PostgresTemplate
from tests.reports import sample
from tests.reports import story as stories
from tests.reports.books import Books


@pytest.fixture
def books(engine: Engine, settings: Settings) -> Iterator[Books]:
    """Books with nobody in them yet."""
    books = Books(engine, settings)
    yield books
    books.close()


@pytest.fixture
def story(world: World) -> World:
    """See `tests.reports.story`."""
    stories.tell(world)
    return world


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shop(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Books]:
    """Two partners, a converted and a superseded lead, a deal, payments, refunds, rewards.

    Made once: no test changes it, but in a transaction that is rolled back.
    """
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("shop") / "rewards.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        yield from _shop(f"sqlite:///{path}")
        return
    template: PostgresTemplate = request.getfixturevalue("postgres_template")
    url = template.create()
    yield from _shop(url)
    template.release(url)


def _shop(url: str) -> Iterator[Books]:
    engine = create_engine(url)
    books = Books(engine, settings_for(url))
    sample.play(books)
    yield books
    books.close()
    engine.dispose()
