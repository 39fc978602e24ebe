import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from click.testing import CliRunner, Result

from rewards_service.cli.main import main
from rewards_service.settings import Settings
from tests.conftest import ENCRYPTION_KEY, SECRET_KEY

Rewards = Callable[..., Result]


@pytest.fixture
def quiet_log() -> Iterator[None]:
    """Commands set up the log of their process; here it must outlive them."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def rewards(settings: Settings, database_url: str, redis_url: str, quiet_log: None) -> Rewards:
    """Runs the program on this test's database: rewards("check", "--json", BASE_URL=...)."""
    environ = {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "VAR_DIR": str(settings.var_dir),
        "BASE_URL": settings.base_url,
        "SECRET_KEY": SECRET_KEY,
        "ENCRYPTION_KEYS": ENCRYPTION_KEY,
        "ARGON2_MEMORY_KIB": "64",
    }

    def run(*arguments: str, standard_input: str | None = None, **values: str) -> Result:
        return CliRunner().invoke(main, list(arguments), standard_input, env=environ | values)

    return run


def read(result: Result) -> Any:
    """The one JSON object that a command with --json printed, and nothing else."""
    return json.loads(result.stdout)
