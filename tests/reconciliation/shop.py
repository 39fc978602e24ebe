"""A simulated site whose webhooks reach the service, but for those that a test loses."""

import json
import time
from collections.abc import Callable
from typing import Any

from rewards_service.chargebee.operations import Chargebee
from rewards_service.simulator.api import Simulator
from rewards_service.simulator.runner import Call, Runner
from rewards_service.simulator.site import Site
from tests.builders.simulated import connected_to
from tests.builders.world import World

ADA = "ada@one.example"
Json = dict[str, Any]


class Shop:
    """A site of the last hour with one customer, Ada, who is a lead of Ann's, and her invoices."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.simulator = Simulator(Site(1, int(time.time() - 3_600) * 1000), lambda: 0.0)
        self.runner = Runner(self.simulator, self._send, lambda: 0.0)
        self.runner.listen("https://rewards.example/hook", "rewards", "secret")
        self.lose: Callable[[Json], bool] = lambda _event: False
        self.lost: list[Json] = []
        self.change: Callable[[Json], None] = lambda _event: None
        world.lead(ADA, world.partner("Ann"))
        self.ada = self.say("sign_up", email=ADA)["customer_id"]

    @property
    def api(self) -> Chargebee:
        return connected_to(self.simulator)

    def _send(self, call: Call) -> int:
        event = json.loads(call.body)
        self.change(event)
        if self.lose(event):
            self.lost.append(event)
        else:
            self.world.accept(event)
        return 200

    def say(self, verb: str, **given: Any) -> Json:
        """Let it happen; the service handles what it hears of."""
        self.simulator.site.move_to(self.simulator.site.now_ms + 10_000)
        found = self.runner.say(verb, given)
        self.runner.pump()
        self.world.drain()
        return found

    def bill(self, amount: int = 10_000, customer: str | None = None) -> str:
        invoice = self.say("bill", customer_id=customer or self.ada, amount=amount)
        return str(invoice["invoice_id"])

    def pay(self, amount: int = 10_000, customer: str | None = None) -> str:
        """The transaction id of a payment by card of a fresh invoice."""
        paid = self.say("pay", invoice_id=self.bill(amount, customer))
        return str(paid["transaction_id"])

    def lose_all(self, *types: str) -> None:
        """From now on events of these types are lost; of all types when none is given."""
        self.lose = lambda event: not types or event["event_type"] in types

    def lose_nothing(self) -> None:
        self.lose = lambda _event: False
