"""The rule editor's form: what a rule can say, but for the members of its members and its rows.

Names are those of the API's members with hyphens between: `tiers-steps-0-rate` is the pointer
`/tiers/steps/0/rate`, so that what a schema or service objects to finds its field.
"""

from typing import Any

from flask_wtf import FlaskForm
from wtforms import (
    DateField,
    HiddenField,
    RadioField,
    SelectField,
    StringField,
    ValidationError,
)
from wtforms.validators import InputRequired, Length, Optional

from rewards_service.admin.partners.form_fields import (
    AmountsField,
    PercentField,
    WholeNumberField,
    options,
)
from rewards_service.kit.money import ROUNDINGS
from rewards_service.programs import rules as r

PERCENT, FLAT, BY_TIERS, BY_STEPS = "percent", "flat", "tiers", "rate_steps"
PAYS = {
    PERCENT: "A percentage", FLAT: "A flat amount", BY_TIERS: "By tiers",
    BY_STEPS: "By payments",
}  # fmt: skip
NOW, DAY, EVER = "now", "day", "ever"
WHOLE = {"inputmode": "numeric", "autocomplete": "off"}
DECIMAL = {"inputmode": "decimal", "autocomplete": "off"}
SUMS = {"autocomplete": "off", "placeholder": "500.00 EUR, 450.00 USD"}


class RuleForm(FlaskForm):  # type: ignore[misc]
    """What a rule says, but for what `rule_rows.sized` adds."""

    base_version = HiddenField()
    name = StringField(
        "Name",
        [InputRequired("What do people call this rule?"), Length(max=200)],
        description="Partners see it in the explanation of their rewards.",
        render_kw={"autocomplete": "off"},
    )
    level_id = SelectField(
        "For whom", choices=options([("", "Everybody in the programme")]), validate_choice=True
    )
    kind = RadioField("How it pays", choices=options(PAYS.items()), default=PERCENT)
    rate = PercentField(
        "Percentage", description="Such as 10 or 12.5.", render_kw=DECIMAL
    )  # fmt: skip
    amounts = AmountsField(
        "Amount for each paid invoice", render_kw=SUMS,
        description="One for each currency that you charge in: 5.00 USD, 4.50 EUR. Payments in "
        "other currencies earn nothing.",
    )  # fmt: skip
    base = SelectField(
        "Counts on",
        choices=options([(r.NET, "Net amount, without tax"), (r.GROSS, "Gross amount")]),
    )
    first_months = WholeNumberField(
        "Months", render_kw=WHOLE,
        description="Of each customer, from the first rewarded invoice on. Blank: without end.",
    )  # fmt: skip
    first_payments = WholeNumberField(
        "Payments of each customer", render_kw=WHOLE,
        description="How many paid invoices earn. Blank: all.",
    )  # fmt: skip
    annual = SelectField(
        "An annual plan paid within these months",
        choices=options([(r.FULL, "earns in full"), (r.PRORATE, "earns for the days within them")]),
    )
    max_reward_minor = AmountsField(
        "Most per reward", render_kw=SUMS, description="In other currencies there is no limit."
    )
    min_amount_minor = AmountsField(
        "Smallest payment that earns", render_kw=SUMS,
        description="Invoices that count for less earn nothing.",
    )  # fmt: skip
    trigger = SelectField(
        "Pays", choices=options([(r.TRANSACTION, "the customer's source partner"),
                         (r.DEAL, "the partner of the deal")]),
    )  # fmt: skip
    stack_group = StringField(
        "Stack group", [Length(max=100)], render_kw={"autocomplete": "off"},
        description="Of the rules in one group only that of the highest priority pays. Blank: it "
        "always pays beside others.",
    )  # fmt: skip
    priority = WholeNumberField("Priority in its group", default="0", render_kw=WHOLE)
    rate_lock = SelectField(
        "Which version counts for a customer",
        choices=options([(r.AT_PAYMENT, "that of the day of the payment"),
                 (r.AT_ATTRIBUTION, "that of the day the customer was won")]),
    )  # fmt: skip
    hold_days = WholeNumberField(
        "Days on hold", default="0", render_kw=WHOLE,
        description="How many days after the payment a reward may be paid out.",
    )  # fmt: skip
    flat_refund = SelectField(
        "A refund takes a flat reward back",
        choices=options([(r.AT_ZERO, "once nothing of the payment is left"),
                 (r.PRO_RATA, "in proportion"),
                 (r.THRESHOLD, "once less than a part of the payment is left")]),
    )  # fmt: skip
    flat_refund_threshold = PercentField(
        "That part, in percent", render_kw=DECIMAL, description="Such as 50."
    )
    refund_allocation = SelectField(
        "A refund of some lines",
        choices=options([(r.PRO_RATA, "lowers the reward in proportion"),
                 (r.BY_LINE, "lowers it by the lines it names")]),
    )  # fmt: skip
    rounding = SelectField(
        "Rounding", choices=options(zip(ROUNDINGS, ("Half to even", "Half up"), strict=True))
    )
    when = RadioField("Counts for payments", default=NOW, choices=options([
        (NOW, "from now on"), (DAY, "from a day on"), (EVER, "of any time"),
    ]))  # fmt: skip
    effective_from = DateField(
        "That day", [Optional()], description="It begins in the programme's time zone."
    )
    preview_days = SelectField(
        "Payments of", default="90",
        choices=options([("30", "the last 30 days"), ("90", "the last 90 days"),
                 ("365", "the last 12 months")]),
    )  # fmt: skip

    def validate_when(self, field: Any) -> None:
        if field.data == DAY and self.effective_from.data is None:
            raise ValidationError("Say which day.")
