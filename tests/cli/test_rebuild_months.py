from datetime import UTC, datetime

from sqlalchemy.orm import Session

from rewards_service.rewards import months
from tests.cli.conftest import Rewards, read

AT = datetime(2026, 1, 31, tzinfo=UTC)


class TestRebuildMonths:
    def test_what_has_no_entries_is_gone_afterwards(
        self, rewards: Rewards, session: Session
    ) -> None:
        entry = {"id": 1, "partner_id": 1, "currency": "USD", "happened_at": AT, "posted_at": AT,
                 "effect": "earned", "owed_minor": 5, "opens": True}  # fmt: skip
        months.add(session, [entry], [])
        session.commit()
        assert rewards("check").exit_code == 1

        assert read(rewards("rebuild-months", "--json")) == {"months": 0}
        assert rewards("check").exit_code == 0
        assert "0 months" in rewards("rebuild-months").stdout
