"""`rewards reconcile`, as a user calls it, against a simulated site over HTTP."""

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from rewards_service.integrations.service import create_integration
from rewards_service.kit.db import transaction
from rewards_service.reconciliation.models import Reconciliation
from rewards_service.settings import Settings
from rewards_service.simulator.api import KEY
from rewards_service.simulator.people_verbs import PLAN
from rewards_service.simulator.server import SimulatorServer
from tests.cli.conftest import Rewards, read


@pytest.fixture
def site(engine: Engine, settings: Settings) -> str:
    with transaction(engine) as session:
        wanted = {"site": "acme-test", "api_key": KEY}
        create_integration(session, settings, wanted, "test")
    return "acme-test"


class TestReconcile:
    def test_names_what_is_missing_repairs_it_and_says_so_by_its_exit_status(
        self, rewards: Rewards, site: str, engine: Engine
    ) -> None:
        with SimulatorServer() as server:
            ask = ("reconcile", "--integration", site)
            base = {"CHARGEBEE_API_BASE": server.url}
            say = server.runner.say
            say("stock", {})
            ada = say("sign_up", {"email": "ada@one.example"})["customer_id"]
            say("subscribe", {"customer_id": ada, "item_price_id": PLAN})

            missing = rewards(*ask, **base)
            as_json = rewards(*ask, "--json", **base)
            mended = rewards(*ask, "--repair", "--json", **base)
            after = rewards(*ask, **base)
            early = rewards(*ask, "--to", "2001-01-01", "--json", **base)

        assert (missing.exit_code, as_json.exit_code) == (1, 1)
        assert "MISSING HERE" in missing.stdout
        assert "DIFFERS" in missing.stdout
        (row,) = read(as_json)["differences"]
        assert (row["object"], row["kind"], row["state"]) == (
            "transaction", "payment", "missing_here"
        )  # fmt: skip
        assert read(as_json)["sums"][0]["here_minor"] == 0
        assert (mended.exit_code, after.exit_code, early.exit_code) == (0, 0, 0)
        assert read(mended)["repaired"].keys() <= {"poll", "fetch"}
        assert read(mended)["notes"] == {"unknown_customer": 1}
        assert "1 equal, no difference." in after.stdout
        assert read(early)["counts"]["equal"] == 0
        with Session(engine) as session:
            kept = session.query(Reconciliation.asked_by, Reconciliation.state).all()
        assert [tuple(row) for row in kept] == [("cli", "done")] * 6

    def test_an_integration_that_is_not_there_is_wrong_usage(self, rewards: Rewards) -> None:
        assert rewards("reconcile", "--integration", "nowhere").exit_code == 2
