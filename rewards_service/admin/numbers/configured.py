"""What is configured, for people to see: what is secret is only said to be set."""

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import NamedTuple

from redis.exceptions import RedisError
from sqlalchemy import Engine, make_url

from rewards_service.exports.service import KEPT
from rewards_service.kit import migrate
from rewards_service.kit.queue import connect, living_workers
from rewards_service.settings import Settings

SET, NOT_SET = "set", "not set"


class Line(NamedTuple):
    """One thing: `setting` is the variable that decides it; `tone` where it is good or bad."""

    title: str
    value: str
    setting: str = ""
    tone: str = ""


def service(settings: Settings, engine: Engine) -> list[Line]:
    """What runs here, and whether its database is what the code expects."""
    has, wants = migrate.current_revision(engine), migrate.newest_revision()
    schema = Line("Schema", f"{has}, the newest", "", "success") if has == wants else Line(
        "Schema", f"{has}; the code expects {wants}: run rewards init", "", "danger"
    )  # fmt: skip
    return [
        Line("Version", _version("rewards-service")),
        Line("Python", platform.python_version()),
        Line("Database", _database(settings, engine), "DATABASE_URL"),
        schema,
        _queue(settings),
        Line("Web processes", f"{settings.web_workers}, of 4 threads each", "WEB_WORKERS"),
        Line("Public address", settings.base_url, "BASE_URL"),
        Line("Time", "kept in UTC; programmes count days in their own zone, pages show yours"),
    ]


def secrets(settings: Settings) -> list[Line]:
    """What is secret, or nearly so: never itself."""
    keys = len(settings.encryption_keys)
    return [
        Line("Key for digests and cursors", SET, "SECRET_KEY"),
        Line("Keys that seal what is secret",
             f"{keys} {'key' if keys == 1 else 'keys, the first seals'}", "ENCRYPTION_KEYS"),
        Line("Payer of SEPA files", _payer(settings), "PAYER_NAME, PAYER_IBAN, PAYER_BIC"),
        Line("Error reports", SET if settings.sentry_dsn else NOT_SET, "SENTRY_DSN"),
        Line("Hashing of passwords", f"argon2id, {settings.argon2_memory_kib:,} KiB",
             "ARGON2_MEMORY_KIB", "warning" if settings.argon2_memory_kib < 19_456 else ""),
        Line("Second factor", "demanded" if settings.require_second_factor else "offered",
             "REQUIRE_SECOND_FACTOR"),
    ]  # fmt: skip


def limits(settings: Settings) -> list[Line]:
    """How much of what, and for how long it is kept."""
    loopback = settings.webhook_allow_loopback
    return [
        Line("Requests of a key", _a_minute(settings.api_requests_per_minute),
             "API_REQUESTS_PER_MINUTE"),
        Line("Requests without a key", _a_minute(settings.api_requests_per_minute_without_key),
             "API_REQUESTS_PER_MINUTE_WITHOUT_KEY"),
        Line("Requests to Chargebee, a site", _a_minute(settings.chargebee_requests_per_minute),
             "CHARGEBEE_REQUESTS_PER_MINUTE"),
        Line("Chargebee", settings.chargebee_api_base or "https://{site}.chargebee.com",
             "CHARGEBEE_API_BASE"),
        Line("Proxies that are believed", str(settings.trusted_proxies), "TRUSTED_PROXIES"),
        Line("Webhooks to this machine", "allowed" if loopback else "refused",
             "WEBHOOK_ALLOW_LOOPBACK", "warning" if loopback else ""),
        Line("Failing webhooks are switched off",
             f"after {settings.webhook_disable_after_days} days", "WEBHOOK_DISABLE_AFTER_DAYS"),
        Line("Deliveries are kept", f"{settings.webhook_retention_days} days",
             "WEBHOOK_RETENTION_DAYS"),
        Line("Files of exports are kept", f"{KEPT.days} days"),
        Line("Events, ledger and audit log are kept", "for good: nothing is deleted"),
        Line("Log", settings.log_format, "LOG_FORMAT"),
    ]  # fmt: skip


def _database(settings: Settings, engine: Engine) -> str:
    """Which, and where, without who signs in there."""
    url = make_url(settings.database_url)
    with engine.connect() as connection:
        found = connection.dialect.server_version_info or ()
    number = ".".join(str(part) for part in found)
    if engine.dialect.name == "sqlite":
        return f"SQLite {number}, {'embedded' if settings.embedded_database else 'a file'}"
    return f"PostgreSQL {number}, {url.database} at {url.host or 'this machine'}"


def _queue(settings: Settings) -> Line:
    kind = "embedded" if settings.embedded_redis else "a server of yours"
    try:
        with connect(settings.redis_url) as connection:
            workers = len(living_workers(connection))
    except RedisError:
        return Line("Queue", f"{kind}; it does not answer", "REDIS_URL", "danger")
    words = f"{kind}; {workers} {'worker' if workers == 1 else 'workers'} at work"
    return Line("Queue", words, "REDIS_URL", "success" if workers else "danger")


def _payer(settings: Settings) -> str:
    if not settings.payer_name or not settings.payer_iban:
        return f"{NOT_SET}: no SEPA files"
    return f"{settings.payer_name}, IBAN ending in {settings.payer_iban[-4:]}"


def _a_minute(number: int) -> str:
    return f"{number:,} a minute" if number else "no limit"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "from a checkout"
