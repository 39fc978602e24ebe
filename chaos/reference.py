"""The same input without any fault: one process, one event log, on an SQLite in memory's reach."""

import shutil
import tempfile
from pathlib import Path
from typing import Self

from sqlalchemy import create_engine

from chaos.stack import SECRET_KEY
from chaos.stream import Sent
from rewards_service.kit.migrate import upgrade
from rewards_service.settings import Settings, load_settings
from tests.builders.site import webhook_app
from tests.builders.whole import Read, read
from tests.builders.world import World

_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - a private folder is made in it
DRAIN_EVERY = 500


class Reference:
    """Use as a context. `world` is to be set up as the one under fire is."""

    def __init__(self, settings: Settings) -> None:
        parent = _SHARED_MEMORY if _SHARED_MEMORY.is_dir() else None
        self._folder = Path(tempfile.mkdtemp(prefix="rewards-reference-", dir=parent))
        url = f"sqlite:///{self._folder}/reference.db"
        self._engine = create_engine(url)
        self._settings = load_settings(
            {
                "DATABASE_URL": url, "REDIS_URL": "redis://unused", "SECRET_KEY": SECRET_KEY,
                "ENCRYPTION_KEYS": settings.encryption_keys[0],
            }
        )  # fmt: skip
        self.world: World

    def __enter__(self) -> Self:
        upgrade(self._settings.database_url)
        self.world = World(webhook_app(self._settings), self._engine, self._settings)
        return self

    def __exit__(self, *_: object) -> None:
        self._engine.dispose()
        shutil.rmtree(self._folder, ignore_errors=True)

    def receive(self, events: list[Sent]) -> None:
        """Take these one after the other, and do everything that follows."""
        for start in range(0, len(events), DRAIN_EVERY):
            self.world.accept(*(one.body for one in events[start : start + DRAIN_EVERY]))
            self.world.drain()

    def digest(self) -> Read:
        return read(self._engine)
