"""RQ's side of a worker: one job at a time, from a closed list, in this process."""

import logging
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from redis import Redis
from redis.exceptions import RedisError
from rq import SimpleWorker
from rq.exceptions import DequeueTimeout
from rq.job import Job
from rq.queue import Queue
from rq.serializers import JSONSerializer
from rq.worker import DequeueStrategy

from rewards_service.kit.clock import rfc3339, utc_now
from rewards_service.kit.queue import HEARTBEAT_PREFIX

logger = logging.getLogger(__name__)

Drain = Callable[[], int]

HEARTBEAT_TTL_SECONDS = 30
WORKER_TTL_SECONDS = 20
# Servers before 7.0 cut a wait to whole milliseconds, and take 0 for "for ever".
SHORTEST_WAIT_SECONDS = 0.01

# What a job holds, besides its function, to make a worker call, repeat or fetch something.
_SIDE_DOORS = (
    "_success_callback_name",
    "_failure_callback_name",
    "_stopped_callback_name",
    "webhooks",
    "retries_left",
    "repeats_left",
)


class ForeignJob(Exception):
    """A job that our doorbell did not write; it is marked as failed, nothing of it is run."""


class DoorbellJob(Job):
    """A job that can only ever call one of `drains`; whoever writes to Redis runs nothing else."""

    drains: ClassVar[Mapping[str, Drain]] = {}
    side_doors: tuple[str, ...] = ()

    def restore(self, raw_data: Any) -> None:
        super().restore(raw_data)
        self.side_doors = tuple(name for name in _SIDE_DOORS if getattr(self, name))
        # Emptied at once, because RQ follows them on failure too, so also for a job we refuse.
        for name in self.side_doors:
            setattr(self, name, type(getattr(self, name))())

    def perform(self) -> Any:
        if self.func_name not in self.drains:
            raise ForeignJob(f"{self.func_name!r} is not one of our jobs.")
        if self.instance or self.args or self.kwargs or self.side_doors:
            raise ForeignJob("Our jobs carry no arguments, callbacks, webhooks or retries.")
        return super().perform()

    def _execute(self) -> int:
        return self.drains[str(self.func_name)]()


class Listener(SimpleWorker):
    """RQ's side of the worker: registered, waits for one ring and runs it in this process.

    RQ's own loop is not used: it ends at the first time-out of Redis, talks to Redis inside its
    signal handler, and does nothing while Redis is away. Nor are its remote commands: they could
    stop a worker from outside.
    """

    def __init__(
        self, connection: Redis, name: str, queues: list[str], drains: Mapping[str, Drain]
    ):
        # RQ makes jobs from a class, not from an object, so the closed list goes with the class.
        job_class = type("BoundJob", (DoorbellJob,), {"drains": dict(drains)})
        super().__init__(
            queues,
            name=name,
            connection=connection,
            job_class=job_class,
            serializer=JSONSerializer,
            worker_ttl=WORKER_TTL_SECONDS,
            log_job_description=False,
        )
        # In turn, so that a stream of events cannot keep the rewards waiting.
        self._dequeue_strategy = DequeueStrategy.ROUND_ROBIN

    def _set_connection(self, connection: Redis) -> Redis:
        return connection  # RQ would lengthen the time-outs of the connection

    def _set_ip_address(self, connection: Redis) -> None:
        self.ip_address = "unknown"  # RQ would ask Redis for the list of all its clients

    def announce(self) -> None:
        """Say that this worker lives, in full where Redis has forgotten it. Raises RedisError."""
        if not self.connection.sismember(self.redis_workers_keys, self.key):
            self.connection.delete(self.key)
            self.register_birth()  # type: ignore[no-untyped-call]
        self.heartbeat()
        key = HEARTBEAT_PREFIX + self.name
        self.connection.set(key, rfc3339(utc_now()), ex=HEARTBEAT_TTL_SECONDS)

    def answer(self, wait_seconds: float) -> bool:
        """Run one job, if one comes within `wait_seconds`. Raises RedisError, nothing else."""
        found = self._dequeue(wait_seconds)
        if found is None:
            return False
        job, queue = found
        self.reorder_queues(queue)
        try:
            self.execute_job(job, queue)
        except RedisError:
            raise
        except Exception:  # RQ's bookkeeping failed over what stands in the job
            logger.exception("Job %s could not be put on record", job.id)
        return True

    def tidy(self) -> None:
        """RQ's upkeep of its registries, every ten minutes. Raises RedisError."""
        if self.should_run_maintenance_tasks:
            try:
                self.clean_registries()  # type: ignore[no-untyped-call]
            except (ValueError, TypeError) as error:  # a job somebody wrote by hand
                logger.warning("RQ's registries could not be tidied: %s", error)
                self.last_cleaned_at = utc_now()  # type: ignore[assignment]

    def leave(self) -> None:
        self.connection.delete(HEARTBEAT_PREFIX + self.name)
        self.register_death()  # type: ignore[no-untyped-call]

    def _dequeue(self, wait_seconds: float) -> tuple[Job, Queue] | None:
        wait = wait_seconds if wait_seconds >= SHORTEST_WAIT_SECONDS else None
        try:
            return self.queue_class.dequeue_any(
                self._ordered_queues,
                wait,  # type: ignore[arg-type]  # Redis takes fractions
                connection=self.connection,
                job_class=self.job_class,
                serializer=self.serializer,
            )
        except DequeueTimeout:
            return None
        except RedisError:
            raise
        except Exception as error:
            self._discard(error)
            return None

    def _discard(self, error: Exception) -> None:
        # RQ's worker would end here, and end again at the same job after each start.
        job_id = getattr(error, "job_id", None)
        logger.error("An unreadable job (%s) was thrown away: %r", job_id, error)
        if job_id is not None:
            self.connection.delete(Job.key_for(job_id))
            for queue in self.queues:
                self.connection.lrem(queue.intermediate_queue_key, 0, job_id)
