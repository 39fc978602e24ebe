"""How often a key may ask, and an address without a good key."""

import ipaddress

from flask import Flask, current_app, g, request
from werkzeug.middleware.proxy_fix import ProxyFix

from rewards_service.kit import crypto
from rewards_service.kit.errors import TooManyRequests
from rewards_service.kit.queue import connect
from rewards_service.kit.quota import Quotas, Standing
from rewards_service.kit.web import current_settings
from rewards_service.settings import Settings

KEY_POLICY, ADDRESS_POLICY = "default", "address"
# A caller waits for it once in an outage, for all others of his process too.
REDIS_TIMEOUT_SECONDS = 0.1
_STATE = "rewards_quotas"
_NETWORK_BITS = 64  # what one holder of IPv6 addresses has at least


def init_app(app: Flask, settings: Settings) -> None:
    """Give the process its counters, and the addresses of callers behind trusted proxies."""
    app.extensions[_STATE] = Quotas(connect(settings.redis_url, REDIS_TIMEOUT_SECONDS))
    if settings.trusted_proxies:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=settings.trusted_proxies, x_proto=0, x_host=0
        )


def count_key(key_id: int) -> None:
    """One request of a good key. Raises TooManyRequests."""
    limit = current_settings().api_requests_per_minute
    _spend(KEY_POLICY, str(key_id), limit, "This API key")


def count_address() -> None:
    """One request without a good key. Raises TooManyRequests."""
    limit = current_settings().api_requests_per_minute_without_key
    if limit:
        # Redis is not to know who calls.
        place = crypto.digest(current_settings().secret_key, "address", _place().encode())
        _spend(ADDRESS_POLICY, place[:12].hex(), limit, "This address, without a good API key,")


def _spend(policy: str, who: str, limit: int, subject: str) -> None:
    if not limit:
        return
    quotas: Quotas = current_app.extensions[_STATE]
    standing: Standing = quotas.spend(policy, who, limit)
    g.standing = standing
    if not standing.granted:
        raise TooManyRequests(
            f"{subject} may make {standing.quota} requests a minute. Wait for "
            f"{standing.reset_seconds} s; RateLimit says in every answer how many are left.",
            standing.reset_seconds,
        )


def _place() -> str:
    """The caller's address; of IPv6 the network, in which he has as many as he likes."""
    try:
        address = ipaddress.ip_address(request.remote_addr or "")
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address.packed, _NETWORK_BITS), strict=False))
