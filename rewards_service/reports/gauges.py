"""What the metrics tell beside the backlog: the queue, who lives, pools, money that is stuck."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from prometheus_client.metrics_core import Metric
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import Engine, Table, func, select, text
from sqlalchemy.orm import Session
from sqlalchemy.pool import QueuePool

from rewards_service import __version__
from rewards_service.inbox.models import PENDING, WEBHOOK, ReceivedEvent
from rewards_service.integrations.gaps import TEST_EVENT
from rewards_service.integrations.models import EventPoll, Integration
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import Base
from rewards_service.kit.gauges import gauge, gauges
from rewards_service.kit.presence import living_schedulers
from rewards_service.kit.queue import living_workers
from rewards_service.kit.queue_view import read_queues
from rewards_service.payouts.models import Payout
from rewards_service.transactions.models import RewardDue

STUCK_AFTER = timedelta(days=7)  # a payout that is to be paid, and nobody says that it was


def of_business(session: Session) -> Iterator[Metric]:
    """What waits longer than it should, and when something last came."""
    failed = select(func.count()).where(ReceivedEvent.state == PENDING, ReceivedEvent.attempts > 0)
    yield gauge(
        "rewards_events_failed", "Waiting events that failed before.", _number(session, failed)
    )
    dead = select(func.count()).select_from(RewardDue).where(RewardDue.dead.is_(True))
    yield gauge("rewards_reward_due_dead", "Invoices given up on.", _number(session, dead))
    newest = _newest_webhook(session)
    if newest is not None:  # before the first one there is no time to tell
        text_ = "When a webhook of Chargebee last brought an event, as a UNIX time."
        yield gauge("rewards_webhook_last_event_timestamp_seconds", text_, newest.timestamp())
    yield gauges(
        "rewards_poll_lag_seconds", "Since when an event log was not read to its end.",
        ("site",), _poll_lags(session),
    )  # fmt: skip
    stuck = select(func.count()).where(
        Payout.status == "ready", Payout.ready_at < utc_now() - STUCK_AFTER
    )
    yield gauge("rewards_payouts_stuck", "Payouts ready for 7 days.", _number(session, stuck))
    problem = select(func.count()).where(Payout.status == "draft", Payout.problem.is_not(None))
    yield gauge(
        "rewards_payouts_with_problem", "Payouts that cannot be made ready.",
        _number(session, problem),
    )  # fmt: skip
    yield gauges(
        "rewards_reconciliation_differences", "Objects that differed at the newest comparison.",
        ("site",), _differences(session),
    )  # fmt: skip


def _number(session: Session, query: object) -> int:
    return int(session.execute(query).scalar_one())  # type: ignore[call-overload]


def _newest_webhook(session: Session) -> datetime | None:
    own = ReceivedEvent
    query = select(own.received_at).where(own.source == WEBHOOK, own.event_type != TEST_EVENT)
    return session.scalars(query.order_by(own.id.desc()).limit(1)).first()


def _poll_lags(session: Session) -> Iterator[tuple[tuple[str], float]]:
    now = utc_now()
    query = (
        select(Integration.site, EventPoll.succeeded_at, Integration.created_at)
        .join(EventPoll, EventPoll.integration_id == Integration.id)
        .where(Integration.deleted_at.is_(None), Integration.api_key_encrypted.is_not(None))
        .order_by(Integration.site)
    )
    for site, succeeded_at, created_at in session.execute(query):
        yield (site,), max(0.0, (now - (succeeded_at or created_at)).total_seconds())


def _differences(session: Session) -> Iterator[tuple[tuple[str], float]]:
    """Of each site, by its newest comparison, which lives a floor up, hence by name."""
    runs: Table = Base.metadata.tables["reconciliations"]
    newest = (
        select(runs.c.integration_id, func.max(runs.c.id).label("id"))
        .where(runs.c.state == "done")
        .group_by(runs.c.integration_id)
        .subquery()
    )
    query = (
        select(Integration.site, runs.c.counts)
        .join(newest, newest.c.integration_id == Integration.id)
        .join(runs, runs.c.id == newest.c.id)
        .where(Integration.deleted_at.is_(None))
        .order_by(Integration.site)
    )
    for site, counts in session.execute(query):
        yield (site,), sum(number for state, number in counts.items() if state != "equal")


def of_queue(connection: Redis) -> Iterator[Metric]:
    """Whether Redis answers, who lives, and what waits there."""
    try:
        workers, schedulers = living_workers(connection), living_schedulers(connection)
        lines = read_queues(connection)
    except RedisError:
        yield gauge("rewards_redis_up", "Whether Redis answers.", 0)
        return
    now = utc_now()
    yield gauge("rewards_redis_up", "Whether Redis answers.", 1)
    yield gauge("rewards_workers_alive", "Workers that reported within 30 s.", len(workers))
    yield gauge("rewards_schedulers_alive", "Schedulers that looked within 30 s.", len(schedulers))
    names = ("waiting", "running", "failed")
    yield gauges(
        "rewards_queue_jobs", "Rings in Redis.", ("queue", "state"),
        [((line.name, name), getattr(line, name)) for line in lines for name in names],
    )  # fmt: skip
    yield gauges(
        "rewards_queue_oldest_seconds", "Age of the oldest ring that waits.", ("queue",),
        [((line.name,), (now - line.oldest_at).total_seconds() if line.oldest_at else 0.0)
         for line in lines],
    )  # fmt: skip


def of_server(session: Session) -> Iterator[Metric]:
    """What PostgreSQL tells of itself; nothing of SQLite."""
    if session.get_bind().dialect.name != "postgresql":
        return
    row = session.execute(
        text(
            "SELECT count(*), current_setting('max_connections')::int,"
            " coalesce(extract(epoch FROM max(clock_timestamp() - xact_start)), 0)"
            " FROM pg_stat_activity WHERE backend_type = 'client backend'"
        )
    ).one()
    yield gauge("rewards_database_connections", "Connections to the server.", row[0])
    yield gauge("rewards_database_connections_max", "How many it allows.", row[1])
    yield gauge(
        "rewards_database_oldest_transaction_seconds", "Age of the oldest transaction.",
        float(row[2]),
    )  # fmt: skip


def of_process(engines: Iterable[tuple[str, Engine]]) -> Iterator[Metric]:
    """The release, and the connections of the process that answers."""
    build = "The release that answers."
    yield gauges("rewards_build_info", build, ("version",), [((__version__,), 1)])
    pools = [(name, engine.pool) for name, engine in engines]
    yield gauges(
        "rewards_database_pool_in_use", "Connections that are lent, of the process that answers.",
        ("pool",),
        [((name,), pool.checkedout()) for name, pool in pools if isinstance(pool, QueuePool)],
    )  # fmt: skip
