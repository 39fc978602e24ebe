"""What stands in Redis, for people: queues, workers, and the jobs that failed.

Redis is only a doorbell, and anybody who can write to it may have put anything there: nothing is
trusted, nothing is run, and what cannot be read is told as such.
"""

from datetime import datetime
from typing import Any, NamedTuple

from redis import Redis
from redis.exceptions import RedisError
from rq.job import Job
from rq.registry import FailedJobRegistry, StartedJobRegistry
from rq.serializers import JSONSerializer

from rewards_service.kit.errors import Conflict, NotFound
from rewards_service.kit.log import without_secrets
from rewards_service.kit.queue import DOORBELLS, living_workers, put_job, queue_on

MOST_FAILED = 20  # of each queue
MOST_WORKERS = 100
LONGEST_TRACE = 20_000


class QueueLine(NamedTuple):
    """A queue: jobs that wait, are at work, and failed, and since when the first one waits."""

    name: str
    waiting: int
    running: int
    failed: int
    oldest_at: datetime | None


class WorkerLine(NamedTuple):
    """A worker that reported within 30 seconds, and the queue it is at, if a ring woke it."""

    name: str
    queue: str | None
    since_at: str
    done: int
    failed: int


class FailedJob(NamedTuple):
    """A job that failed; without secrets. `is_ours`: it may be tried again."""

    id: str
    queue: str
    failed_at: datetime | None
    problem: str
    traceback: str
    is_ours: bool


class ForeignJob(Conflict):
    title = "This job is none of ours: it can be removed, but not tried again."


def read_queues(connection: Redis) -> list[QueueLine]:
    """Every queue, in one round trip but for the oldest jobs. Raises RedisError."""
    pipeline = connection.pipeline(transaction=False)
    for name in DOORBELLS:
        queue = queue_on(connection, name)
        pipeline.llen(queue.key)
        pipeline.zcard(_registry(StartedJobRegistry, connection, name).key)
        pipeline.zcard(_registry(FailedJobRegistry, connection, name).key)
    counts = pipeline.execute()
    lines = []
    for place, name in enumerate(DOORBELLS):
        waiting, running, failed = counts[3 * place : 3 * place + 3]
        oldest = _oldest(connection, name) if waiting else None
        lines.append(QueueLine(name, waiting, running, failed, oldest))
    return lines


def _registry(kind: Any, connection: Redis, name: str) -> Any:
    return kind(name, connection=connection, serializer=JSONSerializer)


def _oldest(connection: Redis, name: str) -> datetime | None:
    first = connection.lindex(queue_on(connection, name).key, 0)
    job = _job(connection, first.decode(errors="replace")) if isinstance(first, bytes) else None
    return job.enqueued_at if job else None


def _job(connection: Redis, job_id: str) -> Job | None:
    """A job as it stands there; None when it is gone or cannot be read."""
    try:
        return Job.fetch(job_id, connection=connection, serializer=JSONSerializer)
    except RedisError:
        raise
    except Exception:  # what somebody else wrote may break rq anywhere
        return None


def read_workers(connection: Redis) -> list[WorkerLine]:
    """Those that live, and what they do. Raises RedisError."""
    lines = []
    for name in living_workers(connection)[:MOST_WORKERS]:
        raw: Any = connection.hgetall(f"rq:worker:{name}")
        told = {key.decode(errors="replace"): value.decode(errors="replace")
                for key, value in raw.items()}  # fmt: skip
        job = _job(connection, told["current_job"]) if told.get("current_job") else None
        counts = (_number(told.get(f"{word}_job_count")) for word in ("successful", "failed"))
        lines.append(WorkerLine(name, job.origin if job else None, told.get("birth", ""), *counts))
    return lines


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() else 0


def read_failed(connection: Redis) -> list[FailedJob]:
    """The newest failed jobs of each queue. Raises RedisError."""
    found = []
    for name in DOORBELLS:
        registry = _registry(FailedJobRegistry, connection, name)
        keys: Any = connection.zrange(registry.key, 0, MOST_FAILED - 1, desc=True)
        found += [_failed(connection, name, key.decode(errors="replace")) for key in keys]
    return found


def _failed(connection: Redis, queue: str, job_id: str) -> FailedJob:
    job = _job(connection, job_id)
    if job is None:
        return FailedJob(job_id, queue, None, "It is gone, or cannot be read.", "", False)
    try:
        result = job.latest_result()
        trace = str((result and result.exc_string) or job._exc_info or "")
    except RedisError:
        raise
    except Exception:  # as above
        trace = ""
    trace = without_secrets(trace[-LONGEST_TRACE:])
    last = trace.strip().splitlines()[-1:] or ["No error was kept."]
    return FailedJob(job_id, queue, job.ended_at, last[0][:300], trace, _is_ours(job, queue))


def _is_ours(job: Job, queue: str) -> bool:
    try:
        return job.func_name == DOORBELLS[queue] and not (job.args or job.kwargs or job.instance)
    except Exception:  # as above
        return False


def requeue(connection: Redis, queue: str, job_id: str) -> None:
    """Have a failed job tried again. Raises RedisError, NotFound, ForeignJob."""
    job = _job(connection, job_id)
    if queue not in DOORBELLS or not _is_failed(connection, queue, job_id):
        raise NotFound("There is no such failed job any more.")
    if job is None or not _is_ours(job, queue):
        raise ForeignJob
    # A fresh one: whatever else stands in the old one is not carried on.
    put_job(queue_on(connection, queue), DOORBELLS[queue])
    remove(connection, queue, job_id)


def remove(connection: Redis, queue: str, job_id: str) -> None:
    """Forget a failed job. Raises RedisError, NotFound."""
    if queue not in DOORBELLS or not _is_failed(connection, queue, job_id):
        raise NotFound("There is no such failed job any more.")
    connection.zrem(_registry(FailedJobRegistry, connection, queue).key, job_id)
    connection.delete(Job.key_for(job_id), f"rq:results:{job_id}")


def _is_failed(connection: Redis, queue: str, job_id: str) -> bool:
    key = _registry(FailedJobRegistry, connection, queue).key
    return connection.zscore(key, job_id) is not None
