"""What can be exported: every operation that gives out rows, found by its address."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from flask import current_app
from marshmallow import ValidationError
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from rewards_service.kit import problems
from rewards_service.kit.errors import Unprocessable
from rewards_service.kit.table_views import TableView
from rewards_service.kit.web import V1

REPORTS = "/reports/"
# A file is the whole list, in the format that is asked for beside the filters.
_NOT_FILTERS = ("cursor", "format", "limit")


class Subject(NamedTuple):
    """A list or report: its operation, how to read it, and the ids in its address."""

    endpoint: str
    table: TableView
    ids: Mapping[str, Any]


def find(path: str) -> Subject | None:
    """What is at a path below /api/v1; None when no rows are given out there."""
    try:
        endpoint, ids = current_app.url_map.bind("").match(f"{V1}{path}", method="GET")
    except (HTTPException, RequestRedirect):
        return None
    table = getattr(current_app.view_functions[endpoint], "table", None)
    return None if table is None else Subject(endpoint, table, ids)


def check_filters(subject: Subject, filters: Mapping[str, str]) -> None:
    """Raises Unprocessable, naming each filter that the list or report refuses."""
    found: list[dict[str, str]] = [
        {"pointer": f"/filters/{name}", "detail": "An export is the whole list: leave this out."}
        for name in _NOT_FILTERS
        if name in filters
    ]
    try:
        subject.table.load(filters)
    except ValidationError as error:
        found += problems.walk(error.messages, "/filters")
    if found:
        raise Unprocessable("See errors: each names a filter and what is wrong with it.", found)
