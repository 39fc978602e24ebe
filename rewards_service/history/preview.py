"""What rewards for the past would cost: worked out for real, in a place of its own, and forgotten.

The live tables are copied as they are into a scratch, the events of the past put on its log, and
handled by the functions that handle all events. So it is the sum that posting will come to, as long
as nothing changes meanwhile; and the service goes on undisturbed.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Engine, func, literal, select
from sqlalchemy.orm import Session

from rewards_service.history import past, posting, service
from rewards_service.inbox import service as inbox
from rewards_service.inbox.models import ReceivedEvent
from rewards_service.inbox.service import Leased
from rewards_service.integrations.models import Integration
from rewards_service.integrations.service import get_integration
from rewards_service.kit.bulk import among
from rewards_service.kit.db import READ_ONLY, Base, hold_stage, table_of, transaction
from rewards_service.kit.errors import Unprocessable
from rewards_service.replay.copying import copy_table, set_sequences
from rewards_service.replay.scratch import scratch
from rewards_service.replay.service import refresh_statistics
from rewards_service.rewards import jobs as reward_jobs
from rewards_service.rewards.models import LedgerEntry, Reward
from rewards_service.transactions.models import Transaction
from rewards_service.webhooks import processing
from rewards_service.webhooks.jobs import STAGE

MOST_PAYMENTS = 5_000  # in a request: what a person is willing to wait for
_NO_LIMIT = 86_400.0
# What the computation does not read. Rewards that are due anyway are no cost of the past.
_LEFT_OUT = (
    "other_deliveries", "audit_entries", "reward_due", "backfills", "backfill_lists",
    "webhook_endpoints", "webhook_lanes", "webhook_deliveries", "webhook_attempts",
    "exports", "export_chunks", "kept_answers",
)  # fmt: skip


class TooMuchHistory(Unprocessable):
    code = "too_much_history"
    title = "There are too many payments of the past to preview them in a request."


@dataclass(slots=True)
class Cost:
    """What the past comes to. `partners`: (partner, currency) -> (rewards, minor units)."""

    payments: int
    recorded: int = 0  # payments whose customer somebody brought, or who was known
    quarantined: int = 0
    partners: dict[tuple[int, str], tuple[int, int]] = field(default_factory=dict)

    @property
    def totals(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for (_, currency), (_, amount) in self.partners.items():
            found[currency] = found.get(currency, 0) + amount
        return dict(sorted(found.items()))


def preview(
    live: Engine,
    integration_id: int,
    most: int | None = None,
    progress: Callable[[int], None] = lambda _events: None,
) -> Cost:
    """What posting the past of an integration would add, partner by partner.

    progress: told how many events were handled. Raises NotFound, NotLive, HistoryIncomplete,
    TooMuchHistory beyond `most` payments, NoPlaceToReplay.
    """
    with Session(live.execution_options(**{READ_ONLY: True})) as session:
        service.check_fetched(session, integration_id)
        number = past.count_payments(session, integration_id)
    if most is not None and number > most:
        raise TooMuchHistory(
            f"{number} payments would have to be worked out, at most {most} are in a request. Run "
            f"`rewards backfill --preview`, which has no limit."
        )
    cost = Cost(number)
    if number == 0:
        return cost
    with scratch(live) as place:
        with place.open_live() as connection:
            _copy(connection)
        refresh_statistics(place.engine)
        before = _Mark.of(place.engine)
        handled = 0
        for some in posting.to_tell(place.engine, integration_id):
            cost.quarantined += _handle(place.engine, integration_id, some)
            handled += len(some)
            progress(handled)
        reward_jobs.drain(place.engine, _NO_LIMIT)
        before.count(place.engine, cost)
    return cost


def _copy(connection: Connection) -> None:
    for name, table in Base.metadata.tables.items():
        if name not in _LEFT_OUT:
            bodies = {"body": literal(b"")} if name == "received_events" else {}
            copy_table(connection, table, bodies)
    if connection.dialect.name == "postgresql":
        set_sequences(connection)


def _handle(engine: Engine, integration_id: int, told: list[past.Told]) -> int:
    """Handle events of the past at once; how many ended in quarantine."""
    token = uuid4().hex
    with transaction(engine) as session:
        hold_stage(session, STAGE)
        integration: Integration = get_integration(session, integration_id)
        keys = posting.put_on_log(session, (integration.id, integration.options_id or 0), told)
        row = table_of(ReceivedEvent)
        session.execute(
            row.update().where(among(session, row.c.id, keys)).values(lease_token=token)
        )
        batch = processing.process(session, inbox.load(session, Leased(token, keys, alone=False)))
        return sum(ending.quarantined for ending in batch.endings.values())


@dataclass(frozen=True, slots=True)
class _Mark:
    """Where the books stood before."""

    entry: int
    transaction: int

    @classmethod
    def of(cls, engine: Engine) -> "_Mark":
        with Session(engine) as session:
            return cls(_last(session, LedgerEntry.id), _last(session, Transaction.id))

    def count(self, engine: Engine, cost: Cost) -> None:
        """What has come since."""
        with Session(engine) as session:
            new = select(func.count()).where(Transaction.id > self.transaction)
            cost.recorded = session.execute(new).scalar_one()
            for partner_id, currency, rewards, amount in self._added(session):
                if amount:
                    cost.partners[(partner_id, currency)] = rewards, int(amount)

    def _added(self, session: Session) -> Iterator[Any]:
        by = (Reward.partner_id, Reward.currency)
        rewards = func.count(LedgerEntry.reward_id.distinct())
        query = (
            select(*by, rewards, func.sum(LedgerEntry.amount_minor))
            .join(Reward, Reward.id == LedgerEntry.reward_id)
            .where(LedgerEntry.id > self.entry)
            .group_by(*by)
            .order_by(*by)
        )
        yield from session.execute(query)


def _last(session: Session, key: Any) -> int:
    return int(session.execute(select(func.coalesce(func.max(key), 0))).scalar_one())
