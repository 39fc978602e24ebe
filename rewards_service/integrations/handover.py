"""Give Chargebee a new webhook password, with two live ones for as long as both may come.

Staged: deliveries with the new password and the one until now are taken; the new one is kept
sealed, so that telling Chargebee can be tried again with the same one. Until that is done the old
one does not end: Chargebee has no other. Settled: Chargebee has the new one, and the sealed text is
forgotten. The webhook ends the old one soon after the new one was seen.
"""

from datetime import timedelta

from sqlalchemy.orm import Session

from rewards_service.integrations.models import Integration
from rewards_service.integrations.service import Credentials, audit, digest_of
from rewards_service.kit import crypto
from rewards_service.kit.clock import utc_now
from rewards_service.settings import Settings


def stage_password(
    session: Session, settings: Settings, integration: Integration, grace_hours: int, actor: str
) -> Credentials:
    """The credentials to tell Chargebee, taken from now on beside those until now.

    Those of a hand-over that did not come to its end are taken up again: with a third password one
    of the two that Chargebee may be using would end. Raises SecretUnreadable.
    """
    sealed = integration.untold_password_encrypted
    if sealed is None:
        credentials = Credentials(integration.webhook_username, crypto.new_secret())
        integration.previous_digest = integration.credentials_digest
        integration.credentials_digest = digest_of(settings, credentials)
        keep_untold(settings, integration, credentials)
        audit(session, "secret_rotated", integration, {"grace_hours": grace_hours}, actor)
    else:
        password = crypto.decrypt(settings.encryption_keys, sealed)
        credentials = Credentials(integration.webhook_username, password)
    if integration.previous_digest is not None:
        integration.previous_expires_at = utc_now() + timedelta(hours=grace_hours)
    integration.version += 1
    return credentials


def keep_untold(settings: Settings, integration: Integration, credentials: Credentials) -> None:
    """Keep the password sealed until Chargebee has it."""
    sealed = crypto.encrypt(settings.encryption_keys, credentials.password)
    integration.untold_password_encrypted = sealed


def settle_password(integration: Integration, grace_hours: int) -> None:
    """Chargebee has the new password: the old one is good for `grace_hours` more at most."""
    integration.untold_password_encrypted = None
    expires_at = integration.previous_expires_at
    if expires_at is not None:
        latest = utc_now() + timedelta(hours=grace_hours)
        integration.previous_expires_at = min(expires_at, latest)
    integration.version += 1
