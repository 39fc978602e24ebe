"""A connected Chargebee site as seen from Chargebee: somewhere to post events to."""

import json
from base64 import b64encode

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from rewards_service.settings import Settings
from rewards_service.webhooks import routes as webhooks
from tests.builders.chargebee import Json


class Site:
    """A connected Chargebee site, and a poster that knows its credentials."""

    def __init__(self, client: FlaskClient, integration_id: int, key: str, login: str) -> None:
        self.id = integration_id
        self.path = f"/webhooks/chargebee/{key}"
        self.authorization = "Basic " + b64encode(login.encode()).decode()
        self._client = client

    def post(self, body: Json | bytes, **headers: str) -> TestResponse:
        """Post one event as Chargebee does."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self._client.post(
            self.path,
            data=raw,
            content_type=headers.pop("content_type", "application/json"),
            headers={"Authorization": self.authorization, **headers},
            # The client of the tests leaves it out for an empty body.
            environ_overrides={"CONTENT_LENGTH": str(len(raw))},
        )

    def accept(self, *bodies: Json | bytes) -> None:
        """Post events of which each must be accepted."""
        for body in bodies:
            answer = self.post(body)
            assert answer.status_code == 200, answer.text


def webhook_app(settings: Settings) -> Flask:
    """An application with the real webhook endpoint and nothing else: made in no time."""
    app = Flask("rewards_service")
    app.extensions["rewards_settings"] = settings
    webhooks.init_app(app)
    return app
