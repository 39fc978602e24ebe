"""The job that writes the files that were asked for, and removes those whose time is over."""

import time
from contextlib import suppress

import structlog
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from rewards_service.exports import service
from rewards_service.exports.making import Maker
from rewards_service.exports.models import Export
from rewards_service.kit.beside import Beside
from rewards_service.kit.db import READ_ONLY, transaction
from rewards_service.kit.errors import RewardsError

log = structlog.get_logger()

_beside = Beside("exports")


def drain_exports() -> int:
    """Go on with what is due, beside the caller: events must not wait for that.

    Safe in many processes. Returns 0 at once.
    """
    maker = Maker()
    with Session(maker.engine.execution_options(**{READ_ONLY: True})) as session:
        is_due = service.has_due(session)
    if is_due:
        _beside.start(lambda: drain(maker))
    return 0


def drain(maker: Maker) -> int:
    """Clean up, then write one file after another while there are any; how many were begun."""
    with transaction(maker.engine) as session:
        service.expire(session)
    done = 0
    while True:
        with transaction(maker.engine) as session:
            export = service.take(session)
        if export is None:
            return done
        with suppress(service.TakenOver):
            _go_on(maker, export)
        done += 1


def _go_on(maker: Maker, export: Export) -> None:
    began = time.monotonic()
    try:
        maker.make(export)
    except service.TakenOver:
        raise
    except RewardsError as problem:
        _note(maker.engine, export, problem.detail, passes=problem.status >= 500)
    except Exception:
        log.exception("export_failed", export=export.id, of=export.path)
        _note(
            maker.engine, export, "Something went wrong on our side; it is in the log.", passes=True
        )
    else:
        seconds = round(time.monotonic() - began, 1)
        log.info("exported", export=export.id, of=export.path, seconds=seconds)


def _note(engine: Engine, export: Export, error: str, passes: bool) -> None:
    with transaction(engine) as session:
        service.fail(session, export, error, passes)
