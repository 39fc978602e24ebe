"""`rewards send-test-event`: post an event to the running service, as Chargebee would."""

from pathlib import Path
from urllib.parse import urlsplit

import click
import requests
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_exponential

from rewards_service.cli.databases import snapshot, start
from rewards_service.cli.integrations import find_integration, integration_option
from rewards_service.cli.main import Refused
from rewards_service.integrations.models import Integration
from rewards_service.integrations.service import Credentials
from rewards_service.kit import ids
from rewards_service.samples.payment import (
    SANDBOX_SITE,
    fresh_payment,
    sandbox_credentials,
    webhook_url,
)
from rewards_service.settings import Settings

PATIENCE_SECONDS = 10
ANSWER_SECONDS = 30
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@click.command("send-test-event")
@integration_option
@click.option(
    "--file",
    "path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Send this event as it is. Left out: the sample payment, under ids never used before.",
)
@click.option("--username", help="Webhook user name. Left out: that of the integration.")
@click.option("--password", envvar="REWARDS_WEBHOOK_PASSWORD", help="Webhook password.")
def send_test_event(
    integration: str, path: Path | None, username: str | None, password: str | None
) -> None:
    """Post a payment to the running service, as Chargebee would.

    The service keeps only a digest of webhook passwords: give it with --password or in
    REWARDS_WEBHOOK_PASSWORD. The sandbox's own is known. Exit status 1 when the service does not
    take the event.
    """
    settings = start()
    with snapshot(settings) as session:
        found = find_integration(session, integration)
    credentials = _credentials(settings, found, username, password)
    body = fresh_payment() if path is None else path.read_bytes()
    response = _post(webhook_url(settings, found.endpoint_key), body, credentials)
    click.echo(f"{response.status_code} {response.text}")
    if response.status_code == requests.codes.unauthorized:
        raise click.ClickException(
            "The service does not know this user name and password. POST "
            f"{settings.base_url}/api/v1/integrations/{ids.encode('int', found.id)}/rotate-secret "
            "makes a new password."
        )
    if response.status_code != requests.codes.ok:
        raise click.ClickException("The service did not take the event.")


def _credentials(
    settings: Settings, integration: Integration, username: str | None, password: str | None
) -> Credentials:
    if password is not None:
        return Credentials(username or integration.webhook_username, password)
    if integration.site == SANDBOX_SITE:
        return sandbox_credentials(settings, integration.endpoint_key)
    raise Refused(
        "The webhook password is needed: only a digest of it is kept here. Give the one shown when "
        "the integration was made, with --password or in REWARDS_WEBHOOK_PASSWORD; if it is lost, "
        "rotate the secret through the API."
    )


def _post(url: str, body: bytes, credentials: Credentials) -> requests.Response:
    """One delivery; while nothing answers at the address it is tried again for ten seconds."""
    attempts = Retrying(
        retry=retry_if_exception_type(requests.ConnectionError),
        stop=stop_after_delay(PATIENCE_SECONDS),
        wait=wait_exponential(multiplier=0.2, max=2),
        reraise=True,
    )
    with requests.Session() as session:
        session.trust_env = urlsplit(url).hostname not in _LOOPBACK  # no proxy to this machine
        try:
            return attempts(
                session.post,
                url,
                data=body,
                auth=(credentials.username, credentials.password),
                headers={"Content-Type": "application/json"},
                timeout=ANSWER_SECONDS,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise click.ClickException(
                f"Nothing answers at {url} ({type(error).__name__}). Is the service running, and "
                "is BASE_URL its address? Start it with: make run"
            ) from error
