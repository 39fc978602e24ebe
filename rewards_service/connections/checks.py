"""What a look at a connected site found, in words for those who have to mend it (pure)."""

from typing import Any, NamedTuple

from rewards_service.chargebee.errors import (
    ChargebeeError,
    KeyRefused,
    NotAllowed,
    RateLimited,
    SiteUnknown,
    Unavailable,
)
from rewards_service.kit.crypto import SecretUnreadable
from rewards_service.kit.errors import Conflict, RewardsError
from rewards_service.kit.http_errors import RateSpent


class Check(NamedTuple):
    """What one check found. A warning does not fail."""

    id: str
    ok: bool
    detail: str
    remedy: str | None = None
    warning: bool = False


class Report(NamedTuple):
    """All checks of one site, and the webhooks that Chargebee has for it."""

    checks: list[Check]
    endpoints: list[dict[str, Any]]

    @property
    def ok(self) -> bool:
        return all(check.ok for check in self.checks)

    def shown(self) -> dict[str, Any]:
        """As API and command line answer it."""
        checks = [check._asdict() for check in self.checks]
        return {"ok": self.ok, "checks": checks, "endpoints": self.endpoints}


_BUSY = (
    "Try again in a minute. If it stays so, see what else uses the site's API, or lower "
    "requests_per_minute of the integration."
)
_UNREACHABLE = (
    "Try again in a minute. If it stays so, see whether this machine reaches the internet (name "
    "service, firewall, HTTPS_PROXY) and what status.chargebee.com says."
)
# What kept us from asking, the id of its check, the remedy; the first that fits counts.
_OBSTACLES: tuple[tuple[type[RewardsError], str, str], ...] = (
    (
        KeyRefused, "key_refused",
        "In Chargebee, make an API key (Settings, Configure Chargebee, API Keys) and give it to "
        "the integration as api_key.",
    ),
    (
        NotAllowed, "key_rights",
        "Give the integration a full-access API key: one that may read only cannot look after the "
        "webhook. If the key has all rights, see whether Chargebee lets this address in.",
    ),
    (
        SiteUnknown, "site_unknown",
        "Correct the integration's site: it is the first part of yourcompany.chargebee.com.",
    ),
    (SecretUnreadable, "key_unreadable", "Put the old key back at the end of ENCRYPTION_KEYS."),
    (RateLimited, "site_busy", _BUSY),
    (RateSpent, "site_busy", _BUSY),
    (Unavailable, "site_unreachable", _UNREACHABLE),
    (ChargebeeError, "chargebee_refused", "Put right what it names, or ask Chargebee."),
    (RewardsError, "site_unreachable", _UNREACHABLE),
)  # fmt: skip


def obstacle(error: RewardsError) -> Check:
    """The check that an error on the way to Chargebee makes fail."""
    if isinstance(error, Conflict):  # one of ours, which says what to do
        return Check(error.code, False, error.title, error.detail)
    name, remedy = next(found for kind, *found in _OBSTACLES if isinstance(error, kind))
    return Check(name, False, error.detail, remedy)
