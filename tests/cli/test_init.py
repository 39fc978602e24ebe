from pathlib import Path

from sqlalchemy import create_engine

from rewards_service.kit.migrate import current_revision, downgrade, newest_revision
from tests.cli.conftest import Rewards


class TestInit:
    def test_brings_an_empty_database_to_the_newest_schema(
        self, rewards: Rewards, database_url: str
    ) -> None:
        downgrade(database_url)

        first, second = rewards("init"), rewards("init")

        assert (first.exit_code, second.exit_code) == (0, 0)
        assert "is now at revision" in first.output
        assert "already" in second.output
        engine = create_engine(database_url)
        assert current_revision(engine) == newest_revision()
        engine.dispose()

    def test_a_database_that_is_away_is_exit_status_2(
        self, rewards: Rewards, tmp_path: Path
    ) -> None:
        answer = rewards("init", DATABASE_URL=f"sqlite:///{tmp_path}/nowhere/rewards.db")

        assert answer.exit_code == 2
        assert "The database cannot be used" in answer.output
