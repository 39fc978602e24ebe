"""/livez, /readyz and /metrics: for the machines that look after this one."""

from flask import Blueprint, Flask, Response, current_app
from flask.typing import ResponseReturnValue
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from rewards_service.kit import metrics
from rewards_service.kit.db import READ_ONLY, db
from rewards_service.kit.migrate import current_revision, newest_revision
from rewards_service.reports.backlog import read_backlog

blueprint = Blueprint("operations", __name__)

_SILENT = {"ok": False, "detail": "The database does not answer. See the log."}


def init_app(app: Flask) -> None:
    """Let the metrics of this process read the backlog through `app`."""

    def read() -> metrics.Backlog:
        with app.app_context(), Session(db.engine) as session:
            session.connection(execution_options={READ_ONLY: True})
            return read_backlog(session)

    metrics.register_backlog(read)


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
        current, newest = current_revision(db.engine), newest_revision()
    except SQLAlchemyError:
        return _SILENT
    if current != newest:
        return {"ok": False, "detail": "The schema is not the newest: run `rewards init`."}
    return {"ok": True, "detail": "The schema is the newest."}
