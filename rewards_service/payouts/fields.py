"""Fields that only payouts have."""

from base64 import b64decode
from typing import Any, ClassVar

from marshmallow import ValidationError, fields

from rewards_service.kit.fields import Described
from rewards_service.payouts.statement import parse_decimal_rate

_BASE64 = "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"


class ExactRate(fields.String):
    """A positive decimal number as text; how much of one currency a unit of another is worth."""

    described: ClassVar[Described] = {
        "pattern": r"^[0-9]{1,12}(\.[0-9]{1,12})?$",
        "example": "1.0842",
    }

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        try:
            parse_decimal_rate(value if isinstance(value, str) else "")
        except ValueError:
            raise ValidationError('Not a positive decimal string such as "1.0842".') from None
        return str(value)


class Base64(fields.String):
    """Bytes as base64."""

    described: ClassVar[Described] = {"contentEncoding": "base64", "pattern": _BASE64}

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return b64decode(value, validate=True) if isinstance(value, str) else b64decode("!")
        except ValueError:
            raise ValidationError("Not base64.") from None
