"""Go on with a backfill: fetch, keep, note how far it came, until it is over or time is up."""

import gc
import time
from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

import structlog
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from rewards_service.connections.access import access_of
from rewards_service.history import keeping, posting, queries, service
from rewards_service.history.fetching import AT_ONCE, Connect, Failed, Lists
from rewards_service.history.keeping import Listed
from rewards_service.history.models import POSTING, Backfill
from rewards_service.history.service import LEASE, LeaseLost
from rewards_service.integrations.models import Integration
from rewards_service.integrations.service import get_integration
from rewards_service.kit.crash_points import crash_point
from rewards_service.kit.db import READ_ONLY, transaction
from rewards_service.kit.errors import RewardsError
from rewards_service.kit.http import Patience
from rewards_service.kit.http_errors import HttpError
from rewards_service.settings import Settings

log = structlog.get_logger()

# A worker's job ends after two minutes, whatever Chargebee does.
PATIENCE = Patience(total_seconds=90.0)
PAGES_AT_ONCE = {"postgresql": 16, "sqlite": 4}  # SQLite's one writer must let others in
_WORTH_SEVERAL = 300  # requests a minute
_RENEW_SECONDS = LEASE.total_seconds() / 3
_COLLECT_EVERY = 10  # commits
Told = Callable[[Mapping[str, Any]], None]
ConnectTo = Callable[[Integration], Connect]


def to_chargebee(settings: Settings) -> ConnectTo:
    """How to connect to the site of an integration."""

    def connect_to(integration: Integration) -> Connect:
        access = access_of(settings, integration)
        return lambda: access.open(settings, PATIENCE)

    return connect_to


def lists_at_once(settings: Settings) -> int:
    """A small budget is used by one list alone; more would only wait for each other's turn."""
    limit = settings.chargebee_requests_per_minute
    return 1 if 0 < limit < _WORTH_SEVERAL else AT_ONCE


def go_on(
    engine: Engine,
    connect_to: ConnectTo,
    seconds: float,
    *,
    backfill_id: int | None = None,
    at_once: int = AT_ONCE,
    told: Told = lambda _progress: None,
) -> bool:
    """Work on a backfill that is due for so many seconds; whether there was one that was free.

    Each page is committed with the offset after it: a process that dies leaves nothing half done.
    What goes wrong is noted in the backfill, which is tried again later where that can help. told:
    gets `queries.shown` after each commit.
    """
    token = uuid4().hex
    with transaction(engine) as session:
        key = service.lease_next(session, token, backfill_id)
    if key is None:
        return False
    try:
        Run(engine, key, token, told, at_once).work(connect_to, time.monotonic() + seconds)
    except LeaseLost:
        log.info("backfill_left", backfill=key)
    except RewardsError as error:
        passes = isinstance(error, HttpError) and error.passes
        log.warning("backfill_stopped", backfill=key, code=error.code)
        _fail(engine, key, token, error.detail, passes)
    except Exception as error:
        log.exception("backfill_failed", backfill=key)
        _fail(engine, key, token, f"{type(error).__name__}: {error}", passes=True)
    return True


def _fail(engine: Engine, key: int, token: str, error: str, passes: bool) -> None:
    with transaction(engine) as session:
        service.fail(session, key, token, error, passes)


class Run:
    """One process at one backfill, for as long as it holds the lease."""

    def __init__(self, engine: Engine, key: int, token: str, told: Told, at_once: int) -> None:
        self._engine = engine
        self._key = key
        self._token = token
        self._told = told
        self._at_once = at_once
        self._commits = 0
        self._renewed_at = time.monotonic()

    def work(self, connect_to: ConnectTo, until: float) -> None:
        """Fetch, or post, until it is over or `until` of the monotonic clock. LeaseLost."""
        with Session(self._engine.execution_options(**{READ_ONLY: True})) as session:
            backfill = session.get_one(Backfill, self._key)
            integration = get_integration(session, backfill.integration_id)
            lists = queries.lists_of(session, self._key)
            session.expunge_all()
        if backfill.state == POSTING:
            posting.go_on(self._engine, backfill, self._token, until)
            return
        offsets = {one.kind: one.next_offset for one in lists if not one.is_over}
        self._fetch(connect_to(integration), integration, offsets, until)

    def _fetch(
        self,
        connect: Connect,
        integration: Integration,
        offsets: dict[str, str | None],
        until: float,
    ) -> None:
        most = PAGES_AT_ONCE[self._engine.dialect.name]
        failed: list[Failed] = []
        open_ = set(offsets)
        with Lists(connect, offsets, self._at_once) as lists:
            for found in lists.ready(most):
                pages = [one for one in found if isinstance(one, Listed)]
                failed += [one for one in found if isinstance(one, Failed)]
                if pages:
                    open_ -= self._keep(integration, pages)
                self._renew()
                if failed or time.monotonic() >= until:
                    lists.stop()
        if failed:
            raise failed[0].error
        with transaction(self._engine) as session:
            if open_:
                service.let_go(session, self._key, self._token)
            else:
                service.finish_fetching(session, self._key, self._token)

    def _keep(self, integration: Integration, pages: list[Listed]) -> set[str]:
        """Commit pages with the offsets after them; the lists that are over now."""
        at = {page.kind: page.next_offset for page in pages}
        with transaction(self._engine) as session:
            service.hold(session, self._key, self._token, attempts=0, error=None)
            now = get_integration(session, integration.id)
            service.check_live(now)
            done = keeping.keep(session, now.id, now.options_id or 0, self._token, pages)
            crash_point("backfill.page_kept")
            service.note(session, self._key, done, at)
            crash_point("backfill.offset_noted")
            shown = queries.shown(session, session.get_one(Backfill, self._key))
        crash_point("backfill.committed")
        self._renewed_at = time.monotonic()
        self._commits += 1
        if self._commits % _COLLECT_EVERY == 0:
            gc.collect()  # workers spare the collector, and a long fetch must not grow
        self._told(shown)
        return {kind for kind, offset in at.items() if offset is None}

    def _renew(self) -> None:
        """Hold on to the lease while Chargebee keeps us waiting, and notice a pause."""
        if time.monotonic() - self._renewed_at >= _RENEW_SECONDS:
            with transaction(self._engine) as session:
                service.hold(session, self._key, self._token)
            self._renewed_at = time.monotonic()
