"""Every setting of the service: read once, checked once, refused with the reason when wrong."""

import base64
import os
import re
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from environs import Env, validate
from environs.exceptions import EnvError

from rewards_service import setting_checks
from rewards_service.var_dir import SettingsError, kept, make_folder, noted

__all__ = ["Settings", "SettingsError", "load_settings"]

# A socket address holds 108 bytes on Linux and 104 on macOS; beyond that a loopback port serves.
MAX_SOCKET_PATH = 100
MIN_SECRET_KEY = 16
FERNET_KEY_BYTES = 32
REDIS_URL_FILE = "redis_url"
API_BASE_FILE = "chargebee_api_base"  # where a demo's Chargebee is
_ARGON2_MEMORY = validate.Range(64, 1_048_576)
_POSTGRESQL = "postgresql+psycopg://"
_FERNET_KEY = re.compile(r"[A-Za-z0-9_+/-]{43}=")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What one process needs to know of its surroundings. Secrets stay out of its `repr`."""

    database_url: str = field(repr=False)  # a SQLAlchemy URL; may carry a password
    redis_url: str = field(repr=False)
    embedded_database: bool
    embedded_redis: bool
    var_dir: Path
    host: str
    port: int
    base_url: str  # public address, without a slash at the end
    secret_key: str = field(repr=False)
    encryption_keys: tuple[str, ...] = field(repr=False)  # Fernet keys, newest first
    log_format: str
    web_workers: int
    workers: int
    sentry_dsn: str | None = field(repr=False)
    payer_name: str | None = None  # the account that SEPA payouts are paid from
    payer_iban: str | None = None
    payer_bic: str | None = None
    chargebee_api_base: str | None = None  # instead of https://{site}.chargebee.com
    argon2_memory_kib: int = 65_536  # for each hash of a password
    require_second_factor: bool = False  # of everybody who signs in with a password
    oidc_issuer: str | None = None  # single sign-on: all three of these, or none
    oidc_client_id: str | None = None
    oidc_client_secret: str | None = field(default=None, repr=False)
    oidc_name: str = "single sign-on"  # what the button calls it
    oidc_domains: tuple[str, ...] = ()  # of e-mail addresses that may come in so; none: any
    oidc_groups_claim: str = "groups"
    oidc_roles: tuple[tuple[str, str], ...] = ()  # group -> role of who has no account yet
    chargebee_requests_per_minute: int = 150  # for each site, all processes together; 0: no limit
    # Of one key, and of one address without a good key; all processes together; 0: no limit.
    api_requests_per_minute: int = 30_000
    api_requests_per_minute_without_key: int = 12_000
    trusted_proxies: int = 0  # how many in front say in X-Forwarded-For who calls
    webhook_allow_loopback: bool = False  # outbound, for development
    webhook_disable_after_days: int = 5  # of nothing but failures
    webhook_retention_days: int = 30  # of deliveries
    retain_bodies_days: int = 0  # of events; 0: for good


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """The settings in `environ`; without it, the process environment over `./.env`.

    A blank value counts as missing. When the database or the queue is embedded, missing keys are
    generated into VAR_DIR and found there the next time. Raises SettingsError.
    """
    env = _Environment(_surroundings() if environ is None else environ)
    try:
        return _read(env)
    except EnvError as error:
        raise SettingsError(f"A setting is wrong. {error}") from error


class _Environment(Env):
    """environs over a given mapping instead of the process environment."""

    def __init__(self, values: Mapping[str, str]) -> None:
        super().__init__()
        self._given = {name: value.strip() for name, value in values.items() if value.strip()}

    def _get_value(self, env_key: str, default: Any) -> Any:
        return self._given.get(env_key, default)


def _surroundings() -> dict[str, str]:
    from dotenv import dotenv_values

    from_file = {name: value or "" for name, value in dotenv_values(".env").items()}
    return from_file | {name: value for name, value in os.environ.items() if value.strip()}


def _read(env: Env) -> Settings:
    var_dir = Path(env.str("VAR_DIR", "var")).expanduser().absolute()
    database_url, redis_url = env.str("DATABASE_URL", None), env.str("REDIS_URL", None)
    embedded = database_url is None or redis_url is None
    api_base = setting_checks.api_base(
        env.str("CHARGEBEE_API_BASE", None) or noted(var_dir, API_BASE_FILE)
    )
    port = env.int("PORT", 8000, validate=validate.Range(1, 65535))
    return Settings(
        database_url=_database_url(database_url, var_dir),
        redis_url=_redis_url(redis_url, var_dir),
        embedded_database=database_url is None,
        embedded_redis=redis_url is None,
        var_dir=var_dir,
        host=env.str("HOST", "127.0.0.1"),
        port=port,
        base_url=setting_checks.base_url(env.str("BASE_URL", f"http://127.0.0.1:{port}")),
        secret_key=_secret_key(env.str("SECRET_KEY", None), var_dir, embedded),
        encryption_keys=_encryption_keys(env.str("ENCRYPTION_KEYS", None), var_dir, embedded),
        log_format=env.str("LOG_FORMAT", "console", validate=validate.OneOf(["console", "json"])),
        web_workers=env.int("WEB_WORKERS", 2, validate=validate.Range(1, 64)),
        workers=env.int("WORKERS", 1, validate=validate.Range(0, 64)),
        sentry_dsn=setting_checks.sentry_dsn(env.str("SENTRY_DSN", None)),
        payer_name=env.str("PAYER_NAME", None),
        payer_iban=setting_checks.account("IBAN", env.str("PAYER_IBAN", None)),
        payer_bic=setting_checks.account("BIC", env.str("PAYER_BIC", None)),
        argon2_memory_kib=env.int("ARGON2_MEMORY_KIB", 65_536, validate=_ARGON2_MEMORY),
        require_second_factor=env.bool("REQUIRE_SECOND_FACTOR", False),
        **setting_checks.single_sign_on(env),
        chargebee_api_base=api_base,
        chargebee_requests_per_minute=_requests_per_minute(env, api_base),
        api_requests_per_minute=_limit(env, "API_REQUESTS_PER_MINUTE", 30_000),
        api_requests_per_minute_without_key=_limit(
            env, "API_REQUESTS_PER_MINUTE_WITHOUT_KEY", 12_000
        ),
        trusted_proxies=env.int("TRUSTED_PROXIES", 0, validate=validate.Range(0, 10)),
        webhook_allow_loopback=env.bool("WEBHOOK_ALLOW_LOOPBACK", False),
        webhook_disable_after_days=env.int(
            "WEBHOOK_DISABLE_AFTER_DAYS", 5, validate=validate.Range(1, 365)
        ),
        webhook_retention_days=env.int(
            "WEBHOOK_RETENTION_DAYS", 30, validate=validate.Range(4, 3_650)
        ),
        retain_bodies_days=env.int("RETAIN_BODIES_DAYS", 0, validate=validate.Range(0, 3_650)),
    )


def _database_url(url: str | None, var_dir: Path) -> str:
    if url is None:
        make_folder(var_dir)
        return f"sqlite:///{var_dir / 'rewards.db'}"
    for prefix in ("postgres://", "postgresql://"):
        if url.startswith(prefix):
            return _POSTGRESQL + url.removeprefix(prefix)
    if url.startswith((_POSTGRESQL, "sqlite:///")):
        return url
    raise SettingsError(
        "DATABASE_URL is not one this service can use: it must start with postgresql:// "
        "(or sqlite:/// and a file). Leave it out to run on an embedded SQLite file."
    )


def _redis_url(url: str | None, var_dir: Path) -> str:
    if url is not None:
        if url.startswith(("redis://", "rediss://", "unix://")):
            return url
        raise SettingsError(
            "REDIS_URL must start with redis://, rediss:// or unix://. "
            "Leave it out to run an embedded server."
        )
    path = var_dir / "redis.sock"
    if len(os.fsencode(path)) <= MAX_SOCKET_PATH:
        return f"unix://{quote(str(path))}"
    with socket.socket() as probe:  # a free port, behind a password: all users can reach a port
        probe.bind(("127.0.0.1", 0))
        fresh = f"redis://:{secrets.token_urlsafe(24)}@127.0.0.1:{probe.getsockname()[1]}/0"
    return kept(var_dir, REDIS_URL_FILE, fresh)


def _limit(env: Env, name: str, default: int) -> int:
    limit: int = env.int(name, default, validate=validate.Range(0, 10_000_000))
    return limit


def _requests_per_minute(env: Env, api_base: str | None) -> int:
    name = "CHARGEBEE_REQUESTS_PER_MINUTE"
    limit: int = env.int(name, 150, validate=validate.Range(0, 100_000))
    if 0 < limit < 10 or (limit == 0 and api_base is None):
        raise SettingsError(
            f"{name} must be 10 or more. 0, for no limit, needs CHARGEBEE_API_BASE: Chargebee "
            "itself has a limit on every plan."
        )
    return limit


def _secret_key(value: str | None, var_dir: Path, embedded: bool) -> str:
    if value is None:
        _refuse_without_keys("SECRET_KEY", embedded)
        return kept(var_dir, "secret_key", secrets.token_urlsafe(48))
    if len(value) < MIN_SECRET_KEY:
        raise SettingsError(
            f"SECRET_KEY is too short: use at least {MIN_SECRET_KEY} random characters."
        )
    return value


def _encryption_keys(value: str | None, var_dir: Path, embedded: bool) -> tuple[str, ...]:
    if value is None:
        _refuse_without_keys("ENCRYPTION_KEYS", embedded)
        fresh = base64.urlsafe_b64encode(secrets.token_bytes(FERNET_KEY_BYTES)).decode()
        value = kept(var_dir, "encryption_keys", fresh)
    keys = tuple(key.strip() for key in value.split(",") if key.strip())
    if not keys or not all(_FERNET_KEY.fullmatch(key) for key in keys):
        raise SettingsError(
            "ENCRYPTION_KEYS must be Fernet keys (32 bytes, url-safe base64), separated by commas, "
            'the newest first. Make one with: python -c "from cryptography.fernet import Fernet; '
            'print(Fernet.generate_key().decode())"'
        )
    return keys


def _refuse_without_keys(name: str, embedded: bool) -> None:
    if not embedded:
        raise SettingsError(
            f"{name} is missing. With DATABASE_URL and REDIS_URL both set, keys are not made up: "
            f"set {name}, keep it safe and the same for every process (see .env.example)."
        )
