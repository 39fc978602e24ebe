"""Lists of the HTTP interface: their query parameters, their pages, the link to what follows."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from flask import request
from marshmallow import Schema, fields, validate

from rewards_service.kit import files, pages
from rewards_service.kit.fields import NumberText, StrictSchema
from rewards_service.kit.own import confined_to
from rewards_service.kit.refusals import invalid_member
from rewards_service.kit.walking import BATCH, Walk
from rewards_service.kit.web import current_settings

# What `formats` goes by when it gives out a list as a file.
_IS_PAGE = {"rows_member": "data", "has_pages": True}


class FormatQuery(StrictSchema):
    """Query parameters of whatever can be had as a file."""

    format = fields.String(validate=validate.OneOf(files.NAMES))


class ListQuery(FormatQuery):
    """Query parameters that every list has."""

    limit = NumberText(least=1, most=pages.MAX_LIMIT, load_default=pages.DEFAULT_LIMIT)
    cursor = fields.String(validate=validate.Length(max=100))
    sort = fields.String(load_default=pages.SORTS[0], validate=validate.OneOf(pages.SORTS))


def page_schema(name: str, item: type[Schema]) -> type[Schema]:
    """The schema of a page of `item`s."""
    members = {
        "data": fields.List(fields.Nested(item), required=True),
        "next_cursor": fields.String(required=True, allow_none=True),
    }
    return type(f"{name}Schema", (StrictSchema,), {**members, **_IS_PAGE})


def paging(query: Mapping[str, Any]) -> pages.Paging:
    """Which page a list's query asks for. Raises Unprocessable for a cursor made elsewhere."""
    after = None
    if "cursor" in query:
        after = pages.open_cursor(
            current_settings().secret_key, _cursor_purpose(query), query["cursor"]
        )
        if after is None:
            raise invalid_member(
                "cursor",
                "Not a cursor of this list in this order: take next_cursor as it came.",
            )
    first = pages.Paging(query["limit"], query["sort"].startswith("-"), after)
    return query.paging(first) if isinstance(query, Walk) else first


def page_answer(
    query: Mapping[str, Any], page: pages.Page, rows: Iterable[Any]
) -> tuple[dict[str, Any], int, dict[str, str]]:
    """The answer to a list: `rows` of this page, and where it goes on, in body and header."""
    if isinstance(query, Walk):
        query.after = page.last
    if page.last is None or isinstance(query, Walk):
        return {"data": list(rows), "next_cursor": None}, 200, {}
    cursor = pages.seal_cursor(current_settings().secret_key, _cursor_purpose(query), page.last)
    following = urlencode({**request.args.to_dict(), "cursor": cursor})
    link = {"Link": f'<{request.path}?{following}>; rel="next"'}
    return {"data": list(rows), "next_cursor": cursor}, 200, link


class PlacedQuery(FormatQuery):
    """Query parameters of a list in an order of its own, of which each page names its place."""

    limit = fields.Integer(
        load_default=pages.DEFAULT_LIMIT, validate=validate.Range(1, pages.MAX_LIMIT)
    )
    cursor = fields.String(validate=validate.Length(max=400))


def place(query: Mapping[str, Any]) -> list[Any] | None:
    """Where the page begins that is asked for: after this. Raises Unprocessable for a cursor of
    another list, or of the same one asked for in another way."""
    if isinstance(query, Walk) and query.after is not None:
        after: list[Any] = query.after
        return after
    if "cursor" not in query:
        return None
    found = pages.open_place(current_settings().secret_key, _place_purpose(), query["cursor"])
    if found is None:
        raise invalid_member(
            "cursor",
            "Not a cursor of this list asked for in this way: take next_cursor as it came.",
        )
    return found


def page_size(query: Mapping[str, Any]) -> int:
    """How many rows a page has, of a list with places."""
    return BATCH if isinstance(query, Walk) else int(query["limit"])


def next_place(
    query: Mapping[str, Any], last: Sequence[Any] | None
) -> tuple[str | None, dict[str, str]]:
    """(`next_cursor`, headers) of a page that ends at `last`; None: nothing follows."""
    if isinstance(query, Walk):
        query.after = last
    if last is None or isinstance(query, Walk):
        return None, {}
    cursor = pages.seal_place(current_settings().secret_key, _place_purpose(), last)
    following = urlencode({**request.args.to_dict(), "cursor": cursor})
    return cursor, {"Link": f'<{request.path}?{following}>; rel="next"'}


def _place_purpose() -> str:
    """What was asked for, but for how much of it."""
    asked = sorted(p for p in request.args.items() if p[0] not in ("cursor", "limit"))
    return f"{request.path}?{urlencode(asked)}"


def _cursor_purpose(query: Mapping[str, Any]) -> str:
    return f"{request.endpoint}:{query['sort'].startswith('-')}:{confined_to() or ''}"
