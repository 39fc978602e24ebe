"""Lists of the HTTP interface: their query parameters, their pages, the link to what follows."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from flask import request
from marshmallow import Schema, fields, validate

from rewards_service.kit import pages
from rewards_service.kit.fields import NumberText, StrictSchema
from rewards_service.kit.refusals import invalid_member
from rewards_service.kit.web import current_settings


class ListQuery(StrictSchema):
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
    return type(f"{name}Schema", (StrictSchema,), dict(members))


def paging(query: Mapping[str, Any]) -> pages.Paging:
    """Which page a list's query asks for. Raises Unprocessable for a cursor made elsewhere."""
    after = None
    if "cursor" in query:
        after = pages.open_cursor(
            current_settings().secret_key, _cursor_purpose(query), query["cursor"]
        )
        if after is None:
            raise invalid_member(
                "cursor", "Not a cursor of this list in this order: take next_cursor as it came."
            )
    return pages.Paging(query["limit"], query["sort"].startswith("-"), after)


def page_answer(
    query: Mapping[str, Any], page: pages.Page, rows: Iterable[Any]
) -> tuple[dict[str, Any], int, dict[str, str]]:
    """The answer to a list: `rows` of this page, and where it goes on, in body and header."""
    if page.last is None:
        return {"data": list(rows), "next_cursor": None}, 200, {}
    cursor = pages.seal_cursor(current_settings().secret_key, _cursor_purpose(query), page.last)
    following = urlencode({**request.args.to_dict(), "cursor": cursor})
    link = {"Link": f'<{request.path}?{following}>; rel="next"'}
    return {"data": list(rows), "next_cursor": cursor}, 200, link


def _cursor_purpose(query: Mapping[str, Any]) -> str:
    return f"{request.endpoint}:{query['sort'].startswith('-')}"
