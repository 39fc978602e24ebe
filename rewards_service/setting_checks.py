"""What makes a setting right or wrong, where that takes more than a line."""

import ipaddress
from importlib import import_module
from importlib.util import find_spec
from urllib.parse import urlsplit

from rewards_service.var_dir import SettingsError


def sentry_dsn(dsn: str | None) -> str | None:
    """The DSN, when there is a package to send to it. Raises SettingsError."""
    if dsn is not None and find_spec("sentry_sdk") is None:
        raise SettingsError(
            "SENTRY_DSN is set, but the package sentry-sdk is not installed. "
            "Install it (pip install sentry-sdk) or unset SENTRY_DSN."
        )
    return dsn


def base_url(url: str) -> str:
    """The public address, without a slash at its end. Raises SettingsError."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise SettingsError(
            "BASE_URL must be the public address of the service, such as "
            "https://rewards.example.com, without a query."
        )
    return url.rstrip("/")


def api_base(address: str | None) -> str | None:
    """The address of Chargebee's API, `{site}` in it left as it is. Raises SettingsError."""
    if address is None:
        return None
    try:
        parts = urlsplit(address.replace("{site}", "site"))
        host, _ = parts.hostname, parts.port
    except ValueError:
        parts, host = urlsplit(""), None
    is_plain = not (parts.username or parts.password or parts.query or parts.fragment)
    safe = parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host or ""))
    if not host or not is_plain or not safe:
        raise SettingsError(
            "CHARGEBEE_API_BASE must be https://host[:port][/path] without user and query, or "
            "http:// on this machine; {site} in it stands for the name of the site. API keys go "
            "there: leave it out unless you run a sandbox."
        )
    return address.rstrip("/")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def account(kind: str, value: str | None) -> str | None:
    """An IBAN or BIC (`kind`) in its usual writing. Raises SettingsError."""
    if value is None:
        return None
    found = getattr(import_module("schwifty"), kind)(value, allow_invalid=True)
    if not found.is_valid:
        raise SettingsError(f"PAYER_{kind} is no {kind}. Correct it, or leave it out.")
    return str(found)
