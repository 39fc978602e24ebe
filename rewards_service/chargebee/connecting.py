"""A connection to a Chargebee site: its address, its key, its budget."""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

from redis import Redis

from rewards_service.chargebee.client import ChargebeeClient
from rewards_service.chargebee.operations import Chargebee
from rewards_service.kit.clock import utc_now
from rewards_service.kit.http import BACKGROUND, HttpClient, Patience
from rewards_service.kit.queue import connect as connect_redis
from rewards_service.kit.rate import SharedRate
from rewards_service.settings import Settings

_SITE = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,98}[a-z0-9])?")
_BUDGET_PREFIX = "rewards:chargebee:budget:"


def api_base(settings: Settings, site: str) -> str:
    """Where the API of a site is. ValueError for a name that could lead to another host."""
    if not _SITE.fullmatch(site):
        raise ValueError("A site is the first part of yourcompany.chargebee.com.")
    template = settings.chargebee_api_base or "https://{site}.chargebee.com"
    return template.replace("{site}", site)


@contextmanager
def connected(  # noqa: PLR0913 - what can be chosen
    settings: Settings,
    site: str,
    api_key: str,
    *,
    requests_per_minute: int | None = None,
    patience: Patience = BACKGROUND,
    headers: Mapping[str, str] | None = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    now: Callable[[], datetime] = utc_now,
) -> Iterator[Chargebee]:
    """The site, for one thread, until the block ends. api_key: as Chargebee shows it.

    requests_per_minute: the site's own budget; None for that of the settings.

    Nothing is sent before the first request. Without Redis the budget of this process is a
    quarter of the site's.
    """
    base = api_base(settings, site)
    redis = connect_redis(settings.redis_url)
    http = HttpClient(
        base,
        auth=(api_key.encode(), b""),
        headers=headers,
        patience=patience,
        clock=clock,
        sleep=sleep,
    )
    budget = site_budget(settings, redis, site, requests_per_minute, clock=clock, sleep=sleep)
    client = ChargebeeClient(http, budget, repeat_seconds=patience.total_seconds, now=now)
    try:
        yield Chargebee(client)
    finally:
        client.close()
        redis.close()


def site_budget(
    settings: Settings,
    redis: Redis | None,
    site: str,
    requests_per_minute: int | None = None,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> SharedRate:
    """The requests a minute that all processes together may send to a site."""
    limit = requests_per_minute or settings.chargebee_requests_per_minute
    return SharedRate(redis, f"{_BUDGET_PREFIX}{site}", limit, clock=clock, sleep=sleep)
