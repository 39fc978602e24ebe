"""What makes a setting right or wrong, where that takes more than a line."""

import ipaddress
from importlib import import_module
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from environs import Env

from rewards_service.var_dir import SettingsError

ROLES = ("owner", "manager", "finance", "viewer")  # the strongest first


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


def single_sign_on(env: Env) -> dict[str, Any]:
    """The settings OIDC_...: issuer, client and secret go together. Raises SettingsError."""
    found: dict[str, Any] = {
        name: env.str(name.upper(), None)
        for name in ("oidc_issuer", "oidc_client_id", "oidc_client_secret")
    }
    missing = [name.upper() for name, value in found.items() if value is None]
    if missing and len(missing) < len(found):
        raise SettingsError(f"Single sign-on is half set up: {' and '.join(missing)} missing.")
    if not missing:
        _check_issuer(found["oidc_issuer"])
    domains = env.str("OIDC_DOMAINS", "").lower().split(",")
    return {
        **found,
        "oidc_name": env.str("OIDC_NAME", "single sign-on"),
        "oidc_domains": tuple(name for domain in domains if (name := domain.strip().lstrip("@"))),
        "oidc_groups_claim": env.str("OIDC_GROUPS_CLAIM", "groups"),
        "oidc_roles": _roles_of_groups(env.str("OIDC_ROLES", "")),
    }


def _check_issuer(url: str) -> None:
    if not is_provider(url) or urlsplit(url).query:
        raise SettingsError(
            "OIDC_ISSUER must be the address of an OpenID provider as its documents name it, "
            "such as https://login.example.com/realms/main, without user, query and fragment."
        )


def is_provider(url: str) -> bool:
    """Whether secrets may go there: https, or http on this machine, without user and fragment."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    safe = parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host))
    return bool(host) and safe and not (parts.username or parts.password or parts.fragment)


def _roles_of_groups(text: str) -> tuple[tuple[str, str], ...]:
    pairs = [pair.rpartition("=") for pair in text.split(",") if pair.strip()]
    found = tuple((group.strip(), role.strip().lower()) for group, _, role in pairs)
    if any(not group or role not in ROLES for group, role in found):
        raise SettingsError(
            "OIDC_ROLES must be pairs of a group and a role, such as rewards-team=manager, "
            f"separated by commas; a role is one of {', '.join(ROLES)}."
        )
    return found


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
