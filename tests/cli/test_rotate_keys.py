"""Secrets under a new key, on both databases."""

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from rewards_service.integrations.models import Integration
from rewards_service.kit import crypto, sealed
from rewards_service.kit.db import Base, transaction
from rewards_service.partners.models import Partner
from tests.builders.api import Caller
from tests.cli.conftest import Rewards, read
from tests.conftest import ENCRYPTION_KEY

NEW = Fernet.generate_key().decode()


def secrets(engine: Engine) -> list[str]:
    queries = (select(Partner.payout_details_encrypted), select(Integration.api_key_encrypted))
    with Session(engine) as session:
        return [one for query in queries for one in session.scalars(query) if one is not None]


class TestRotateKeys:
    def test_every_secret_comes_under_the_first_key(
        self, rewards: Rewards, api: Caller, engine: Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sealed, "BATCH", 2)
        details = {"iban": "DE89370400440532013000", "account_name": "P"}
        for number in range(5):
            api.create("/partners", name="P", email=f"{number}@p.example", payout_details=details)
        made = api.create("/integrations", site="a-test", api_key="live_x")
        before = api.get("/partners")["data"]

        first = read(rewards("rotate-keys", "--json", ENCRYPTION_KEYS=f"{NEW},{ENCRYPTION_KEY}"))
        again = read(rewards("rotate-keys", "--json", ENCRYPTION_KEYS=f"{NEW},{ENCRYPTION_KEY}"))

        assert (first["rotated"], first["current"], first["unreadable"]) == (6, 0, 0)
        assert (again["rotated"], again["current"], again["unreadable"]) == (0, 6, 0)
        opened = [crypto.decrypt([NEW], one) for one in secrets(engine)]
        assert (len(opened), opened[-1]) == (6, "live_x")
        times = [one["updated_at"] for one in api.get("/partners")["data"]]
        assert times == [one["updated_at"] for one in before]  # nothing about them has changed
        assert api.get(f"/integrations/{made['id']}")["has_api_key"]

    def test_one_that_no_key_opens_is_told_and_left_alone(
        self, rewards: Rewards, engine: Engine
    ) -> None:
        lost = crypto.encrypt([Fernet.generate_key().decode()], "{}")
        with transaction(engine) as session:
            session.add(
                Partner(name="P", email="p@p.example", status="active",
                        payout_details_encrypted=lost)
            )  # fmt: skip

        answer = rewards("rotate-keys", "--json")

        assert (answer.exit_code, read(answer)["unreadable"]) == (1, 1)
        assert secrets(engine) == [lost]
        assert "cannot be opened" in rewards("rotate-keys").output


class TestSealedColumns:
    def test_they_are_found_by_their_name(self) -> None:
        found = {str(column) for column in sealed.sealed_columns(Base.metadata)}

        assert found >= {
            "integrations.api_key_encrypted", "integrations.untold_password_encrypted",
            "partners.payout_details_encrypted",
        }  # fmt: skip
