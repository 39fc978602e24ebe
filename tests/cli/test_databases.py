from pathlib import Path

import pytest

from rewards_service.kit.migrate import downgrade
from tests.cli.conftest import Rewards

COMMANDS = (
    ["check"], ["digest"], ["drain"], ["sandbox"], ["send-test-event", "--integration", "int_1"],
    ["api-key", "create", "--name", "n", "--scopes", "admin"],
)  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
class TestMigrated:
    def test_a_database_without_tables_is_refused_with_the_remedy(
        self, rewards: Rewards, database_url: str, command: list[str]
    ) -> None:
        downgrade(database_url)

        answer = rewards(*command)

        assert answer.exit_code == 2
        assert "Run: rewards init" in answer.output

    def test_a_database_that_is_away_is_refused_in_plain_words(
        self, rewards: Rewards, command: list[str], tmp_path: Path, database_url: str
    ) -> None:
        absent = (
            f"sqlite:///{tmp_path}/nowhere/rewards.db"
            if database_url.startswith("sqlite")
            else "postgresql://rewards@127.0.0.1:1/rewards"
        )

        answer = rewards(*command, DATABASE_URL=absent)

        assert answer.exit_code == 2
        assert "The database cannot be used" in answer.output
        assert "Traceback" not in answer.output
