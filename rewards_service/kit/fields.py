"""Fields and schemas of the API: strict types, one spelling of ids, times and money."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, ClassVar
from unicodedata import category

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from rewards_service.kit import emails, ids, money, patterns
from rewards_service.kit.clock import rfc3339

LONGEST_NAME = 200
LONGEST_EMAIL = 1_000
# Metadata of a member that changes without anybody changing the thing: see `etags`.
BY_ITSELF = {"x-changes-by-itself": True}
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = datetime(2200, 1, 1, tzinfo=UTC)
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_DIGITS = re.compile(r"-?[0-9]{1,18}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NO_INSTANT = "Not a time such as 2026-01-31T08:30:00Z, between 1970 and 2199."
_RATE = re.compile(r"[0-9]{1,2}(\.[0-9]{1,20})?")

Described = dict[str, Any]  # what of a field's JSON Schema its type alone does not say
SOMETIMES = {"x-sometimes": True}  # metadata of a member that not every answer has


class StrictSchema(Schema):
    """A body, query or answer; what it does not name is refused."""

    class Meta:
        unknown = RAISE


class Text(fields.String):
    """A string of `shortest`..`longest` characters; no control characters, no halves of any."""

    def __init__(
        self, *, shortest: int = 1, longest: int = LONGEST_NAME, lines: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(validate=validate.Length(shortest, longest), **kwargs)
        self._allowed = "\t\n\r" if lines else ""
        self._blank_is_wrong = shortest > 0

    @property
    def described(self) -> Described:
        return {"pattern": patterns.text(bool(self._allowed), not self._blank_is_wrong)}

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        if not isinstance(value, str):
            raise self.make_error("invalid")
        if any(category(sign) in ("Cc", "Cs") and sign not in self._allowed for sign in value):
            raise ValidationError("Holds a control character or half of a character.")
        # The mark of byte order is blank as well, by the patterns of the description.
        if self._blank_is_wrong and not value.replace("\ufeff", "").strip():
            raise ValidationError("Must not be blank.")
        return value


class Email(fields.String):
    """An address as people write it; whatever a payer's address may look like is accepted."""

    described: ClassVar[Described] = {
        "minLength": 1,
        "maxLength": LONGEST_EMAIL,
        "pattern": patterns.EMAIL,
    }

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        if not isinstance(value, str):
            raise self.make_error("invalid")
        if len(value) > LONGEST_EMAIL:
            raise ValidationError(f"Longer than maximum length {LONGEST_EMAIL}.")
        try:
            key = emails.strict_key(value)
        except emails.BadEmail as problem:
            raise ValidationError(f"Not an e-mail address: it {problem}.") from problem
        if key is None:
            raise ValidationError("Must not be blank.")
        if "\x00" in value:  # stripped from the key as space around it, but no database keeps it
            raise ValidationError("Holds a control character or half of a character.")
        return value


class PublicId(fields.String):
    """An opaque id outside, a key inside."""

    def __init__(self, prefix: str, **kwargs: Any) -> None:
        metadata = {"example": ids.encode(prefix, 1), **kwargs.pop("metadata", {})}
        super().__init__(metadata=metadata, **kwargs)
        self.prefix = prefix
        self.described = {"pattern": patterns.public_id(prefix)}

    def _serialize(self, value: Any, *args: Any, **kwargs: Any) -> str | None:
        return None if value is None else ids.encode(self.prefix, value)

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        key = ids.decode(self.prefix, value) if isinstance(value, str) else None
        if key is None:
            raise ValidationError(f"Not an id of this kind; they look like {self.prefix}_....")
        return key


class Instant(fields.DateTime):
    """RFC 3339 with a zone; given out in UTC."""

    described: ClassVar[Described] = {"pattern": patterns.INSTANT}

    def _serialize(self, value: Any, *args: Any, **kwargs: Any) -> str | None:
        return None if value is None else rfc3339(value)

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> datetime:
        return parse_instant(value)


def parse_instant(value: Any, said: str = _NO_INSTANT) -> datetime:
    """The UTC time an RFC 3339 text names, within 1970..2199. Raises ValidationError."""
    if isinstance(value, str) and _INSTANT.fullmatch(value):
        try:
            found = datetime.fromisoformat(value.upper()).astimezone(UTC)
        except (ValueError, OverflowError):
            found = _LATEST
        if _EARLIEST <= found < _LATEST:
            return found
    raise ValidationError(said)


class InstantOrDay(fields.String):
    """A time, or a day whose meaning the service knows: it depends on a time zone."""

    described: ClassVar[Described] = {"pattern": patterns.INSTANT_OR_DAY}

    def _serialize(self, value: Any, *args: Any, **kwargs: Any) -> str | None:
        return None if value is None else rfc3339(value)

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(value, str) and _DAY.fullmatch(value):
            try:
                day = date.fromisoformat(value)
            except ValueError:
                raise ValidationError("Not a day of the calendar.") from None
            if not _EARLIEST.date() < day < _LATEST.date():
                raise ValidationError("Not a day between 1970 and 2199.")
            return day
        return parse_instant(value)


class Day(fields.Date):
    """A day, YYYY-MM-DD, between 1970 and 2199."""

    described: ClassVar[Described] = {"pattern": patterns.DAY}

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> date:
        said = "Not a day such as 2026-01-31, between 1970 and 2199."
        return parse_instant(f"{value}T12:00:00Z", said).date()


class Whole(fields.Nested):
    """An object that is replaced as a whole: a change names all its members, too."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        return super()._deserialize(value, *args, **{**kwargs, "partial": False})


class Flag(fields.Boolean):
    """true or false; nothing that merely resembles them."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class Number(fields.Integer):
    """A JSON integer within bounds, or `beyond` is said; no float or boolean it may equal."""

    def __init__(self, *, least: int = 0, most: int = money.MAX_AMOUNT, **kwargs: Any) -> None:
        bounds = validate.Range(least, most, error=kwargs.pop("beyond", None))
        super().__init__(validate=bounds, **kwargs)

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> int:
        if type(value) is not int:
            raise self.make_error("invalid")
        return value


class NumberText(fields.Integer):
    """An integer of a query: ASCII digits, and nothing else that means a number."""

    def __init__(self, *, least: int, most: int, **kwargs: Any) -> None:
        super().__init__(validate=validate.Range(least, most), **kwargs)

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> int:
        if not _DIGITS.fullmatch(str(value)):
            raise self.make_error("invalid")
        return int(value)


class Choice(fields.String):
    """One of a few names."""

    def __init__(self, names: Sequence[str], **kwargs: Any) -> None:
        super().__init__(validate=validate.OneOf(names), **kwargs)


class Currency(fields.String):
    """An upper-case ISO 4217 code."""

    described: ClassVar[Described] = {"x-one-of": "Currency"}

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        if not isinstance(value, str) or not money.is_currency(value):
            raise ValidationError("Not an upper-case ISO 4217 currency code such as USD.")
        return value


class Rate(fields.String):
    """A decimal string outside ("0.20" is 20 %), millionths inside."""

    described: ClassVar[Described] = {"pattern": patterns.RATE}

    def _serialize(self, value: Any, *args: Any, **kwargs: Any) -> str | None:
        return None if value is None else money.format_rate(value)

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        if not isinstance(value, str) or not _RATE.fullmatch(value):
            raise ValidationError('Not a decimal string such as "0.20", which is 20 %.')
        try:
            return money.parse_rate(value)
        except ValueError as problem:
            raise ValidationError(str(problem)) from problem


class Amounts(fields.Dict):
    """Minor units by currency: {"USD": 500}; at least one."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(keys=Currency(), values=Number(), validate=_not_empty, **kwargs)

    described: ClassVar[Described] = {"minProperties": 1}


def _not_empty(value: Mapping[str, int]) -> None:
    if not value:
        raise ValidationError("Names no currency.")
