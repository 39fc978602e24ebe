"""What is asked about webhook endpoints."""

from flask_wtf import FlaskForm
from wtforms import BooleanField, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, NumberRange

from rewards_service.admin.forms import WholeField
from rewards_service.outbound import event_types
from rewards_service.outbound.schemas import LONGEST_GRACE_HOURS

_WORDS = {
    "*": "Everything, also what later versions add.",
    "reward.created": "A payment earned something.",
    "reward.approved": "It may be paid.",
    "reward.declined": "It will not be paid.",
    "reward.held": "Somebody must look at it.",
    "reward.released": "It is no longer held.",
    "reward.adjusted": "Somebody changed its amount.",
    "reward.reversed": "A refund took back some or all of it.",
    "reward.paid": "The partner has it.",
    "payout.created": "A draft was made.",
    "payout.submitted": "The partner may review it.",
    "payout.ready": "It may be paid.",
    "payout.paid": "The money has left.",
    "payout.cancelled": "Its rewards are approved again.",
    "customer.converted": "A lead paid for the first time.",
    "transaction.created": "A payment was recorded.",
    "transaction.updated": "Something about it changed, such as a refund.",
    "transaction.withdrawn": "It no longer counts.",
}
EVENT_GROUPS = tuple(
    (title, tuple((name, _WORDS.get(name, "")) for name in names))
    for title, names in (
        ("All", (event_types.ALL,)), ("Rewards", event_types.REWARD),
        ("Payouts", event_types.PAYOUT), ("Customers", event_types.CUSTOMER),
        ("Transactions", event_types.TRANSACTION),
    )
)  # fmt: skip


class EndpointForm(FlaskForm):  # type: ignore[misc]
    """An address, and what it is told."""

    url = StringField(
        "Address", [InputRequired("Where should events go?")],
        description="https:// and a host that can be reached from here, such as "
        "https://example.com/hooks/rewards.",
    )  # fmt: skip
    description = StringField(
        "Description (optional)", [Length(max=200)], description="Whose it is, and what for."
    )
    events = SelectMultipleField(
        "Tell it about", [InputRequired("Choose at least one kind of event.")],
        choices=[SelectChoice(name, name) for name in (event_types.ALL, *event_types.EVENT_TYPES)],
    )  # fmt: skip
    enabled = BooleanField(
        "Switched on", description="What happens while it is off is not sent later."
    )


class RotateForm(FlaskForm):  # type: ignore[misc]
    """For how long two secrets sign."""

    grace_hours = WholeField(
        "Hours for which the old one signs, too",
        [InputRequired("For how long?"),
         NumberRange(0, LONGEST_GRACE_HOURS, f"0 to {LONGEST_GRACE_HOURS} hours.")],
        default=24,
    )  # fmt: skip
