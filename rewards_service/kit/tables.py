"""Lists and reports as tables: columns from the schema of a row, cells from the row (pure)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from marshmallow import Schema, fields

from rewards_service.kit.cells import plain

Cell = str | int | None
MINOR = "_minor"


class Column(NamedTuple):
    """A column and where its value is in a row: "properties.site" is row["properties"]["site"]."""

    name: str
    path: tuple[str, ...]


class Money(NamedTuple):
    """Places of an amount's minor units and of its currency among the columns."""

    amount: int
    currency: int


def columns_of(schema: Schema, above: tuple[str, ...] = ()) -> tuple[Column, ...]:
    """The columns of a row as `schema` gives it out, in the order of its members.

    An object with members of its own becomes a column for each, with its name before a dot.
    """
    found: list[Column] = []
    for name, field in schema.dump_fields.items():
        path = (*above, field.data_key or name)
        if isinstance(field, fields.Nested) and not (field.many or field.schema.many):
            found += columns_of(field.schema, path)
        else:
            found.append(Column(".".join(path), path))
    return tuple(found)


def cells_of(columns: Sequence[Column], row: Mapping[str, Any]) -> list[Cell]:
    """The cells of a row that was given out as JSON; nothing where it has no such member."""
    return [plain(_value(row, column.path)) for column in columns]


def _value(row: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        if not isinstance(row, Mapping):
            return None
        row = row.get(name)
    return row


def money_of(columns: Sequence[Column]) -> dict[int, Money]:
    """Columns of minor units -> where their currency is, for those that have one.

    `amount_minor` belongs to `currency` beside it, `base_amount_minor` to `base_currency`,
    `pay_total_minor` to `pay_currency`; else the nearest object around has the currency.
    """
    places = {column.path: place for place, column in enumerate(columns)}
    found = {}
    for place, column in enumerate(columns):
        if column.path[-1].endswith(MINOR):
            currency = next((places[at] for at in _currencies(column.path) if at in places), None)
            if currency is not None:
                found[place] = Money(place, currency)
    return found


def _currencies(path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    words = path[-1].split("_")
    for count in range(len(words) - 1, 0, -1):
        yield (*path[:-1], "_".join([*words[:count], "currency"]))
    for depth in range(len(path) - 1, -1, -1):
        yield (*path[:depth], "currency")
