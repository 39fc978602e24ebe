"""/api/v1/reward-rules/{id}/preview: what a change of a rule would cost, before it is made."""

from typing import Any

from marshmallow import Schema, fields

from rewards_service.kit.fields import Day, PublicId
from rewards_service.kit.web import Resource, current_session, path_key
from rewards_service.programs.schemas import RuleSchema
from rewards_service.rewards.preview import Amounts, Preview, preview

blueprint = Resource("rule-previews", "What-if over past payments")
_DAYS = ("from_on", "until_on")


class RulePreviewSchema(RuleSchema):
    """A change of a rule, and the days whose payments it is tried on."""

    from_on = Day()
    until_on = Day()


class AmountsSchema(Schema):
    """Minor units: by the rule as it is, by the draft, and what changes in all."""

    currency = fields.String()
    current_minor = fields.Integer()
    draft_minor = fields.Integer()
    others_minor = fields.Integer()
    difference_minor = fields.Integer()


class PartnerAmountsSchema(AmountsSchema):
    partner_id = PublicId("par")


class InvoiceAmountsSchema(PartnerAmountsSchema):
    integration_id = PublicId("int")
    chargebee_invoice_id = fields.String()


class RulePreviewAnswerSchema(Schema):
    """What a draft of a rule would have given for past payments, next to what the rule gives."""

    rule_id = PublicId("rul")
    version = fields.Integer()
    from_on = Day()
    until_on = Day()
    invoice_count = fields.Integer()
    changed_count = fields.Integer()
    totals = fields.List(fields.Nested(AmountsSchema))
    partners = fields.List(fields.Nested(PartnerAmountsSchema))
    invoices = fields.List(fields.Nested(InvoiceAmountsSchema))


@blueprint.operation(
    "POST", "/reward-rules/<rule_id>/preview", scope="programs:read",
    body=RulePreviewSchema(partial=True, exclude=("program_id", "level_id")),
    answer=RulePreviewAnswerSchema,
)  # fmt: skip
def preview_rule(body: dict[str, Any], rule_id: str) -> Any:
    """What a change of a rule would have cost over past payments; nothing is kept."""
    changes = {name: value for name, value in body.items() if name not in _DAYS}
    days = {name: body[name] for name in _DAYS if name in body}
    session = current_session(reads_only=True)
    return shown(preview(session, path_key("rul", rule_id), changes, **days))


def shown(found: Preview) -> dict[str, Any]:
    """A preview as the answer's schema takes it."""
    return {
        **{name: getattr(found, name) for name in ("rule_id", "version", *_DAYS)},
        "invoice_count": found.invoice_count,
        "changed_count": found.changed_count,
        "totals": [
            {"currency": currency, **_amounts(amounts)}
            for currency, amounts in sorted(found.totals.items())
        ],
        "partners": [
            {"partner_id": partner, "currency": currency, **_amounts(amounts)}
            for (partner, currency), amounts in found.partners.items()
        ],
        "invoices": [
            {
                "integration_id": key[0], "chargebee_invoice_id": key[1], "partner_id": partner,
                "currency": currency, **_amounts(amounts),
            }
            for key, partner, currency, amounts in found.invoices
        ],
    }  # fmt: skip


def _amounts(amounts: Amounts) -> dict[str, int]:
    return {**amounts._asdict(), "difference_minor": amounts.difference_minor}
