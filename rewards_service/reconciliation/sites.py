"""Connections to the sites of integrations, as the jobs open them."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from rewards_service.chargebee.operations import Chargebee
from rewards_service.connections.access import access_of
from rewards_service.integrations.service import get_integration
from rewards_service.kit.http import Patience
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
            access = access_of(self._settings, get_integration(session, integration_id))
        with access.open(self._settings, PATIENCE) as site:
            yield site
