"""Chargebee's own client finds the simulator and the description of the API alike."""

from collections.abc import Iterator

import pytest

from rewards_service.simulator.api import KEY
from rewards_service.simulator.server import SimulatorServer
from tests.peers.prism import Prism
from tests.simulator.official_calls import Outcome, Script, disagreements

HOOK = "https://rewards.example:8443/hook"


@pytest.fixture
def simulator() -> Iterator[SimulatorServer]:
    with SimulatorServer(pumping=False) as running:
        yield running


def ending(outcome: Outcome) -> str:
    """The class of the answer, or of the exception."""
    return outcome.get("raised") or outcome["answer"]


class TestScript:
    def test_both_give_the_same_types_and_raise_the_same_exceptions(
        self, simulator: SimulatorServer, prism: Prism
    ) -> None:
        ours = Script(simulator.url, KEY, HOOK).run()
        theirs = Script(prism.url, KEY, HOOK).run()

        assert len(ours) >= 60
        assert {name: ending(out) for name, out in ours.items()} == {
            name: ending(out) for name, out in theirs.items()
        }
        assert {n: d for n in ours if (d := disagreements(ours[n], theirs[n]))} == {}
