"""The sample payment that ships with the program, and the sandbox's own credentials."""

import json
import time
from math import ceil
from pathlib import Path
from secrets import token_hex
from typing import Any

from rewards_service.integrations.models import Integration
from rewards_service.integrations.service import Credentials
from rewards_service.kit import crypto
from rewards_service.settings import Settings
from rewards_service.webhooks.verify import PURPOSE

SAMPLE = Path(__file__).with_name("files") / "payment_succeeded.json"
SANDBOX_SITE = "sandbox"
_USERNAME = "sandbox"
_PURPOSE = "sandbox"
_TIMES = ("occurred_at", "date", "updated_at", "generated_at", "paid_at", "applied_at")
_VERSION = "resource_version"


def sandbox_credentials(settings: Settings, endpoint_key: str) -> Credentials:
    """Those of the sandbox integration: worked out of SECRET_KEY, so that they are kept nowhere."""
    secret = crypto.digest(settings.secret_key, _PURPOSE, endpoint_key.encode())
    return Credentials(_USERNAME, secret.hex()[:32])


def put_sandbox_credentials(settings: Settings, integration: Integration) -> Credentials:
    """Make those the integration's own; nothing changes when they are already."""
    credentials = sandbox_credentials(settings, integration.endpoint_key)
    text = f"{credentials.username}:{credentials.password}"
    digest = crypto.digest(settings.secret_key, PURPOSE, text.encode())
    if integration.credentials_digest != digest:
        integration.webhook_username = credentials.username
        integration.credentials_digest = digest
        integration.version += 1
    return credentials


def webhook_url(settings: Settings, endpoint_key: str) -> str:
    return f"{settings.base_url}/webhooks/chargebee/{endpoint_key}"


def sample_email() -> str:
    email: str = json.loads(SAMPLE.read_bytes())["content"]["customer"]["email"]
    return email


def fresh_payment() -> bytes:
    """The sample as a payment of this moment, under ids that were never used."""
    event = json.loads(SAMPLE.read_bytes())
    content = event["content"]
    mark = token_hex(6)
    renamed = {
        event["id"]: f"ev_test_{mark}",
        content["transaction"]["id"]: f"txn_test_{mark}",
        content["invoice"]["id"]: f"inv_test_{mark}",
    }
    # Chargebee's times are whole seconds: one that is over might be before the partner was active.
    return json.dumps(_renewed(event, renamed, ceil(time.time()))).encode()


def _renewed(value: Any, renamed: dict[str, str], now: int) -> Any:
    if isinstance(value, dict):
        return {name: _renewed_member(name, item, renamed, now) for name, item in value.items()}
    if isinstance(value, list):
        return [_renewed(item, renamed, now) for item in value]
    return renamed.get(value, value) if isinstance(value, str) else value


def _renewed_member(name: str, value: Any, renamed: dict[str, str], now: int) -> Any:
    if name in _TIMES:
        return now
    return now * 1000 if name == _VERSION else _renewed(value, renamed, now)
