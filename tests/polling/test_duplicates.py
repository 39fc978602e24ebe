"""One event that both the log and the webhook bring."""

import json

from rewards_service.inbox.models import OtherDelivery, ReceivedEvent
from tests.builders.world import World
from tests.polling.conftest import Sandbox


class TestDuplicates:
    def test_a_webhook_after_the_log_is_noted_and_no_other_body(self, world: World) -> None:
        sandbox = Sandbox(steps=3)
        bodies = sandbox.webhooks()
        sandbox.read(world)

        world.accept(*bodies, *bodies)

        events = world.all(ReceivedEvent)
        assert len(events) == len(bodies)
        assert all(event.webhook_at is not None for event in events)
        assert not any(event.other_body_seen for event in events)

    def test_a_webhook_that_says_something_else_than_the_log_is_kept_beside_it(
        self, world: World
    ) -> None:
        sandbox = Sandbox(steps=3)
        forged = json.loads(sandbox.webhooks()[0])
        forged["content"]["forged"] = 1
        sandbox.read(world)

        world.accept(forged)

        assert world.event(forged["id"]).other_body_seen
        assert len(world.all(OtherDelivery)) == 1
