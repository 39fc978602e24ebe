"""Forms of programmes and their levels."""

from typing import Any
from zoneinfo import available_timezones

from flask_wtf import FlaskForm
from wtforms import RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from rewards_service.admin.partners.form_fields import PercentField, options
from rewards_service.programs.models import APPROVALS, INACTIVE_PARTNERS, Program

APPROVED = dict(zip(APPROVALS, (
    "by a person, in the review", "by the clock, once their days on hold are over",
), strict=True))  # fmt: skip
INACTIVE = dict(zip(INACTIVE_PARTNERS, (
    "earn nothing meanwhile", "earn, but on hold until somebody decides",
), strict=True))  # fmt: skip


def zones(own: str = "UTC") -> list[Any]:
    """Those that are named by places, and the one that a programme has."""
    names = sorted({"UTC", own, *(name for name in available_timezones() if "/" in name)})
    return options((name, name) for name in names)


class ProgramForm(FlaskForm):  # type: ignore[misc]
    """What a programme says of itself."""

    name = StringField(
        "Name", [InputRequired("What do people call this programme?"), Length(max=200)],
        render_kw={"autocomplete": "off"},
    )  # fmt: skip
    description = TextAreaField("Description", [Length(max=5_000)], render_kw={"rows": "3"})
    timezone = SelectField(
        "Time zone", choices=zones, default="UTC",
        description="Months, days on hold and the days on which rules begin are counted in it. It "
        "cannot change once there is a rule.",
    )  # fmt: skip
    approval = RadioField(
        "Rewards are approved", choices=options(APPROVED.items()), default=APPROVALS[0]
    )
    inactive_partners = RadioField(
        "Partners that are paused", choices=options(INACTIVE.items()), default=INACTIVE_PARTNERS[0]
    )


class LevelForm(FlaskForm):  # type: ignore[misc]
    """A level, by its name."""

    level_name = StringField(
        "Name of the level", [InputRequired("Such as Gold."), Length(max=200)],
        render_kw={"autocomplete": "off", "placeholder": "Gold"},
    )  # fmt: skip


class FirstRuleForm(ProgramForm):
    """A new programme, with a first rule so that it pays something."""

    rate = PercentField(
        "First rule: percentage of the net amount", [Optional()],
        description="Such as 20. It can say much more later; blank: no rule yet.",
        render_kw={"inputmode": "decimal", "autocomplete": "off"},
    )  # fmt: skip


def shown(program: Program) -> dict[str, Any]:
    """What the form shows of a programme."""
    names = ("name", "description", "timezone", "approval", "inactive_partners")
    return {name: getattr(program, name) for name in names}


def asked(form: ProgramForm) -> dict[str, Any]:
    """The form as a body of the API."""
    return {
        "name": form.name.data, "description": form.description.data or None,
        "timezone": form.timezone.data, "approval": form.approval.data,
        "inactive_partners": form.inactive_partners.data,
    }  # fmt: skip
