"""/livez, /readyz and /metrics: for the machines that look after this one."""

from collections.abc import Callable, Iterable, Iterator

from flask import Blueprint, Flask, Response, current_app
from flask.typing import ResponseReturnValue
from prometheus_client.metrics_core import Metric
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from rewards_service.kit import metrics
from rewards_service.kit.db import READ_ONLY, db
from rewards_service.kit.gauges import readings
from rewards_service.kit.migrate import AHEAD, BEHIND, NEWEST, current_revision, schema_standing
from rewards_service.kit.queue import connect
from rewards_service.reports.backlog import read_backlog
from rewards_service.reports.gauges import of_business, of_process, of_queue, of_server

blueprint = Blueprint("operations", __name__)

_STANDINGS = {
    NEWEST: "The schema is the newest.",
    AHEAD: "The schema is of a newer release: an upgrade is under way.",
    BEHIND: "The schema is not the newest: run `rewards init`.",
}
_SILENT = {"ok": False, "detail": "The database does not answer. See the log."}


def init_app(app: Flask) -> None:
    """Let the metrics of this process read the backlog through `app`."""

    def read() -> metrics.Backlog:
        with app.app_context(), Session(db.engine) as session:
            session.connection(execution_options={READ_ONLY: True})
            return read_backlog(session)

    schema_standing(None)  # read now: files on the disk may be those of the next release soon
    metrics.register_backlog(read)
    redis = connect(app.extensions["rewards_settings"].redis_url)
    readings.register("queue", lambda: of_queue(redis))
    readings.register("figures", lambda: _in_session(app, of_business))
    readings.register("server", lambda: _in_session(app, of_server))
    readings.register("process", lambda: of_process(_engines(app)))


def _in_session(app: Flask, read: Callable[[Session], Iterable[Metric]]) -> list[Metric]:
    with app.app_context(), Session(db.engine) as session:
        session.connection(execution_options={READ_ONLY: True})
        return list(read(session))


def _engines(app: Flask) -> Iterator[tuple[str, Engine]]:
    with app.app_context():
        yield "requests", db.engine
    webhooks = app.extensions.get("rewards_webhooks")  # a floor beside this one, hence by name
    if webhooks is not None:
        yield "webhooks", webhooks.engine


@blueprint.get("/livez")
def livez() -> ResponseReturnValue:
    """This process answers."""
    return {"ok": True}


@blueprint.get("/readyz")
def readyz() -> ResponseReturnValue:
    """Whether this process can do its work now; 503 when a check fails.

    Redis is not among the checks: without it everything still happens, only later.
    """
    checks = {"database": _database(), "migrations": _migrations()}
    ready = all(check["ok"] for check in checks.values())
    return {"ok": ready, "checks": checks}, 200 if ready else 503


@blueprint.get("/metrics")
def get_metrics() -> ResponseReturnValue:
    """Prometheus text."""
    body, content_type = metrics.render()
    return Response(body, content_type=content_type)


def _database() -> dict[str, object]:
    try:
        with db.engine.connect().execution_options(**{READ_ONLY: True}) as connection:
            connection.execute(text("SELECT 1"))
    except SQLAlchemyError:
        current_app.logger.warning("The database does not answer", exc_info=True)
        return _SILENT
    return {"ok": True, "detail": "The database answers."}


def _migrations() -> dict[str, object]:
    try:
        standing = schema_standing(current_revision(db.engine))
    except SQLAlchemyError:
        return _SILENT
    return {"ok": standing != BEHIND, "detail": _STANDINGS[standing]}
