"""What makes a setting right or wrong, where that takes more than a line."""

from importlib import import_module
from importlib.util import find_spec

from rewards_service.var_dir import SettingsError


def sentry_dsn(dsn: str | None) -> str | None:
    if dsn is not None and find_spec("sentry_sdk") is None:
        raise SettingsError(
            "SENTRY_DSN is set, but the package sentry-sdk is not installed. "
            "Install it (pip install sentry-sdk) or unset SENTRY_DSN."
        )
    return dsn


def account(kind: str, value: str | None) -> str | None:
    if value is None:
        return None
    found = getattr(import_module("schwifty"), kind)(value, allow_invalid=True)
    if not found.is_valid:
        raise SettingsError(f"PAYER_{kind} is no {kind}. Correct it, or leave it out.")
    return str(found)
