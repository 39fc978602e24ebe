"""Rebuild every reward from the event log, beside the live tables, and compare (DOMAIN V10)."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import Connection, Engine, case, func, select, text

from rewards_service.inbox.models import ReceivedEvent
from rewards_service.kit.errors import RewardsError
from rewards_service.replay import addresses, copying, facts, journal, moments, timeline
from rewards_service.replay.facts import LIVE, REPLAYED, SECTIONS
from rewards_service.replay.scratch import scratch
from rewards_service.replay.tables import FACTS
from rewards_service.replay.timeline import Progress
from rewards_service.rewards.models import LedgerEntry, Reward
from rewards_service.transactions.models import RewardDue

LISTED = 1_000
PAGE = 2_000


class BodiesPurged(RewardsError):
    code = "bodies_purged"
    title = "Not all events have their bodies any more."


_TABLES = text("SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = current_schema()")


@dataclass(slots=True)
class Outcome:
    """What a replay came to: at most 1,000 differences are listed, `count` tells of all."""

    events: int
    rewards: int
    due: int  # invoices whose live rewards were still to be calculated: they differ of necessity
    totals: list[dict[str, Any]]  # what was rebuilt, by currency and status
    count: int = 0
    differences: list[dict[str, Any]] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return self.count == 0


def replay(live: Engine, verify: bool = True, progress: Progress = lambda _events: None) -> Outcome:
    """Let everything in the event log happen again in a scratch schema; compare if asked to.

    The live tables are only read, in one snapshot; the service may run meanwhile. `progress` is
    told how many events were handled. Raises NoPlaceToReplay, BodiesPurged.
    """
    _check_bodies(live)
    with scratch(live) as place:
        with place.open_live() as connection:
            copying.copy(connection)
            moments.gather(connection)
            addresses.gather_keys(connection)
            due = connection.execute(select(func.count()).select_from(RewardDue)).scalar_one()
            if verify:
                facts.note(connection, LIVE)
        refresh_statistics(place.engine)
        journal.undo(place.engine)
        run = timeline.play(place.engine, moments.in_order(place.engine), progress)
        with place.engine.begin() as connection:
            outcome = Outcome(run.events, _count(connection), due, _totals(connection))
            if verify:
                facts.note(connection, REPLAYED)
                _compare(connection, outcome, run.failures)
        return outcome


def _check_bodies(live: Engine) -> None:
    with live.connect() as connection:
        purged = func.count().filter(func.length(ReceivedEvent.body) == 0)
        missing, every = connection.execute(select(purged, func.count(ReceivedEvent.id))).one()
    if missing:
        raise BodiesPurged(
            f"{missing} of {every} events have no body any more (RETAIN_BODIES_DAYS), so nothing "
            "can be rebuilt from them. Their rewards are in the ledger, which `rewards check` "
            "examines; a backup from before can be replayed."
        )


def refresh_statistics(engine: Engine) -> None:
    """Fresh tables have no statistics yet, and nobody will come to make them in time.

    Of the engine's own schema only: the live tables may be large, and have theirs.
    """
    if engine.dialect.name == "postgresql":
        with engine.begin() as connection:
            tables = connection.execute(_TABLES).scalars().all()
            connection.exec_driver_sql(f"ANALYZE {', '.join(tables)}")


def _count(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(Reward)).scalar_one()


def _totals(connection: Connection) -> list[dict[str, Any]]:
    query = (
        select(Reward.currency, Reward.status, func.sum(LedgerEntry.amount_minor))
        .join(LedgerEntry, LedgerEntry.reward_id == Reward.id)
        .group_by(Reward.currency, Reward.status)
        .order_by(Reward.currency, Reward.status)
    )
    names = ("currency", "status", "amount_minor")
    return [
        dict(zip(names, (*some, int(amount)), strict=True))
        for *some, amount in connection.execute(query)
    ]


def _compare(connection: Connection, outcome: Outcome, failures: list[dict[str, Any]]) -> None:
    for difference in (*failures, *_differences(connection)):
        outcome.count += 1
        if len(outcome.differences) < LISTED:
            outcome.differences.append(difference)


def _differences(connection: Connection) -> Iterator[dict[str, Any]]:
    columns = FACTS.c
    live = func.max(case((columns.side == LIVE, columns.facts)))
    replayed = func.max(case((columns.side == REPLAYED, columns.facts)))
    query = (
        select(columns.section, columns.key, live, replayed)
        .group_by(columns.section, columns.key)
        .having((func.count() != 2) | (func.min(columns.facts) != func.max(columns.facts)))
        .order_by(columns.section.desc(), columns.key)
    )
    result = connection.execute(query.execution_options(yield_per=PAGE))
    for name, key, before, after in result:
        section = SECTIONS[name]
        yield {
            "kind": name,
            "key": dict(zip(section.key, orjson.loads(key), strict=True)),
            "live": before and dict(zip(section.facts, orjson.loads(before), strict=True)),
            "replayed": after and dict(zip(section.facts, orjson.loads(after), strict=True)),
        }
