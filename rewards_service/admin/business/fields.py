"""From forms to what the API takes: members as texts, times in UTC, money in whole units."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from flask_wtf import FlaskForm
from marshmallow import Schema, ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session
from wtforms import Field, HiddenField, SelectField, StringField
from wtforms.fields.choices import SelectChoice

from rewards_service.admin.amounts import read_amount
from rewards_service.audit.subjects import public_id
from rewards_service.kit.cells import decimal_text
from rewards_service.kit.clock import rfc3339
from rewards_service.kit.errors import Conflict
from rewards_service.kit.money import BASIS_POINTS, is_currency
from rewards_service.partners.finding import find_partners
from rewards_service.partners.models import Partner

MOST_CHOICES = 200  # partners of a menu; where there are more, one is named by a text
_NAMED = "By its id, e-mail address or external id. Empty: nobody."
_HUNDREDTHS = Decimal(100)
_PER_CENT = re.compile(r"[0-9]{1,3}([.,][0-9]{1,2})?")
_SECONDS = ":00"
_MINUTES = re.compile(r"[0-9-]{10}T[0-9]{2}:[0-9]{2}")


class ChangedMeanwhile(Conflict):
    code = "changed_meanwhile"
    title = "Somebody changed this while you had it open."


class VersionedForm(FlaskForm):  # type: ignore[misc]
    """A form that knows which state of a thing it shows."""

    version = HiddenField()

    def check_version(self, thing: Any) -> None:
        """Raises ChangedMeanwhile once; what is sent after that was decided knowing it."""
        shown, now = self.version.data, stamp(thing)
        if shown != now:
            self.version.data = now
            raise ChangedMeanwhile(
                "Somebody changed this while you had it open. Look whether your entries are "
                "still right, and save again."
            )


def stamp(thing: Any) -> str:
    """The state of a thing, as its last change tells it."""
    return rfc3339(thing.updated_at)


def with_partner(form: type[FlaskForm], session: Session, name: str, title: str) -> Any:
    """The form with a field for a partner: a menu, or a text where there are too many."""
    return type(form.__name__, (form,), {name: partner_field(partner_choices(session), title)})


def partner_choices(session: Session) -> list[SelectChoice] | None:
    """Partners for a menu, by name; None when there are too many."""
    rows = session.execute(
        select(Partner.id, Partner.name, Partner.email, Partner.status).limit(MOST_CHOICES + 1)
    ).all()
    if len(rows) > MOST_CHOICES:
        return None
    return [
        SelectChoice(public_id("partner", row.id), _title(row))
        for row in sorted(rows, key=lambda row: (row.name.casefold(), row.id))
    ]


def _title(row: Any) -> str:
    status = "" if row.status == "active" else f" ({row.status})"
    return f"{row.name} · {row.email}{status}" if row.email else f"{row.name}{status}"


def partner_field(choices: list[SelectChoice] | None, title: str) -> Field:
    """A field for a partner, of `partner_choices`."""
    if choices is None:
        return StringField(title, description=_NAMED)
    nobody = SelectChoice("", "Nobody")
    return SelectField(title, choices=[nobody, *choices], validate_choice=False)


def partner_id(session: Session, text: str | None, member: str) -> str | None:
    """The id of the partner that a text names; None for none. Raises ValidationError."""
    name = (text or "").strip()
    if not name:
        return None
    found = find_partners(session, [name])[name]
    if isinstance(found, str):
        raise ValidationError({member: [found]})
    return public_id("partner", found)


def told(form: FlaskForm, names: Iterable[str]) -> dict[str, str]:
    """The texts of fields, without spaces around them; of those that the form has."""
    return {name: (form[name].data or "").strip() for name in names if name in form}


def changes(
    schema: Schema, texts: Mapping[str, str], shown: Mapping[str, str]
) -> dict[str, str | None]:
    """Members whose text differs from what was shown; emptied ones are null where they may be."""
    return {
        name: text if text or not schema.fields[name].allow_none else None
        for name, text in texts.items()
        if text != shown[name]
    }


def time_of(field: Field) -> str:
    """What a field for time and day says, as the API takes it; as it was shown when unchanged."""
    shown, text = field.object_data or "", (field.data or "").strip()
    if _short(text) == _short(shown):
        return str(shown)
    return f"{_short(text)}{_SECONDS}Z" if _MINUTES.fullmatch(_short(text)) else f"{text}Z"


def _short(text: str) -> str:
    """Browsers leave seconds out that are 0, or not."""
    return text.removesuffix(_SECONDS) if len(text) == len("2026-01-31T08:30:00") else text


def of_field(at: datetime | None) -> str:
    """A time as a field for time and day shows it, in UTC."""
    if at is None:
        return ""
    return at.astimezone(UTC).replace(tzinfo=None, microsecond=0).isoformat()


def minor_units(text: str, currency: str, member: str) -> int:
    """`"1240.5", "EUR"` is 124050. Raises ValidationError."""
    if not is_currency(currency):
        return 0  # the currency is refused where it stands
    try:
        found = read_amount(text, currency)
    except ValueError as error:
        raise ValidationError({member: [str(error)]}) from error
    if found < 0:
        raise ValidationError({member: ["Not below zero."]})
    return found


def in_units(minor: int | None, currency: str | None) -> str:
    """`124050, "EUR"` is "1240.50"."""
    return "" if minor is None or currency is None else decimal_text(minor, currency)


def basis_points(text: str) -> int:
    """`"33.34"` per cent are 3334, and `"33,34"` as well. Raises ValidationError."""
    if not _PER_CENT.fullmatch(text):
        raise ValidationError({"shares": ["A share is a number of per cent such as 33.34."]})
    points = Decimal(text.replace(",", ".")) * _HUNDREDTHS
    if not 0 < points <= BASIS_POINTS:
        raise ValidationError({"shares": ["A share is more than 0 and at most 100 per cent."]})
    return int(points)


def per_cent(points: int) -> str:
    """3334 basis points are "33.34", and 2500 "25"."""
    return f"{Decimal(points) / _HUNDREDTHS:f}"
