"""Webhook endpoints of the simulated site, and keys of fewer rights."""

from base64 import b64encode

import pytest

from rewards_service.simulator.api import KEY, PUBLISHABLE, READ_ONLY
from tests.simulator.site_calls import Caller


@pytest.fixture
def caller() -> Caller:
    return Caller()


class TestEndpoints:
    def test_credentials_are_never_told_again(self, caller: Caller) -> None:
        key = caller.listen(basic_auth_username="u", basic_auth_password="secret")
        bodies = [
            caller.raw("GET", "/webhook_endpoints").body,
            caller.raw("GET", f"/webhook_endpoints/{key}").body,
        ]

        assert not any(b"secret" in text or b"basic_auth" in text for text in bodies)

    def test_the_only_one_is_the_primary_one_until_another_is_named(self, caller: Caller) -> None:
        first = caller.listen()
        assert caller.ask(f"/webhook_endpoints/{first}")[1]["webhook_endpoint"]["primary_url"]
        second = caller.listen(url="https://other.example/", primary_url="true")

        rows = [entry["webhook_endpoint"] for entry in caller.ask("/webhook_endpoints")[1]["list"]]
        assert [row["id"] for row in rows if row["primary_url"]] == [second]

    def test_the_schema_type_is_chosen_once(self, caller: Caller) -> None:
        key = caller.listen(chargebee_response_schema_type="compat")
        path = f"/webhook_endpoints/{key}"
        _, found = caller.tell(path, chargebee_response_schema_type="items", disabled="true")
        row = found["webhook_endpoint"]

        assert (row["chargebee_response_schema_type"], row["disabled"]) == ("compat", True)


class TestKeys:
    @pytest.mark.parametrize(
        ("ending", "statuses"),
        [("", (200, 200)), (READ_ONLY, (200, 403)), (PUBLISHABLE, (403, 403))],
    )
    def test_a_key_of_fewer_rights_may_only_read_or_nothing(
        self, caller: Caller, ending: str, statuses: tuple[int, int]
    ) -> None:
        login = b64encode(f"{KEY}{ending}:".encode()).decode()
        headers = {"authorization": f"Basic {login}"}
        reads = caller.raw("GET", "/customers", headers=headers)
        writes = caller.raw("POST", "/customers", headers=headers)

        assert (reads.status, writes.status) == statuses
