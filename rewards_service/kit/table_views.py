"""Views whose answer holds rows: a list page by page to its end, a report as it is."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain
from typing import Any, NamedTuple

from marshmallow import Schema

from rewards_service.kit.dumping import writer_of
from rewards_service.kit.tables import Cell, Column, cells_of, columns_of
from rewards_service.kit.walking import Walk

View = Callable[..., Any]


class Rows(NamedTuple):
    """The rows of a table, in batches that were given out together."""

    columns: Sequence[Column]
    batches: Iterator[list[list[Cell]]]


class TableView:
    """A view whose answer holds rows, and how to read them all."""

    def __init__(self, view: View, answer: Schema, member: str, query: Any) -> None:
        self._view, self._query, self._member = view, query, member
        self._answer = answer
        self._has_pages = bool(getattr(answer, "has_pages", False))
        # Which columns there are, where that depends on what is asked for: names by the query.
        self._columns_for = getattr(answer, "columns_for", None)

    @cached_property
    def _item(self) -> Schema:
        field: Any = self._answer.fields[self._member]
        schema: Schema = getattr(field, "inner", field).schema
        return schema

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        return columns_of(self._item)

    def load(self, given: Mapping[str, str]) -> dict[str, Any]:
        """The view's query from texts, as they stand in an address. Raises ValidationError."""
        schema = self._query or Schema
        loaded: dict[str, Any] = (schema() if isinstance(schema, type) else schema).load(given)
        return loaded

    def answer(self, query: dict[str, Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """What the view answers to a query that `load` gave, before it is written as JSON."""
        query.pop("format", None)
        found = self._view(*(() if self._query is None else (query,)), **kwargs)
        body: dict[str, Any] = found[0] if isinstance(found, tuple) else found
        return body

    def read(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Rows:
        """All rows of a query; the first batch is read, so that errors show before any byte."""
        columns = self.columns
        if self._columns_for is not None:
            names = self._columns_for(args[0])
            columns = tuple(column for column in columns if column.name in names)
        batches = self._batches(columns, args, kwargs)
        return Rows(columns, chain([next(batches)], batches))

    def read_query(self, query: dict[str, Any], kwargs: Mapping[str, Any]) -> Rows:
        """The same for a query that `load` gave."""
        query.pop("format", None)
        return self.read(() if self._query is None else (query,), kwargs)

    def _batches(
        self, columns: Sequence[Column], args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> Iterator[list[list[Cell]]]:
        if not self._has_pages:
            yield self._cells(columns, self._view(*args, **kwargs))
            return
        walk = Walk(args[0])
        while True:
            yield self._cells(columns, self._view(walk, *args[1:], **kwargs))
            if walk.after is None:
                return

    def _cells(self, columns: Sequence[Column], answer: Any) -> list[list[Cell]]:
        body = answer[0] if isinstance(answer, tuple) else answer
        write = writer_of(self._item).write
        return [cells_of(columns, write(row)) for row in body[self._member]]
