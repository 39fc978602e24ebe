import base64
import shlex
from pathlib import Path

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.integrations.models import Integration
from rewards_service.rewards.models import LedgerEntry
from tests.cli.conftest import Rewards, read


class TestSandbox:
    def test_its_curl_line_posts_a_payment_that_becomes_a_reward(
        self, rewards: Rewards, app: Flask, session: Session
    ) -> None:
        words = shlex.split(read(rewards("sandbox", "--json"))["curl"])
        credentials, body, url = words[2], Path(words[6].removeprefix("@")), words[7]
        headers = {"Authorization": f"Basic {base64.b64encode(credentials.encode()).decode()}"}

        answer = app.test_client().post(
            url.removeprefix("https://rewards.example.com"),
            data=body.read_bytes(),
            headers=headers,
            content_type="application/json",
        )

        assert answer.status_code == 200, answer.text
        assert rewards("drain").exit_code == 0
        assert session.scalars(select(LedgerEntry.amount_minor)).all() == [900]

    def test_run_twice_it_finds_what_it_made(self, rewards: Rewards, session: Session) -> None:
        first, second = rewards("sandbox"), rewards("sandbox")

        assert (first.exit_code, second.exit_code) == (0, 0)
        assert first.stdout == second.stdout
        assert "curl -u sandbox:" in first.stdout
        assert len(session.scalars(select(Integration)).all()) == 1

    def test_it_is_made_ready_again(self, rewards: Rewards, session: Session) -> None:
        before = read(rewards("sandbox", "--json"))
        integration = session.scalars(select(Integration)).one()
        integration.mode = "off"
        integration.convert_lead = False
        integration.credentials_digest = b"rotated"
        session.commit()

        after = read(rewards("sandbox", "--json"))

        session.refresh(integration)
        assert (integration.mode, integration.convert_lead) == ("live", True)
        assert integration.credentials_digest != b"rotated"
        assert after == before
