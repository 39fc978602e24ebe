"""The two stages of the pipeline at the same invoice at the same time."""

import threading

import pytest
from sqlalchemy import text

from rewards_service.kit.db import hold_stage, transaction
from rewards_service.rewards import service
from rewards_service.rewards.jobs import STAGE
from rewards_service.transactions import due
from rewards_service.transactions.models import RewardDue
from rewards_service.webhooks import jobs
from tests.builders.chargebee import event, paid, refunded
from tests.builders.world import World
from tests.redis_process import until

ADA = "ada@one.example"


def is_waiting(world: World) -> bool:
    query = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    with world.engine.connect() as connection:
        return bool(connection.execute(text(query)).scalar_one())


class TestTake:
    @pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
    def test_a_refund_that_comes_during_the_calculation_neither_fails_nor_is_lost(
        self, world: World
    ) -> None:
        """DOMAIN V9. Both write to the same transaction; SQLite lets only one write at all."""
        world.lead(ADA, world.partner())
        body = paid("p", "cb_1", ADA)
        late = body["content"].pop("invoice")
        world.receive(body)
        assert world.transaction_of("txn_p").reason == "parked_missing_parent"
        world.accept(event("ev_i", "invoice_generated", 0, invoice=late))
        jobs.drain(world.engine)
        world.accept(refunded("r", "txn_p", 5_000))
        other = threading.Thread(target=jobs.drain, args=(world.engine,))
        with transaction(world.engine) as session:
            hold_stage(session, STAGE)
            taken = due.take(session, 10, False)
            other.start()
            until(lambda: is_waiting(world) or not other.is_alive())
            service.calculate(session, {(r.integration_id, r.invoice_id): None for r in taken})
            due.forget(session, [(row.integration_id, row.invoice_id) for row in taken])
        other.join()
        assert world.event("ev_r").attempts == 0
        world.drain()
        assert world.earned() == 1_000
        assert world.all(RewardDue) == []
