"""Events as the API shows them."""

from marshmallow import Schema, fields

from rewards_service.inbox.models import OUTCOMES, STATES
from rewards_service.kit.fields import Choice, Instant, PublicId, Text
from rewards_service.kit.lists import ListQuery, page_schema


class ResultsSchema(Schema):
    """What an event made or found."""

    lead_id = PublicId("led", allow_none=True)
    customer_id = PublicId("cus", allow_none=True)
    deal_ids = fields.List(PublicId("dea"))
    transaction_id = PublicId("txn", allow_none=True)
    reward_ids = fields.List(PublicId("rew"))
    linked_existing = fields.Boolean()


class EventSchema(Schema):
    """One event as it was received, and how it ended."""

    id = PublicId("evt")
    integration_id = PublicId("int")
    event_id = fields.String(metadata={"description": "Chargebee's id of the event"})
    event_type = fields.String()
    occurred_at = Instant(allow_none=True)
    received_at = Instant()
    source = fields.String()
    state = Choice(STATES)
    outcome = fields.String(allow_none=True)
    attempts = fields.Integer()
    error = fields.String(allow_none=True)
    results = fields.Nested(ResultsSchema)
    other_body_seen = fields.Boolean(
        metadata={"description": "The same event id came again with another body."}
    )
    finished_at = Instant(allow_none=True)


class EventWithBodySchema(EventSchema):
    """An event with its body, as it was kept."""

    body = fields.Dict()


class EventQuerySchema(ListQuery):
    integration_id = PublicId("int")
    event_id = Text()
    event_type = Text()
    state = Choice(STATES)
    outcome = Choice(OUTCOMES)
    received_from = Instant(data_key="received_at[gte]")
    received_before = Instant(data_key="received_at[lt]")


EventPageSchema = page_schema("EventPage", EventSchema)
