"""Forms of a connected site."""

import re
from hashlib import sha256
from typing import Any

from flask_wtf import FlaskForm
from marshmallow import ValidationError
from wtforms import (
    BooleanField,
    HiddenField,
    PasswordField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from rewards_service.admin.amounts import read_amounts, read_whole
from rewards_service.admin.forms import ConnectForm, OptionsForm
from rewards_service.integrations.models import Integration
from rewards_service.kit.money import format_minor

MODES = {
    "live": "Live: payments do what is switched on",
    "observe": "Observe: work out what would happen, change nothing",
    "off": "Off: keep events, do nothing",
}
HIERARCHIES = {
    "invoice": "The customer of the invoice",
    "root": "The top of that customer's account hierarchy",
}
CONFLICTS = {
    "hold": "Hold the rewards until a person decides",
    "first_wins": "The first partner keeps the customer",
}
VERIFICATIONS = {
    "off": "Never",
    "above": "Above an amount",
    "always": "Always",
}
_PARTED = re.compile(r"[0-9]{1,3}(,[0-9]{3})+")
_SHORTEST_SHOWN = 16  # of a shorter key four characters would be too much of it
_QUIET = {"autocomplete": "off", "spellcheck": "false"}


def _choices(of: dict[str, str]) -> list[SelectChoice]:
    return [SelectChoice(value, title) for value, title in of.items()]


class SettingsForm(OptionsForm):
    """Everything about a site that does not need Chargebee."""

    seen = HiddenField()
    name = StringField("Name", description="What this connection is called here.", render_kw=_QUIET)
    mode = SelectField("Mode", choices=_choices(MODES))
    hierarchy = SelectField(
        "Whose payment it is", choices=_choices(HIERARCHIES),
        description="Matters where one company of a group pays for another.",
    )  # fmt: skip
    conflict = SelectField("When two partners claim one customer", choices=_choices(CONFLICTS))
    requests_per_minute = StringField(
        "Requests per minute",
        description="What Chargebee allows this site, 10 to 100,000. Empty: the setting of this "
        "installation.",
        render_kw={"inputmode": "numeric", **_QUIET},
    )


# Named as the members of the API are, so that what it objects to stands at its field.
setattr(
    SettingsForm, "verification-mode",
    SelectField(
        "Ask Chargebee before money follows", choices=_choices(VERIFICATIONS),
        description="Somebody who knows the webhook's password could invent a payment: so each is "
        "looked up at Chargebee first. Needs an API key.",
    ),
)  # fmt: skip
setattr(
    SettingsForm, "verification-above_minor",
    TextAreaField(
        "Above which amounts",
        description="One currency a line, such as 500.00 EUR. Currencies that are not named are "
        "always asked about.",
        render_kw={"rows": 3, **_QUIET},
    ),
)  # fmt: skip


class AddForm(ConnectForm):
    """Connect a site, and its webhook with it where there is an API key."""

    name = StringField(
        "Name", description="Empty: as the site.", render_kw=_QUIET,
    )  # fmt: skip
    mode = SelectField("Mode", choices=_choices(MODES))
    api_key = PasswordField(
        "API key",
        description="In Chargebee: Settings, Configure Chargebee, API Keys. Kept sealed, never "
        "shown again. Without one you set up the webhook by hand, and lost events stay lost.",
        render_kw={"autocomplete": "new-password"},
    )
    connect = BooleanField(
        "Make the webhook in Chargebee now", default=True,
        description="With a full-access API key. It can be done later, too.",
    )  # fmt: skip


class SiteForm(FlaskForm):  # type: ignore[misc]
    """Another site for the same connection."""

    site = ConnectForm.site


class KeyForm(FlaskForm):  # type: ignore[misc]
    """Another API key."""

    api_key = PasswordField(
        "New API key", [InputRequired("Paste the key."), Length(max=200)],
        description="In Chargebee: Settings, Configure Chargebee, API Keys. A key that may read is "
        "enough for everything but the webhook, which takes full access.",
        render_kw={"autocomplete": "new-password"},
    )  # fmt: skip


def drawn(row: Integration) -> dict[str, Any]:
    """What the form of the settings shows of a site."""
    amounts = sorted((row.verify_above_minor or {}).items())
    options = ("convert_lead", "associate_deal", "create_transaction", "hierarchy", "conflict")
    return {
        **{name: getattr(row, name) for name in ("name", "mode", *options)},
        "requests_per_minute": "" if row.requests_per_minute is None else row.requests_per_minute,
        "verification-mode": row.verify,
        "verification-above_minor": "\n".join(format_minor(n, code) for code, n in amounts),
    }


def mark_of(row: Integration) -> str:
    """Changes with what `drawn` shows: two people who change it at once are told."""
    return sha256(repr(sorted(drawn(row).items())).encode()).hexdigest()[:16]


def wanted(form: SettingsForm) -> dict[str, Any]:
    """The form as a body of the API's PATCH. Raises ValidationError for what is no number."""
    names = ("convert_lead", "associate_deal", "create_transaction", "hierarchy", "conflict")
    return {
        "name": (form.name.data or "").strip(),
        "mode": form.mode.data,
        "options": {name: form[name].data for name in names},
        "verification": {
            "mode": form["verification-mode"].data,
            "above_minor": _amounts(form["verification-above_minor"].data or ""),
        },
        "requests_per_minute": _limit(form.requests_per_minute.data or ""),
    }


def _limit(text: str) -> int | None:
    """`1,000` is a thousand, as the description of the field writes it; "1,5" is nothing."""
    if not text.strip():
        return None
    plain = text.strip()
    try:
        return read_whole(plain.replace(",", "") if _PARTED.fullmatch(plain) else plain)
    except ValueError as error:
        raise ValidationError({"requests_per_minute": [str(error)]}) from error


def _amounts(text: str) -> dict[str, int] | None:
    try:
        return read_amounts(text) or None
    except ValueError as error:
        raise ValidationError({"verification": {"above_minor": [str(error)]}}) from error


def say_by_label(form: OptionsForm) -> None:
    """What is objected to an option, with the titles of the fields instead of their names."""
    for name in ("convert_lead", "associate_deal", "create_transaction"):
        label = f"\u201c{form[name].label.text}\u201d"
        errors = form.create_transaction.errors
        form.create_transaction.errors = [str(error).replace(name, label) for error in errors]


def last_four(api_key: str) -> str | None:
    """What may be shown of a key, to know it again; None of a short one."""
    return api_key[-4:] if len(api_key) >= _SHORTEST_SHOWN else None
