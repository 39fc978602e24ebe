"""Signing secrets and signatures, by the library of Standard Webhooks."""

import base64
import secrets
from collections.abc import Sequence
from datetime import datetime

from standardwebhooks import Webhook

PREFIX = "whsec_"
_BYTES = 32


def new_secret() -> str:
    """A fresh signing secret, `whsec_` and 32 bytes in base64."""
    return PREFIX + base64.b64encode(secrets.token_bytes(_BYTES)).decode()


def signed_headers(
    live_secrets: Sequence[str], message_id: str, at: datetime, body: str
) -> dict[str, str]:
    """The headers of a message sent at `at`; with one signature for each secret."""
    signatures = [Webhook(secret).sign(message_id, at, body) for secret in live_secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
