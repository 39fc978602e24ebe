"""A comparison with a simulated site, made at once."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from rewards_service.chargebee.operations import Chargebee
from rewards_service.integrations.service import get_integration
from rewards_service.kit.db import transaction
from rewards_service.reconciliation import jobs, service
from rewards_service.reconciliation.models import Reconciliation, ReconciliationRow
from rewards_service.reconciliation.showing import show_row
from rewards_service.reconciliation.sites import Sites
from tests.builders.world import World


class Compared(NamedTuple):
    """A comparison that is done, and its differences as the API shows them."""

    run: Reconciliation
    differences: list[dict[str, Any]]

    @property
    def found(self) -> list[tuple[str, str, str, str]]:
        """(Chargebee id, state, reason, repair) of each difference."""
        names = ("chargebee_id", "state", "reason", "repair")
        return [tuple(one[name] for name in names) for one in self.differences]


class Opens(Sites):
    """Opens the same simulated site whichever is asked for."""

    def __init__(self, site: Chargebee, is_sandbox: bool = True) -> None:
        self._site, self.is_sandbox = site, is_sandbox

    @contextmanager
    def open(self, engine: Engine, integration_id: int) -> Iterator[Chargebee]:
        yield self._site


def give_key(world: World) -> None:
    """The integration gets an API key, which nobody looks at here."""
    with transaction(world.engine) as session:
        get_integration(session, world.site.id).api_key_encrypted = "sealed"


def compared(
    world: World,
    site: Chargebee,
    *,
    repair: bool = False,
    from_on: date | None = None,
    to_on: date | None = None,
    is_sandbox: bool = True,
) -> Compared:
    give_key(world)
    with transaction(world.engine) as session:
        asked = service.ask(
            session, world.site.id, "test", from_on=from_on, to_on=to_on, repair=repair
        )
        run = service.take(session, asked.id)
    assert run is not None
    jobs.go_on(world.engine, Opens(site, is_sandbox), run, math.inf)
    return shown(world, run.id)


def shown(world: World, run_id: int) -> Compared:
    with Session(world.engine, expire_on_commit=False) as session:
        row = ReconciliationRow
        rows = session.scalars(select(row).where(row.reconciliation_id == run_id).order_by(row.id))
        found = service.get_run(session, run_id)
        assert found.error is None
        assert found.state == "done"
        return Compared(found, [show_row(one) for one in rows])
