"""Events as the API shows them."""

from marshmallow import Schema, fields

from rewards_service.inbox.models import CONFIRMED, OUTCOMES, REFUSED, SOURCES, STATES, WANTED
from rewards_service.kit.fields import SOMETIMES, Choice, Instant, PublicId, Text
from rewards_service.kit.lists import ListQuery, page_schema


class ObservedTransactionSchema(Schema):
    """A payment that would have been recorded."""

    chargebee_transaction_id = fields.String()
    amount_minor = fields.Integer()
    currency = fields.String()


class ObservedRewardSchema(Schema):
    """What a partner would have earned, or lost, by an event on an invoice."""

    partner_id = PublicId("par")
    amount_minor = fields.Integer()
    currency = fields.String()
    chargebee_invoice_id = fields.String()


class ObservedSchema(Schema):
    """What would have come of an event whose integration only observes."""

    outcome = fields.String(allow_none=True, metadata=SOMETIMES)
    error = fields.String(allow_none=True, metadata=SOMETIMES)
    lead_id = PublicId("led", allow_none=True, metadata=SOMETIMES)
    deal_ids = fields.List(PublicId("dea"), metadata=SOMETIMES)
    customer = fields.String(metadata={"description": "Id of a customer, or new", **SOMETIMES})
    transaction = fields.Nested(ObservedTransactionSchema, metadata=SOMETIMES)
    rewards = fields.List(fields.Nested(ObservedRewardSchema), metadata=SOMETIMES)
    reason = fields.String(
        metadata={"description": "Why it would have earned nothing", **SOMETIMES}
    )


class ResultsSchema(Schema):
    """What an event made or found."""

    lead_id = PublicId("led", allow_none=True)
    customer_id = PublicId("cus", allow_none=True)
    deal_ids = fields.List(PublicId("dea"))
    transaction_id = PublicId("txn", allow_none=True)
    reward_ids = fields.List(PublicId("rew"), metadata=SOMETIMES)
    linked_existing = fields.Boolean(metadata=SOMETIMES)
    key_folded = fields.Boolean(
        metadata={
            "description": "Case folding merged the e-mail with another spelling: look at it",
            **SOMETIMES,
        }
    )
    observed = fields.Nested(ObservedSchema, metadata=SOMETIMES)


class EventVerificationSchema(Schema):
    """Whether Chargebee, asked for its own copy, says the same as this event."""

    state = Choice((WANTED, CONFIRMED, REFUSED))
    note = fields.String(
        allow_none=True, metadata={"description": "Why it still waits, or was refused"}
    )
    tries = fields.Integer(metadata={"description": "How often Chargebee could not say"})


class EventSchema(Schema):
    """One event as it was received, and how it ended."""

    id = PublicId("evt")
    integration_id = PublicId("int")
    event_id = fields.String(metadata={"description": "Chargebee's id of the event"})
    event_type = fields.String()
    occurred_at = Instant(allow_none=True)
    received_at = Instant()
    source = Choice(SOURCES, metadata={"description": "What brought it first"})
    webhook_at = Instant(
        allow_none=True, metadata={"description": "When the webhook brought it, if not first"}
    )
    state = Choice(STATES)
    outcome = fields.String(allow_none=True)
    attempts = fields.Integer()
    error = fields.String(allow_none=True)
    results = fields.Nested(ResultsSchema)
    verification = fields.Nested(
        EventVerificationSchema,
        allow_none=True,
        metadata={"description": "null: nobody was to be asked"},
    )
    other_body_seen = fields.Boolean(
        metadata={"description": "The same event id came again with another body."}
    )
    finished_at = Instant(allow_none=True)


class EventWithBodySchema(EventSchema):
    """An event with its body, as it was kept."""

    body = fields.Dict(
        allow_none=True,
        metadata={"description": "null: it was kept as long as RETAIN_BODIES_DAYS says"},
    )


class EventQuerySchema(ListQuery):
    integration_id = PublicId("int")
    event_id = Text()
    event_type = Text()
    source = Choice(SOURCES)
    state = Choice(STATES)
    outcome = Choice(OUTCOMES)
    received_from = Instant(data_key="received_at[gte]")
    received_before = Instant(data_key="received_at[lt]")


EventPageSchema = page_schema("EventPage", EventSchema)
