"""/files/<list>: the rows of a list or report as a file, for people; the API's, by its own code."""

from flask import current_app, request
from flask.typing import ResponseReturnValue
from marshmallow import ValidationError

from rewards_service.accounts.service import ADMIN
from rewards_service.admin.guard import NotForRole
from rewards_service.admin.pages import Pages, may
from rewards_service.exports import subjects
from rewards_service.exports.subjects import Subject
from rewards_service.kit import formats
from rewards_service.kit.errors import NotFound, Unprocessable
from rewards_service.kit.files import CSV, XLSX
from rewards_service.kit.problems import walk
from rewards_service.kit.web import V1

blueprint = Pages("files_pages")

# Scopes of the API that pages know by another name; all others are permissions themselves.
_PERMISSION_OF = {ADMIN: "keys:read", "conflicts:read": "events:read"}
# What keys ask for belongs to keys: people see none of it.
_OF_KEYS = ("exports.list_exports",)


@blueprint.page("/files/<path:name>", permission="exports:read")
def give_file(name: str) -> ResponseReturnValue:
    """A list (`rewards`, `payouts/pay_x/lines`, `reports/liability`) with its filters, as CSV.

    `format` may be xlsx. 404 for what gives out no rows, 403 without the list's own permission,
    422 for filters that the API would refuse, too.
    """
    subject = subjects.find(f"/{name}")
    if subject is None or subject.endpoint in _OF_KEYS:
        raise NotFound("There is no list of this name.")
    if not may(permission_of(subject)):
        raise NotForRole("Your role does not include this list.")
    kind = request.args.get("format", CSV)
    if kind not in (CSV, XLSX):
        raise Unprocessable(f"A file is {CSV} or {XLSX}.")
    return formats.as_file(kind, subject.table, (_query(subject),), subject.ids, f"{V1}/{name}")


def permission_of(subject: Subject) -> str:
    """What a person needs for a list besides `exports:read`."""
    scope: str = vars(current_app.view_functions[subject.endpoint])["scope"]
    return _PERMISSION_OF.get(scope, scope)


def _query(subject: Subject) -> dict[str, object]:
    """The filters of the address as the API reads them; empty ones count as not given."""
    given = {name: value for name, value in request.args.items() if value and name != "format"}
    try:
        query: dict[str, object] = subject.table.load(given)
    except ValidationError as error:
        raise Unprocessable(
            "The address names filters that this list does not take.",
            [{**one, "detail": f"{one['pointer'].strip('/')}: {one['detail']}"}
             for one in walk(error.messages, "")],
        ) from error  # fmt: skip
    return query
