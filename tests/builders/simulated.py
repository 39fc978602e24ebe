"""Our client of Chargebee in front of a simulated site, without HTTP between them."""

from base64 import b64encode
from collections.abc import Callable
from typing import Any, TypeVar

from rewards_service.chargebee.client import ChargebeeClient
from rewards_service.chargebee.operations import Chargebee
from rewards_service.kit.http import Answer, Call
from rewards_service.kit.rate import SharedRate
from rewards_service.simulator.api import KEY, Request, Simulator

Result = TypeVar("Result")


class InProcess:
    """Stands where `kit.http.HttpClient` does: asks the simulator, once. `calls`: their paths."""

    def __init__(self, simulator: Simulator, key: str = KEY) -> None:
        self.simulator = simulator
        self.calls: list[str] = []
        self._authorization = f"Basic {b64encode(f'{key}:'.encode()).decode()}"

    def call(
        self,
        call: Call,
        judge: Callable[[Answer], Result],
        gate: Callable[[float], None] | None = None,
    ) -> Result:
        path = "/" + "/".join(call.path[2:])
        self.calls.append(path)
        headers = {name.lower(): value for name, value in (call.headers or {}).items()}
        headers["authorization"] = self._authorization
        request = Request(call.method, path, tuple(call.query), tuple(call.form), headers)
        found = self.simulator.answer(request)
        return judge(Answer(found.status, found.headers, found.body))

    def close(self) -> None:
        """There is nothing to give back."""


def connected_to(simulator: Simulator, key: str = KEY) -> Chargebee:
    """The simulated site as the service talks to it, as fast as it likes."""
    http: Any = InProcess(simulator, key)
    return Chargebee(ChargebeeClient(http, SharedRate(None, "simulated", 0), repeat_seconds=1))
