"""Figures of large books: shown as they were a moment ago, while newer ones are made aside."""

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock, Thread
from typing import Generic, NamedTuple, TypeVar

import structlog
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import snapshot

log = structlog.get_logger()
Value = TypeVar("Value")
FRESH, USABLE = timedelta(seconds=30), timedelta(minutes=10)


class Made(NamedTuple, Generic[Value]):
    """A value, and when it was made."""

    value: Value
    at: datetime


class Kept(Generic[Value]):
    """One value of one process. Who asks first, or after a long time, waits for it; nobody else."""

    def __init__(self, make: Callable[[Session], Value]) -> None:
        self._make = make
        self._made: Made[Value] | None = None
        self._first, self._begin = Lock(), Lock()
        self._is_being_made = False

    def get(self, engine: Engine) -> Made[Value]:
        """The newest value; one that is older than FRESH is made anew behind the reader's back,
        one that is not USABLE any more while the reader waits."""
        made = self._usable()
        if made is None:
            with self._first:  # one makes it, all who came meanwhile take it
                made = self._usable() or self._renew(engine)
        elif made.at < utc_now() - FRESH and self._may_begin():
            Thread(target=self._renew_aside, args=(engine,), name="figures", daemon=True).start()
        return made

    def _usable(self) -> Made[Value] | None:
        made = self._made
        return made if made is not None and made.at >= utc_now() - USABLE else None

    def _may_begin(self) -> bool:
        with self._begin:
            may, self._is_being_made = not self._is_being_made, True
        return may

    def _renew(self, engine: Engine) -> Made[Value]:
        at = utc_now()
        with snapshot(engine) as session:
            self._made = Made(self._make(session), at)
        return self._made

    def _renew_aside(self, engine: Engine) -> None:
        try:
            self._renew(engine)
        except Exception:  # the old value stays, and says how old it is
            log.exception("figures_not_renewed")
        finally:
            self._is_being_made = False
