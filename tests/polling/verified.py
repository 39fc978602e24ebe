"""A world that asks its simulated Chargebee before money follows."""

import json
from typing import Any

from sqlalchemy import update

from rewards_service.inbox.models import ReceivedEvent
from rewards_service.integrations import service as integrations
from rewards_service.kit.db import transaction
from rewards_service.settings import Settings
from rewards_service.simulator.api import KEY
from rewards_service.simulator.delivery import body, due, settle
from rewards_service.simulator.faults import Faults
from rewards_service.simulator.server import SimulatorServer
from rewards_service.webhooks import verifying
from tests.builders.world import World

ADA = "ada@one.example"


class Verified:
    """A world that asks its simulated Chargebee before money follows."""

    def __init__(self, world: World, settings: Settings, server: SimulatorServer) -> None:
        self.world, self.settings, self.server = world, settings, server
        world.lead(ADA, world.partner())
        server.runner.listen("http://127.0.0.1:1/", "user", "password")
        self.choose("always", api_key=KEY)

    @property
    def calls(self) -> int:
        """How often Chargebee was asked anything."""
        return self.server.site.counters.get("request", 0)

    def choose(self, mode: str, above: dict[str, int] | None = None, **more: Any) -> None:
        wanted = {"verification": {"mode": mode, "above_minor": above}, **more}
        with transaction(self.world.engine) as session:
            integrations.change_integration(
                session, self.settings, self.world.site.id, wanted, "test"
            )

    def payment(self, **given: Any) -> list[dict[str, Any]]:
        """Let somebody pay; the webhooks of it."""
        say = self.server.runner.say
        payer = say("sign_up", {"email": ADA})["customer_id"]
        bill = say("bill", {"customer_id": payer, "amount": 10_000, "currency_code": "USD"})
        say("pay", {"invoice_id": bill["invoice_id"], **given})
        found = []
        for call in due(self.server.site, Faults()):
            found.append(json.loads(body(self.server.site, call)))
            settle(self.server.site, call, True)
        return found

    def ask(self) -> int:
        return verifying.run(self.world.engine, self.settings)

    def drain(self) -> None:
        self.world.drain()
        self.ask()
        self.world.drain()

    def waits_over(self) -> None:
        with transaction(self.world.engine) as session:
            session.execute(update(ReceivedEvent).values(next_attempt_at=None))

    def standing(self) -> list[tuple[str, str | None, str | None]]:
        """(state, outcome, verification) of the payments."""
        rows = self.world.all(ReceivedEvent)
        return [
            (row.state, row.outcome, row.verification)
            for row in rows
            if row.event_type == "payment_succeeded"
        ]
