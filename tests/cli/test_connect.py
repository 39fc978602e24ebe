from collections.abc import Iterator

import pytest
from click.testing import Result
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from rewards_service.cli.main import main
from rewards_service.integrations.models import Integration
from rewards_service.simulator.api import KEY, READ_ONLY
from rewards_service.simulator.server import SimulatorServer
from tests.cli.conftest import Rewards, read

SITE = "acme-test"
MAKE = ("connect", "make", "--site", SITE, "--api-key-stdin")


@pytest.fixture
def chargebee() -> Iterator[SimulatorServer]:
    with SimulatorServer(pumping=False) as server:
        yield server


@pytest.fixture
def calls(rewards: Rewards, chargebee: SimulatorServer) -> Rewards:
    """Runs the program against that Chargebee; `key` is what standard input holds."""

    def run(*arguments: str, key: str = KEY, **values: str) -> Result:
        surroundings = {
            "CHARGEBEE_API_BASE": chargebee.url, "CHARGEBEE_REQUESTS_PER_MINUTE": "0",
        }  # fmt: skip
        return rewards(*arguments, standard_input=f"{key}\n", **surroundings, **values)

    return run


def endpoints(chargebee: SimulatorServer) -> list[str]:
    rows = chargebee.site.tables["webhook_endpoint"].rows.values()
    return [row["url"] for row in rows if not row.get("deleted")]


class TestConnect:
    def test_make_connects_a_site_and_again_finds_it(
        self, calls: Rewards, chargebee: SimulatorServer, engine: Engine
    ) -> None:
        first = calls(*MAKE, "--name", "Ours", "--requests-per-minute", "1000", "--json")
        again = calls("connect", "make", "--site", SITE, "--json")
        with Session(engine) as session:
            row = session.scalars(select(Integration)).one()

        assert (first.exit_code, again.exit_code) == (0, 0), first.output
        assert read(first)["integration_id"] == read(again)["integration_id"]
        assert (row.name, row.requests_per_minute) == ("Ours", 1000)
        assert endpoints(chargebee) == [
            f"https://rewards.example.com/webhooks/chargebee/{row.endpoint_key}"
        ]

    def test_what_is_wrong_is_shown_by_doctor_too_and_repaired(
        self, calls: Rewards, chargebee: SimulatorServer
    ) -> None:
        calls(*MAKE)
        next(iter(chargebee.site.tables["webhook_endpoint"].rows.values()))["deleted"] = True
        shown = calls("connect", "show", "--integration", SITE)
        doctor = calls("doctor")
        offline = calls("doctor", "--offline")

        for answer in (shown, doctor):
            assert answer.exit_code == 1
            assert "FAILED  endpoint_missing" in answer.output
            assert "Run: rewards connect repair --integration int_" in answer.output
        assert "endpoint_missing" not in offline.output
        assert calls("connect", "repair", "--integration", SITE).exit_code == 0
        assert "Chargebee has the webhook as it should be" in calls("doctor").output

    def test_rotate_changes_the_password_and_remove_deletes_the_webhook(
        self, calls: Rewards, chargebee: SimulatorServer
    ) -> None:
        calls(*MAKE)
        (row,) = chargebee.site.tables["webhook_endpoint"].rows.values()
        before = row["basic_auth_password"]
        rotated = calls("connect", "rotate", "--integration", SITE, "--grace-hours", "1")

        assert rotated.exit_code == 0, rotated.output
        assert row["basic_auth_password"] != before
        assert read(calls("connect", "remove", "--integration", SITE, "--json")) == {
            "removed": [row["id"]]
        }
        assert endpoints(chargebee) == []

    def test_a_key_without_rights_is_exit_status_1_with_the_reason(self, calls: Rewards) -> None:
        answer = calls(*MAKE, key=KEY + READ_ONLY)

        assert answer.exit_code == 1
        assert "The API key may not do that" in answer.output
        assert KEY not in answer.output

    def test_an_address_that_chargebee_cannot_reach_is_refused_before_anything_is_asked(
        self, rewards: Rewards
    ) -> None:
        answer = rewards(*MAKE, standard_input="key\n", BASE_URL="http://127.0.0.1:8000")

        assert answer.exit_code == 1
        assert "set BASE_URL" in answer.output

    @pytest.mark.parametrize("site", ["acme.test", "acme/..", "127.0.0.1", "a@b"])
    def test_no_site_leads_to_another_host(self, rewards: Rewards, site: str) -> None:
        assert rewards("connect", "make", "--site", site).exit_code == 2

    def test_the_key_is_no_option(self) -> None:
        make = main.get_command(None, "connect").commands["make"]  # type: ignore[arg-type,union-attr]

        assert "--api-key" not in [name for option in make.params for name in option.opts]
