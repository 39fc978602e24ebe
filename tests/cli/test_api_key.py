import pytest
from flask import Flask

from rewards_service.accounts.service import SCOPES
from tests.builders.api import Caller
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


class TestPartnerKeys:
    def test_a_partner_is_named_by_id_external_id_or_any_spelling_of_its_address(
        self, rewards: Rewards, api: Caller
    ) -> None:
        partner = api.create("/partners", name="P", email="Ann@p.example", external_id="p-1")["id"]
        for name in (partner, "p-1", "ann@P.EXAMPLE"):
            answer = rewards(
                "api-key", "create", "--name", "n", "--scopes", "crm:read", "--partner", name,
                "--json",
            )  # fmt: skip
            made = read(answer)
            assert made["partner_id"] == partner
            assert api.call("GET", "/me", key=made["key"]).get_json()["partner_id"] == partner

    def test_none_several_and_other_scopes_are_exit_status_2(
        self, rewards: Rewards, api: Caller
    ) -> None:
        api.create("/partners", name="A", email="a@p.example")
        api.create("/partners", name="B", email="b@p.example", external_id="a@p.example")
        words = ("api-key", "create", "--name", "n", "--scopes")

        assert rewards(*words, "crm:read", "--partner", "nobody").exit_code == 2
        assert "More than one" in rewards(*words, "crm:read", "--partner", "a@p.example").output
        assert "Not for a key" in rewards(*words, "admin", "--partner", "b@p.example").output


class TestListAndRevoke:
    def test_a_revoked_key_is_listed_and_opens_nothing(self, rewards: Rewards, api: Caller) -> None:
        made = api.create("/api-keys", name="CI", scopes=["crm:read"])

        assert read(rewards("api-key", "revoke", made["id"], "--json"))["revoked"] is True
        (listed,) = (
            one for one in read(rewards("api-key", "list", "--json"))["keys"] if one["name"] == "CI"
        )
        assert (listed["id"], listed["revoked_at"] is None) == (made["id"], False)
        assert "revoked CI" in rewards("api-key", "list").output
        assert api.call("GET", "/leads", key=made["key"]).status_code == 401
        assert rewards("api-key", "revoke", "key_none").exit_code == 2
