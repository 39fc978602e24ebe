import pytest
from flask import Flask

from rewards_service.accounts.service import SCOPES
from tests.cli.conftest import Rewards, read


class TestCreate:
    def test_prints_a_key_that_opens_the_api(self, rewards: Rewards, app: Flask) -> None:
        answer = rewards("api-key", "create", "--name", "me", "--scopes", "admin", "--json")

        made = read(answer)
        assert set(made) == {"id", "key", "scopes"}
        assert made["scopes"] == ["admin"]
        bearer = {"Authorization": f"Bearer {made['key']}"}
        assert app.test_client().get("/api/v1/me", headers=bearer).status_code == 200

    def test_people_see_the_key_and_how_to_use_it(self, rewards: Rewards) -> None:
        answer = rewards(
            "api-key", "create", "--name", "me", "--scopes", "crm:read, rewards:read",
            "--expires", "2099-01-31",
        )  # fmt: skip

        assert answer.exit_code == 0
        assert answer.stdout.startswith("rk_")
        assert "not shown again" in answer.output

    def test_an_unknown_scope_is_exit_status_2_with_the_list(self, rewards: Rewards) -> None:
        answer = rewards("api-key", "create", "--name", "me", "--scopes", "admin,all")

        assert answer.exit_code == 2
        assert all(scope in answer.output for scope in SCOPES)

    @pytest.mark.parametrize("expires", ["2020-01-01", "soon"])
    def test_a_day_that_cannot_be_is_exit_status_2(self, rewards: Rewards, expires: str) -> None:
        answer = rewards(
            "api-key", "create", "--name", "me", "--scopes", "admin", "--expires", expires
        )

        assert answer.exit_code == 2
