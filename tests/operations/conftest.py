"""The program, as the tests of its commands call it."""

from tests.cli.conftest import quiet_log, rewards

__all__ = ["quiet_log", "rewards"]
