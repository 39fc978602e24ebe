"""Connections to the sites of integrations, as the jobs open them."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from rewards_service.chargebee.connecting import connected
from rewards_service.chargebee.operations import Chargebee
from rewards_service.integrations.service import get_integration
from rewards_service.kit import crypto
from rewards_service.kit.http import Patience
from rewards_service.polling.jobs import ApiKeyMissing
from rewards_service.reconciliation.queries import reading
from rewards_service.settings import Settings

# Within the lease of a comparison, with room to keep what was found.
PATIENCE = Patience(total_seconds=90.0)


class Sites:
    """is_sandbox: the sites are simulated, and time there may be another than here."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.is_sandbox = settings.chargebee_api_base is not None

    @contextmanager
    def open(self, engine: Engine, integration_id: int) -> Iterator[Chargebee]:
        """The site of an integration. Raises NotFound, ApiKeyMissing, SecretUnreadable."""
        with Session(reading(engine)) as session:
            integration = get_integration(session, integration_id)
            name, sealed = integration.site, integration.api_key_encrypted
        if sealed is None:
            raise ApiKeyMissing
        key = crypto.decrypt(self._settings.encryption_keys, sealed)
        with connected(self._settings, name, key, patience=PATIENCE) as site:
            yield site
