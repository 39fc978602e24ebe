"""The queue: what waits, who works, what failed, and what runs when."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from redis import Redis
from redis.exceptions import RedisError

from rewards_service.admin import doing
from rewards_service.admin.inspect import schedules
from rewards_service.admin.pages import Pages, actor, show
from rewards_service.audit.service import record
from rewards_service.kit import queue_view
from rewards_service.kit.queue import connect
from rewards_service.kit.queue_view import FailedJob, QueueLine, WorkerLine
from rewards_service.kit.web import current_session, current_settings
from rewards_service.reports.backlog import read_backlog

blueprint = Pages("queue_pages", url_prefix="/queue")
# What the jobs of a queue do, and when they run besides at a ring.
WORK = {
    "events": ("matches payments and records transactions", "when an event arrives"),
    "rewards": ("works out rewards", "when something about an invoice changed"),
    "payouts": ("makes payout drafts", "on the days of the payout schedules"),
    "timers": ("ends holds, approves what became available", "when a day begins"),
    "backfills": ("imports a site's history", "after somebody asked for it"),
    "polls": ("reads the event logs of sites", "every 5 minutes for each site with an API key"),
    "verifications": ("asks Chargebee about events", "when an event is to be confirmed"),
    "reconciliations": ("compares sites with what is held here", "every night, and when asked"),
    "exports": ("writes files", "after somebody asked for one"),
    "housekeeping": ("forgets what is over", "when something expires, and daily"),
    "webhooks": ("sends our own webhooks", "when something is to be told"),
}


class Seen(NamedTuple):
    """What stands in Redis; `problem` says why nothing is known of it."""

    queues: Sequence[QueueLine]
    workers: Sequence[WorkerLine]
    failed: Sequence[FailedJob]
    problem: str = ""


@blueprint.page("", permission="queue:read")
def show_queue() -> ResponseReturnValue:
    """All of it, now."""
    session = current_session()
    seen = _look()
    return show(
        "queue/queue.html",
        seen=seen, backlog=read_backlog(session), work=WORK,
        schedules=schedules.read_schedules(session), begun=_begun,
    )  # fmt: skip


def _look() -> Seen:
    connection = connect(current_settings().redis_url)
    try:
        return Seen(
            queue_view.read_queues(connection), queue_view.read_workers(connection),
            queue_view.read_failed(connection),
        )  # fmt: skip
    except (RedisError, OSError, UnicodeError) as problem:
        return Seen((), (), (), type(problem).__name__)
    finally:
        connection.close()


def _begun(text: str) -> datetime | None:
    """When a worker began, as rq writes it; None when that is no time."""
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None


@blueprint.page("/requeue", permission="queue:write", methods=("POST",))
def requeue_job() -> ResponseReturnValue:
    """Try a failed job again."""
    return _change("queue.job_requeued", queue_view.requeue, "The job is in its queue again.")


@blueprint.page("/remove", permission="queue:write", methods=("POST",))
def remove_job() -> ResponseReturnValue:
    """Forget a failed job."""
    return _change("queue.job_removed", queue_view.remove, "The job is gone. Its rows are not.")


def _change(
    action: str, change: Callable[[Redis, str, str], None], said: str
) -> ResponseReturnValue:
    queue, job_id = request.form.get("queue", "")[:50], request.form.get("job", "")[:200]
    connection = connect(current_settings().redis_url)
    try:
        if doing.attempt(lambda: change(connection, queue, job_id), said):
            _note(action, queue, job_id)
    except (RedisError, OSError):
        flash("Redis does not answer. Nothing was changed; work goes on without it.", "danger")
    finally:
        connection.close()
    return redirect(url_for("queue_pages.show_queue"), 303)


def _note(action: str, queue: str, job_id: str) -> None:
    detail: dict[str, Any] = {"queue": queue, "job": job_id}
    record(current_session(), action, ("job", 0), detail, actor())
