"""/api/v1/integrations/{id}/test-event: whether webhooks come through, tried without Chargebee."""

from typing import Any

from flask import current_app
from marshmallow import Schema, ValidationError, fields, validates_schema

from rewards_service.accounts.auth import current_actor
from rewards_service.inbox.models import OUTCOMES, PENDING, STATES
from rewards_service.integrations import service
from rewards_service.integrations.routes import ONE, WRITE
from rewards_service.kit.db import db, transaction
from rewards_service.kit.fields import Choice, Number, PublicId, StrictSchema, Text
from rewards_service.kit.web import Resource, current_session, path_key
from rewards_service.webhooks import trial
from rewards_service.webhooks.routes import reception_of

blueprint = Resource("test-events", "Whether webhooks come through")
LONGEST_WAIT = 10
_HANDLED = "The endpoint took the event and a worker handled it."
_WAITS = (
    "The event is kept, but no worker has handled it yet. See that one runs: rewards doctor tells."
)
_REFUSED = (
    "The endpoint does not know this user name and password. Those of Chargebee must be the ones "
    "of the newest rotation: rotate-secret makes another password."
)


class TrialSchema(StrictSchema):
    """The credentials to try, and how long to wait for a worker; a body is not needed."""

    may_be_absent = True

    webhook_username = Text(load_only=True)
    webhook_password = Text(load_only=True)
    wait_seconds = Number(least=0, most=LONGEST_WAIT, load_default=2)

    @validates_schema
    def check_login(self, given: dict[str, Any], **_kwargs: Any) -> None:
        if "webhook_username" in given and "webhook_password" not in given:
            raise ValidationError("A user name needs its password.", "webhook_password")


class TrialAnswerSchema(Schema):
    """What came of a test event."""

    event_id = PublicId("evt", allow_none=True)
    credentials = Choice(trial.CREDENTIALS)
    state = Choice(STATES, allow_none=True)
    outcome = Choice(OUTCOMES, allow_none=True)
    detail = fields.String()


@blueprint.operation(
    "POST", f"{ONE}/test-event", scope=WRITE, body=TrialSchema, answer=TrialAnswerSchema
)
def send_test_event(body: dict[str, Any], integration_id: str) -> Any:
    """Send a test event through the endpoint of an integration; no money follows from it."""
    session = current_session(reads_only=True)
    integration = service.get_integration(session, path_key("int", integration_id))
    session.expunge(integration)
    session.rollback()  # the door and the workers write while this waits
    login = None
    if "webhook_password" in body:
        username = body.get("webhook_username", integration.webhook_username)
        login = (username, body["webhook_password"])
    sent = trial.send(reception_of(current_app), integration, login)
    with transaction(db.engine) as own:
        detail = {"event_id": sent.event_key, "credentials": sent.credentials}
        service.audit(own, "test_event_sent", integration, detail, current_actor())
    if sent.event_key is None:
        nothing = dict.fromkeys(("event_id", "state", "outcome"))
        return {**nothing, "credentials": sent.credentials, "detail": _REFUSED}
    came = trial.wait_for(db.engine, sent.event_key, body["wait_seconds"])
    return {
        "event_id": sent.event_key,
        "credentials": sent.credentials,
        **came._asdict(),
        "detail": _WAITS if came.state == PENDING else _HANDLED,
    }
