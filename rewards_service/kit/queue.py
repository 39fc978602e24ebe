"""Doorbells: jobs without arguments that tell a worker to look into the database.

The database is the record. A ring that is late, lost or doubled costs seconds, never an event:
workers and the scheduler sweep the tables by themselves. So nothing here may fail or slow a caller.
"""

import logging
import os
import threading
import time
from collections.abc import Mapping
from types import MappingProxyType
from weakref import WeakSet

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError
from redis.retry import Retry
from rq import Queue
from rq.serializers import JSONSerializer

logger = logging.getLogger(__name__)

EVENTS = "events"
REWARDS = "rewards"
PAYOUTS = "payouts"
TIMERS = "timers"
BACKFILLS = "backfills"
POLLS = "polls"
VERIFICATIONS = "verifications"
RECONCILIATIONS = "reconciliations"
EXPORTS = "exports"
HOUSEKEEPING = "housekeeping"
WEBHOOKS = "webhooks"
# The closed list of what a job may name. Dotted, because kit must not import the packages above it.
DOORBELLS: Mapping[str, str] = MappingProxyType(
    {
        EVENTS: "rewards_service.webhooks.jobs.drain_events",
        REWARDS: "rewards_service.rewards.jobs.drain_rewards",
        PAYOUTS: "rewards_service.payouts.jobs.drain_payouts",
        TIMERS: "rewards_service.rewards.timers.run_due",
        BACKFILLS: "rewards_service.history.jobs.drain_backfills",
        POLLS: "rewards_service.polling.jobs.run_due",
        VERIFICATIONS: "rewards_service.webhooks.verifying.run_due",
        RECONCILIATIONS: "rewards_service.reconciliation.jobs.drain_reconciliations",
        EXPORTS: "rewards_service.exports.jobs.drain_exports",
        HOUSEKEEPING: "rewards_service.retention.jobs.run_due",
        WEBHOOKS: "rewards_service.outbound.jobs.drain_webhooks",
    }
)
JOB_TIMEOUT_SECONDS = 120
FAILED_JOB_SECONDS = 86_400
HEARTBEAT_PREFIX = "rewards:worker:"

RING_INTERVAL_SECONDS = 0.02
BREAKER_SECONDS = 1.0
REDIS_TIMEOUT_SECONDS = 0.2


def connect(redis_url: str, timeout: float = REDIS_TIMEOUT_SECONDS) -> Redis:
    """A client that gives up after `timeout` seconds; nothing is sent yet, no try is repeated."""
    return Redis.from_url(
        redis_url,
        socket_connect_timeout=timeout,
        socket_timeout=timeout,
        retry=Retry(NoBackoff(), 0),
    )


def queue_on(connection: Redis, name: str) -> Queue:
    return Queue(name, connection=connection, serializer=JSONSerializer)


def put_job(queue: Queue, function: str) -> None:
    """Add a job without arguments that calls this function (dotted). Raises RedisError."""
    queue.enqueue_call(
        function,
        timeout=JOB_TIMEOUT_SECONDS,
        result_ttl=0,
        failure_ttl=FAILED_JOB_SECONDS,
        description=queue.name,
    )


def eviction_problem(connection: Redis) -> str | None:
    """Why this Redis must not be used: it may throw doorbells away. None when it keeps them.

    A server that does not let us read its configuration gets a warning in the log and passes.
    Raises RedisError when it cannot be reached.
    """
    try:
        policy = connection.config_get("maxmemory-policy").get("maxmemory-policy")
    except ResponseError as error:
        logger.warning(
            "Redis does not show its maxmemory-policy (%s); it must be noeviction", error
        )
        return None
    if policy in (None, "noeviction"):
        return None
    return (
        f"Redis has maxmemory-policy {policy}: when its memory is full it would drop waiting jobs "
        "without a trace. Set 'maxmemory-policy noeviction' in its configuration, then start again."
    )


def living_workers(connection: Redis) -> list[str]:
    """Names of the workers that reported within the last 30 seconds. Raises RedisError."""
    keys = connection.scan_iter(match=f"{HEARTBEAT_PREFIX}*", count=500)
    return sorted(key.decode().removeprefix(HEARTBEAT_PREFIX) for key in keys)


class Doorbell:
    """Rings queues from a thread of its own, so that callers never wait for Redis.

    Rings of one queue within 20 ms become one, and a queue that still holds a waiting job is left
    alone: that job will look later than now anyway. After a failure Redis is left alone for a
    second; the ring stays wanted and is tried again.
    """

    def __init__(self, redis_url: str, targets: Mapping[str, str] = DOORBELLS) -> None:
        self._redis_url = redis_url
        self._targets = dict(targets)
        self._reset()
        _doorbells.add(self)

    def ring(self, queue_name: str) -> None:
        """Ask for a ring of one queue, a key of the closed list; microseconds, never an error."""
        if queue_name in self._wanted:
            return
        if queue_name not in self._targets:
            logger.error("There is no queue %r to ring", queue_name)
            return
        with self._changed:
            self._wanted.add(queue_name)
            self._changed.notify_all()
            if self._thread is None:
                self._start_thread()

    def flush(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds until every ring is delivered; say whether they all are."""
        with self._changed:
            return self._changed.wait_for(lambda: not (self._wanted or self._ringing), timeout)

    def _reset(self) -> None:
        self._changed = threading.Condition()
        self._wanted: set[str] = set()
        self._ringing = False
        self._failing = False
        self._thread: threading.Thread | None = None
        self._queues: dict[str, Queue] = {}

    def _start_thread(self) -> None:
        thread = threading.Thread(target=self._run, name="doorbell", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # no more threads, or the interpreter is going down: a sweep will see
            logger.warning("No thread could be started for the doorbell")
        else:
            self._thread = thread

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._wanted))
                # Taken before ringing: a wish that comes from here on is a new one.
                asked = sorted(self._wanted)
                self._wanted.clear()
                self._ringing = True
            missed = self._deliver(asked)
            with self._changed:
                self._wanted.update(missed)
                self._ringing = False
                self._changed.notify_all()
            time.sleep(BREAKER_SECONDS if missed else RING_INTERVAL_SECONDS)

    def _deliver(self, asked: list[str]) -> list[str]:
        """Ring each queue; the names that could not be rung."""
        for done, name in enumerate(asked):
            try:
                self._enqueue(name)
            except Exception as error:  # whatever it is, the thread must live on
                self._note_failure(error)
                return asked[done:]
        if self._failing:
            self._failing = False
            logger.info("The doorbell reaches Redis again")
        return []

    def _enqueue(self, name: str) -> None:
        if not self._queues:
            connection = connect(self._redis_url)
            self._queues = {target: queue_on(connection, target) for target in self._targets}
        queue = self._queues[name]
        if queue.connection.llen(queue.key) == 0:
            put_job(queue, self._targets[name])

    def _note_failure(self, error: Exception) -> None:
        if not self._failing:
            self._failing = True
            expected = isinstance(error, RedisError | OSError)
            logger.warning(
                "The doorbell cannot reach Redis (%s); work goes on by sweeps of the database",
                error,
                exc_info=None if expected else error,
            )


_doorbells: WeakSet[Doorbell] = WeakSet()


def _forget_parent() -> None:
    # A fork copies locks as they stand, perhaps held, and no threads.
    for doorbell in tuple(_doorbells):
        doorbell._reset()


os.register_at_fork(after_in_child=_forget_parent)
