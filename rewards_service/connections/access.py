"""What it takes to ask a connected site, as plain values, and the way there."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import NamedTuple

from rewards_service.chargebee.connecting import connected
from rewards_service.chargebee.operations import Chargebee
from rewards_service.integrations.models import Integration
from rewards_service.kit import crypto
from rewards_service.kit.clock import utc_now
from rewards_service.kit.errors import Conflict
from rewards_service.kit.http import BACKGROUND, Patience
from rewards_service.settings import Settings


class ApiKeyMissing(Conflict):
    code = "api_key_missing"
    title = "The integration has no API key of its Chargebee site."


class Access(NamedTuple):
    """The key is as Chargebee shows it; no budget of its own: that of the settings."""

    site: str
    api_key: str
    requests_per_minute: int | None

    def open(
        self,
        settings: Settings,
        patience: Patience = BACKGROUND,
        now: Callable[[], datetime] = utc_now,
    ) -> AbstractContextManager[Chargebee]:
        """The site, for one thread, until the block ends."""
        return connected(
            settings, self.site, self.api_key, requests_per_minute=self.requests_per_minute,
            patience=patience, now=now,
        )  # fmt: skip


def check_key(integration: Integration) -> str:
    """The sealed API key of its site. Raises ApiKeyMissing."""
    if integration.api_key_encrypted is None:
        raise ApiKeyMissing(
            f"Nothing can be asked of {integration.site}: make an API key in Chargebee and give "
            "it to the integration."
        )
    return integration.api_key_encrypted


def access_of(settings: Settings, integration: Integration) -> Access:
    """Raises ApiKeyMissing, SecretUnreadable."""
    api_key = crypto.decrypt(settings.encryption_keys, check_key(integration))
    return Access(integration.site, api_key, integration.requests_per_minute)
