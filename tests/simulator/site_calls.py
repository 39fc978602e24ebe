"""Calls of a simulated site without HTTP, each answer held against openapi.json."""

import json
from base64 import b64encode
from typing import Any

from rewards_service.simulator.api import KEY, Answer, Request, Simulator
from rewards_service.simulator.delivery import body, due, settle
from rewards_service.simulator.site import Site
from tests.simulator.schemas import wrong_answer

AUTHORIZED = {"authorization": f"Basic {b64encode(f'{KEY}:'.encode()).decode()}"}


class Caller:
    """A simulator with a clock that the test moves; `ask` and `tell` give (status, body)."""

    def __init__(self, seed: int = 1) -> None:
        self.seconds = 0.0
        self.site = Site(seed)
        self.simulator = Simulator(self.site, lambda: self.seconds)

    def raw(self, method: str, path: str, **parts: Any) -> Answer:
        headers = {**AUTHORIZED, **parts.pop("headers", {})}
        return self.simulator.answer(Request(method, path, headers=headers, **parts))

    def ask(self, path: str, /, **query: Any) -> tuple[int, Any]:
        """GET; `a__in="[x]"` stands for a[in]."""
        return self._checked("GET", path, query=_fields(query))

    def tell(
        self, path: str, /, headers: dict[str, str] | None = None, **form: Any
    ) -> tuple[int, Any]:
        """POST a form; nested dictionaries become brackets."""
        return self._checked("POST", path, form=_fields(form), headers=headers or {})

    def _checked(self, method: str, path: str, **parts: Any) -> tuple[int, Any]:
        answer = self.raw(method, path, **parts)
        found = json.loads(answer.body)
        assert wrong_answer(method, path, answer.status, found) == []
        return answer.status, found

    def listed(self, path: str, kind: str, /, **query: Any) -> list[str]:
        """The ids of one page."""
        status, found = self.ask(path, **query)
        assert status == 200
        return [entry[kind]["id"] for entry in found["list"]]

    def webhooks(self) -> list[dict[str, Any]]:
        """Every webhook that is due now, taken as delivered."""
        found = []
        for call in due(self.site, self.simulator.faults):
            found.append(json.loads(body(self.site, call)))
            settle(self.site, call, True)
        return found

    def listen(self, **more: Any) -> str:
        """An endpoint that gets all events; its id."""
        given = {"name": "test", "url": "https://rewards.example/webhook", **more}
        status, found = self.tell("/webhook_endpoints", **given)
        assert status == 200
        return str(found["webhook_endpoint"]["id"])


def _fields(given: dict[str, Any], prefix: str = "") -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = []
    for name, value in given.items():
        outer, _, operator = name.partition("__")
        key = f"{prefix}[{outer}]" if prefix else outer
        key = f"{key}[{operator}]" if operator else key
        if isinstance(value, dict):
            found += _fields(value, key)
        elif isinstance(value, list):
            found += [(f"{key}[{at}]", str(item)) for at, item in enumerate(value)]
        else:
            found.append((key, str(value)))
    return tuple(found)
