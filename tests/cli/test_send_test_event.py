import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.serving import make_server

from rewards_service.inbox.models import ReceivedEvent
from rewards_service.integrations.service import create_integration
from rewards_service.settings import Settings
from tests.cli.conftest import Rewards


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    """The application behind a real port."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def received(session: Session) -> list[str]:
    found = list(session.scalars(select(ReceivedEvent.event_id).order_by(ReceivedEvent.id)))
    session.rollback()
    return found


class TestSendTestEvent:
    def test_the_sandbox_takes_payments_without_a_word(
        self, rewards: Rewards, address: str, session: Session
    ) -> None:
        rewards("sandbox")

        answers = [
            rewards("send-test-event", "--integration", "sandbox", BASE_URL=address)
            for _ in range(2)
        ]

        assert [answer.exit_code for answer in answers] == [0, 0], answers[0].output
        assert "accepted" in answers[1].output
        assert len(set(received(session))) == 2
        assert rewards("drain").exit_code == 0
        outcomes = session.scalars(select(ReceivedEvent.outcome)).all()
        assert outcomes == ["transaction_recorded"] * 2

    def test_a_file_is_sent_as_it_is(
        self,
        rewards: Rewards,
        address: str,
        session: Session,
        settings: Settings,
        tmp_path: Path,
    ) -> None:
        integration, credentials = create_integration(
            session, settings, {"site": "acme-test"}, "test"
        )
        session.commit()
        file = tmp_path / "event.json"
        file.write_text('{"id": "ev_mine", "event_type": "coupon_created", "content": {}}')

        answer = rewards(
            "send-test-event", "--integration", integration.site, "--file", str(file),
            BASE_URL=address, REWARDS_WEBHOOK_PASSWORD=credentials.password,
        )  # fmt: skip

        assert answer.exit_code == 0, answer.output
        assert received(session) == ["ev_mine"]

    def test_without_a_password_it_says_what_it_needs(
        self, rewards: Rewards, session: Session, settings: Settings
    ) -> None:
        create_integration(session, settings, {"site": "acme-test"}, "test")
        session.commit()

        answer = rewards("send-test-event", "--integration", "acme-test")

        assert answer.exit_code == 2
        assert "REWARDS_WEBHOOK_PASSWORD" in answer.output

    def test_a_wrong_password_is_exit_status_1_with_the_remedy(
        self, rewards: Rewards, address: str
    ) -> None:
        rewards("sandbox")

        answer = rewards(
            "send-test-event", "--integration", "sandbox", "--password", "x", BASE_URL=address
        )

        assert answer.exit_code == 1
        assert "rotate-secret" in answer.output

    def test_an_unknown_integration_is_exit_status_2(self, rewards: Rewards) -> None:
        assert rewards("send-test-event", "--integration", "nowhere").exit_code == 2

    def test_a_service_that_is_away_is_exit_status_1(
        self, rewards: Rewards, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("rewards_service.cli.send_test_event.PATIENCE_SECONDS", 0.1)
        rewards("sandbox")

        answer = rewards(
            "send-test-event", "--integration", "sandbox", BASE_URL="http://127.0.0.1:1"
        )

        assert answer.exit_code == 1
        assert "Nothing answers" in answer.output
