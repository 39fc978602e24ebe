"""Chargebee's own Python client works with the simulator (reference sections 7 and 9)."""

from collections.abc import Iterator

import pytest

from rewards_service.simulator.api import KEY
from rewards_service.simulator.server import SimulatorServer
from tests.simulator.official_calls import Script, disagreements


@pytest.fixture
def server() -> Iterator[SimulatorServer]:
    with SimulatorServer(pumping=False) as running:
        yield running


class TestScript:
    def test_every_call_gives_its_type_or_its_exception(self, server: SimulatorServer) -> None:
        outcomes = Script(server.url, KEY, "https://rewards.example:8443/hook").run()
        raised = {name: out["raised"] for name, out in outcomes.items() if "raised" in out}

        assert len(outcomes) >= 60
        assert raised == {
            "no such customer": "InvalidRequestError",
            "no such invoice": "InvalidRequestError",
            "customer twice": "InvalidRequestError",
            "price without item": "InvalidRequestError",
            "nothing to refund": "InvalidRequestError",
            "voided twice": "InvalidRequestError",
            "limit too high": "InvalidRequestError",
            "wrong key": "APIError",
        }


class TestDisagreements:
    def test_only_members_of_both_can_disagree(self) -> None:
        ours = {"answer": "CreateResponse", "invoice.id": "str", "invoice.total": "int"}
        theirs = {"answer": "CreateResponse", "invoice.id": "int", "invoice.tax": "str"}

        assert disagreements(ours, theirs) == ["invoice.id: str, int"]


class TestFaults:
    @pytest.mark.parametrize(
        ("knob", "raised"),
        [
            ("limited", "OperationFailedError"),
            ("locked", "OperationFailedError"),
            ("unavailable", "OperationFailedError"),
            ("failed", "OperationFailedError"),
            ("unavailable_html", "Exception"),
        ],
    )
    def test_the_client_meets_the_exceptions_it_knows(
        self, server: SimulatorServer, knob: str, raised: str
    ) -> None:
        server.runner.set_faults({knob: 1})
        script = Script(server.url, KEY, "https://rewards.example/hook")
        with pytest.raises(Exception) as caught:  # noqa: PT011 - the client's own choice
            script.cb.Customer.list({"limit": 1})

        assert type(caught.value).__name__ == raised
