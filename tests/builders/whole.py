"""The books of a whole database: their digest, and the invariants they break."""

from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session

from rewards_service.kit import bells
from rewards_service.reports.checks import run_checks
from rewards_service.reports.digest import sections
from rewards_service.settings import Settings, load_settings
from tests.builders.site import webhook_app
from tests.builders.world import World
from tests.conftest import ENCRYPTION_KEY, SECRET_KEY

Read = dict[str, str]


def read(engine: Engine) -> Read:
    """The digest, by section: a difference says at once where."""
    with Session(engine) as session:
        return sections(session)


def violations(engine: Engine) -> dict[str, object]:
    with Session(engine) as session:
        found = run_checks(session)
    return {check.id: check.violations for check in found if not check.ok}


class OwnWorld:
    """A world on a database of its own, closed at the end."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._engine = create_engine(url)

    def __enter__(self) -> World:
        settings = settings_for(self._url)
        app = webhook_app(settings)
        # Nobody listens: a doorbell of each such world would try for ever, in a thread of its own.
        bells.install(lambda _queue: None)
        return World(app, self._engine, settings)

    def __exit__(self, *_: object) -> None:
        self._engine.dispose()


def settings_for(url: str) -> Settings:
    # Nobody listens there. A name that nobody knows may take five seconds to be looked up.
    given = {"DATABASE_URL": url, "REDIS_URL": "redis://127.0.0.1:9", "SECRET_KEY": SECRET_KEY,
             "ENCRYPTION_KEYS": ENCRYPTION_KEY}  # fmt: skip
    return load_settings(given)
