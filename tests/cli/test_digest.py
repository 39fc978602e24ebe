from sqlalchemy.orm import Session

from rewards_service.reports.digest import digest
from tests.cli.conftest import Rewards, read


class TestDigest:
    def test_prints_the_digest_of_the_database(self, rewards: Rewards, session: Session) -> None:
        expected = digest(session)
        session.rollback()

        assert rewards("digest").stdout == f"{expected}\n"
        printed = read(rewards("digest", "--json"))
        assert printed["digest"] == expected
        assert "rewards" in printed["sections"]
