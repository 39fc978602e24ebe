"""The checks of `rewards doctor`: each says what it found and, where needed, the remedy."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from redis.exceptions import RedisError
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from rewards_service.cli.connections import connections
from rewards_service.cli.database_checks import check_database, check_schema
from rewards_service.cli.databases import open_engine, reading
from rewards_service.connections.checks import Check
from rewards_service.connections.endpoint import PORTS
from rewards_service.inbox import verification
from rewards_service.inbox.models import ReceivedEvent
from rewards_service.integrations import gaps
from rewards_service.integrations.models import Integration
from rewards_service.kit import crypto, ids
from rewards_service.kit.clock import rfc3339, utc_now
from rewards_service.kit.db import Base
from rewards_service.kit.errors import RewardsError
from rewards_service.kit.presence import living_schedulers
from rewards_service.kit.queue import connect, eviction_problem, living_workers
from rewards_service.kit.sealed import KeyMissing, check_openable
from rewards_service.polling.service import NEEDS_A_PERSON
from rewards_service.settings import Settings

STALE = timedelta(days=7)
REDIS_SECONDS = 2.0


def examine(settings: Settings, offline: bool = False) -> list[Check]:
    """Run every check; what depends on the database is left out where there is none.

    offline: Chargebee is not asked.
    """
    found = []
    with open_engine(settings) as engine:
        schema = check_schema(engine)
        found.append(schema)
        if schema.ok:
            found += [*check_database(engine), *_integrations(engine, settings), *_polls(engine)]
            if not offline:
                found += connections(engine, settings)
        keys = (_missing_key(engine, settings) if schema.ok else None) or _keys(settings)
    return [*found, *_queue(settings), keys, _base_url(settings)]


def _queue(settings: Settings) -> Iterator[Check]:
    connection = connect(settings.redis_url, REDIS_SECONDS)
    try:
        problem = eviction_problem(connection)
        workers, schedulers = living_workers(connection), living_schedulers(connection)
    except RedisError as error:
        detail = f"Redis does not answer ({type(error).__name__})."
        start = (
            "Start the service: make run"
            if settings.embedded_redis
            else ("Start it, or correct REDIS_URL. Until then events wait for the sweep.")
        )
        yield Check("redis", False, detail, start)
        yield Check("workers", False, "Without Redis it cannot be told.", "Mend Redis first.")
        return
    finally:
        connection.close()
    if problem:
        yield Check("redis", False, problem, "Set maxmemory-policy noeviction.")
    else:
        yield Check("redis", True, "Redis answers and drops nothing (noeviction).")
    if workers:
        yield Check("workers", True, f"Alive: {', '.join(workers)}.")
    else:
        remedy = "Start one: rewards worker (make run starts one as well)."
        yield Check("workers", False, "No worker reported within 30 seconds.", remedy)
    if schedulers:
        yield Check("scheduler", True, f"Alive: {', '.join(schedulers)}.")
    else:
        detail = "No scheduler looked within 30 seconds; workers find most of it by themselves."
        remedy = "Start one: rewards scheduler (make run starts one as well)."
        yield Check("scheduler", True, detail, remedy, warning=True)


def _missing_key(engine: Engine, settings: Settings) -> Check | None:
    from rewards_service import app  # noqa: F401 - brings in every table

    try:
        check_openable(reading(engine), Base.metadata, settings.encryption_keys)
    except KeyMissing as error:
        return Check("keys", False, error.title, error.detail)
    return None


def _keys(settings: Settings) -> Check:
    try:
        crypto.decrypt(settings.encryption_keys, crypto.encrypt(settings.encryption_keys, "well"))
    except (RewardsError, ValueError):
        return Check("keys", False, "ENCRYPTION_KEYS do not work.", "Make new Fernet keys.")
    kept = f" Back up {settings.var_dir}: made keys lie there." if settings.embedded_redis else ""
    return Check("keys", True, f"SECRET_KEY and ENCRYPTION_KEYS are there.{kept}")


def _base_url(settings: Settings) -> Check:
    parts = urlsplit(settings.base_url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    detail = f"BASE_URL is {settings.base_url}."
    if port not in PORTS:
        remedy = f"Chargebee posts to ports {', '.join(map(str, PORTS))} only: set BASE_URL to one."
        return Check("base_url", True, detail, remedy, warning=True)
    if parts.scheme != "https":
        remedy = "Passwords and payments travel in the clear: give it TLS and an https address."
        return Check("base_url", True, detail, remedy, warning=True)
    return Check("base_url", True, detail)


def _integrations(engine: Engine, settings: Settings) -> Iterator[Check]:
    newest = (
        select(ReceivedEvent.integration_id, func.max(ReceivedEvent.received_at).label("at"))
        .group_by(ReceivedEvent.integration_id)
        .subquery()
    )
    query = (
        select(Integration, newest.c.at)
        .outerjoin(newest, newest.c.integration_id == Integration.id)
        .where(Integration.deleted_at.is_(None))
        .order_by(Integration.id)
    )
    with Session(reading(engine)) as session:
        for integration, heard_at in session.execute(query):
            for look in _LOOKS:
                problem = look(integration, heard_at)
                if problem is not None:
                    yield _warning(settings, integration, *problem)


def _warning(settings: Settings, integration: Integration, detail: str, remedy: str) -> Check:
    name = f"{integration.site} ({ids.encode('int', integration.id)})"
    address = f"{settings.base_url}/webhooks/chargebee/..."
    remedy = remedy.format(address=address)
    return Check("integration", True, f"{name}: {detail}", remedy, warning=True)


def _polls(engine: Engine) -> Iterator[Check]:
    """What Chargebee's event log says of the webhook, and how the reading of that log goes."""
    query = select(Integration).where(Integration.deleted_at.is_(None)).order_by(Integration.id)
    with Session(reading(engine)) as session:
        integrations = session.scalars(query).all()
        health = gaps.polling_health(session, integrations)
        waiting = verification.count_wanted(session)
    for item in integrations:
        found, name = health[item.id], f"{item.site} ({ids.encode('int', item.id)})"
        problem, webhook = found["polling"]["problem"], found["webhook"]
        if problem is not None:
            detail = f"{name}: its event log cannot be read since {rfc3339(problem['since'])}. "
            remedy = "Mend it, then: rewards poll. What the webhook misses is not here until then."
            refused = problem["code"] in NEEDS_A_PERSON
            yield Check("polling", not refused, detail + problem["detail"], remedy, not refused)
        if webhook["silent_since"] is not None:
            detail = f"{name}: the webhook brings nothing since {rfc3339(webhook['silent_since'])}"
            remedy = "In Chargebee, look whether the webhook is still on; see rewards gaps."
            yield Check("webhook", True, f"{detail}, only the event log does.", remedy, True)
    if waiting:
        detail = f"{waiting} events wait until Chargebee was asked whether they are its own."
        remedy = "GET /api/v1/events?state=pending says why, in `verification`."
        yield Check("verification", True, detail, remedy, True)


_Problem = tuple[str, str] | None


def _speaks_v1(integration: Integration, _heard_at: datetime | None) -> _Problem:
    if integration.api_v1_seen_at is None:
        return None
    detail = f"events in API version 1 came, lastly at {rfc3339(integration.api_v1_seen_at)}."
    return detail, "In Chargebee, set the webhook's API version to v2; then replay those events."


def _names_another_site(integration: Integration, _heard_at: datetime | None) -> _Problem:
    if integration.other_site_seen is None:
        return None
    detail = f"its events name the site {integration.other_site_seen}."
    return detail, "Make sure that the webhook is set up in the right Chargebee site."


def _is_silent(integration: Integration, heard_at: datetime | None) -> _Problem:
    if heard_at is None:
        remedy = "In Chargebee, add a webhook to {address}, or run: rewards connect make"
        return "no webhook was ever received.", remedy
    if utc_now() - heard_at > STALE:
        detail = f"the last event came {rfc3339(heard_at)}."
        return detail, "In Chargebee, look whether the webhook is still on and what it reports."
    return None


_LOOKS: tuple[Callable[[Integration, datetime | None], _Problem], ...] = (
    _speaks_v1, _names_another_site, _is_silent,
)  # fmt: skip
