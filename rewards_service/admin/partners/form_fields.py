"""Fields in which people write rates, amounts and lists as they are used to; the API's form inside.

What is no rate, amount or list stands at the field; whether a rule may say it, its schema tells.
"""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from wtforms import SelectMultipleField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.widgets import CheckboxInput, ListWidget

from rewards_service.admin.amounts import read_amounts
from rewards_service.admin.partners.rule_words import amounts, percent

_NUMBER = re.compile(r"[0-9]{1,15}(?:[.,][0-9]{1,6})?")


def read_percent(text: str) -> str:
    """`12.5` as the API's "0.125". Raises ValueError."""
    plain = text.strip().removesuffix("%").strip()
    if not _NUMBER.fullmatch(plain):
        raise ValueError("Not a percentage such as 12.5.")
    value = Decimal(plain.replace(",", "."))
    if value > 100:
        raise ValueError("A percentage lies between 0 and 100.")
    if -int(value.normalize().as_tuple().exponent) > 4:
        raise ValueError("A percentage has at most four decimal places.")
    return f"{value.scaleb(-2):f}"


def show_percent(millionths: int | None) -> str:
    return "" if millionths is None else percent(millionths).removesuffix(" %")


def show_amounts(found: Mapping[str, int] | None) -> str:
    return amounts(found, ", ") if found else ""


def options(pairs: Iterable[tuple[str, str]]) -> list[SelectChoice]:
    """Choices of a field from their values and titles."""
    return [SelectChoice(value, title) for value, title in pairs]


class _ReadField(StringField):  # type: ignore[misc]
    """A text that means something: `meaning` is it, None for a blank one."""

    read = staticmethod(lambda text: text)

    def process_formdata(self, valuelist: list[str]) -> None:
        super().process_formdata(valuelist)
        self.meaning: Any = None
        if self.data and self.data.strip():
            self.meaning = self.read(self.data)  # a ValueError stands at the field


class PercentField(_ReadField):
    read = staticmethod(read_percent)


class AmountsField(_ReadField):
    read = staticmethod(read_amounts)


class ThresholdField(_ReadField):
    """Amounts, or a plain number of customers."""

    @staticmethod
    def read(text: str) -> Any:
        plain = text.strip()
        return int(plain) if plain.isascii() and plain.isdigit() else read_amounts(text)


class WholeNumberField(_ReadField):
    """An integer; whether it is within bounds, the schema tells."""

    @staticmethod
    def read(text: str) -> int:
        if not re.fullmatch(r"-?[0-9]{1,15}", text.strip()):
            raise ValueError("Not a whole number.")
        return int(text)


class LinesField(TextAreaField):  # type: ignore[misc]
    """One entry a line, or several with commas between."""

    @property
    def meaning(self) -> list[str] | None:
        parts: Iterable[str] = re.split(r"[,\n]", self.data or "")
        return [part.strip() for part in parts if part.strip()] or None


class ChecksField(SelectMultipleField):  # type: ignore[misc]
    """Some of a few, by check boxes."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()

    @property
    def meaning(self) -> list[str] | None:
        return list(self.data or []) or None
