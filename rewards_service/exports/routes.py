"""/api/v1/exports."""

import zlib
from collections.abc import Iterator
from itertools import chain
from typing import Any

from flask import Response, url_for
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from rewards_service.accounts import auth
from rewards_service.accounts.auth import current_actor, current_caller
from rewards_service.accounts.service import ADMIN
from rewards_service.exports import service, subjects
from rewards_service.exports.making import PIECE
from rewards_service.exports.models import DONE, EXPIRED, Export
from rewards_service.exports.schemas import ExportPageSchema, ExportRequestSchema, ExportSchema
from rewards_service.kit import bells, ids
from rewards_service.kit.db import READ_ONLY, db
from rewards_service.kit.files import FILES, content_type, file_name
from rewards_service.kit.lists import ListQuery, page_answer, paging
from rewards_service.kit.queue import EXPORTS
from rewards_service.kit.refusals import invalid_member
from rewards_service.kit.web import ANY_KEY, V1, Files, Resource, current_session, path_key

blueprint = Resource("exports", "Lists and reports as files that a worker writes")

PLAIN = (
    "id", "format", "filters", "state", "rows", "size", "sha256", "file_name", "error", "asked_at",
    "finished_at", "expires_at",
)  # fmt: skip


# What a key may export is what it may list: the scope is that of the list.
@blueprint.operation(
    "POST", "/exports", scope=ANY_KEY, body=ExportRequestSchema, answer=ExportSchema, status=202
)
def create_export(body: dict[str, Any]) -> Any:
    """Have a worker write a list or report to a file; Location says where to look for it."""
    member = "resource" if "resource" in body else "report"
    path = f"{'/' if member == 'resource' else subjects.REPORTS}{body[member]}"
    subject = subjects.find(path)
    if subject is None:
        raise invalid_member(member, f"There is no {member} of this name that has rows.")
    auth.check(current_caller(), subject.endpoint)
    subjects.check_filters(subject, body["filters"])
    made = service.ask(
        current_session(), current_caller().key_id, path, body["filters"], body["format"],
        file_name(V1 + path, body["format"]), current_actor(),
    )  # fmt: skip
    bells.ring(EXPORTS)
    here = url_for("exports.get_export", export_id=ids.encode("exp", made.id))
    return _shown(made), 202, {"Location": here}


@blueprint.operation("GET", "/exports", scope=ANY_KEY, query=ListQuery, answer=ExportPageSchema)
def list_exports(query: dict[str, Any]) -> Any:
    """List the exports that this key asked for; those of all keys for an admin."""
    page = service.list_exports(current_session(), paging(query), _only_of())
    return page_answer(query, page, [_shown(row[0]) for row in page.rows])


@blueprint.operation("GET", "/exports/<export_id>", scope=ANY_KEY, answer=ExportSchema)
def get_export(export_id: str) -> Any:
    """How far an export is."""
    return _shown(_found(export_id))


@blueprint.operation("GET", "/exports/<export_id>/file", scope=ANY_KEY, answer=Files(FILES))
def get_export_file(export_id: str) -> Any:
    """The file of an export that is done."""
    export = _found(export_id)
    subject = subjects.find(export.path)
    if subject is not None:
        auth.check(current_caller(), subject.endpoint)
    if export.state != DONE:
        again = " Ask for it again." if export.state == EXPIRED else ""
        raise service.ExportNotReady(f"This export is {export.state}.{again}")
    size = export.size or 0
    parts = _parts(db.engine, export.id, size)
    answer = Response(chain([next(parts)], parts), content_type=content_type(export.format))
    answer.content_length = size
    answer.headers["Content-Disposition"] = f'attachment; filename="{export.file_name}"'
    answer.headers["X-Content-SHA256"] = str(export.sha256)
    return answer


@blueprint.operation("DELETE", "/exports/<export_id>", scope=ANY_KEY, status=204)
def delete_export(export_id: str) -> None:
    """Remove an export and its file; one that is not done is given up."""
    service.delete_export(current_session(), _found(export_id), current_actor())


def _only_of() -> int | None:
    """Whose exports this caller sees: None for all."""
    caller = current_caller()
    return None if caller.may(ADMIN) else caller.key_id


def _found(export_id: str) -> Export:
    return service.get_export(current_session(), path_key("exp", export_id), _only_of())


def _shown(export: Export) -> dict[str, Any]:
    is_report = export.path.startswith(subjects.REPORTS)
    public_id = ids.encode("exp", export.id)
    return {
        **{name: getattr(export, name) for name in PLAIN},
        "resource": None if is_report else export.path[1:],
        "report": export.path.removeprefix(subjects.REPORTS) if is_report else None,
        "file": f"{V1}/exports/{public_id}/file" if export.state == DONE else None,
    }


def _parts(engine: Engine, export_id: int, size: int) -> Iterator[bytes]:
    """The file, piece by piece, no transaction held between them."""
    for number in range(-(-size // PIECE)):
        with Session(engine.execution_options(**{READ_ONLY: True})) as session:
            piece = service.read_chunk(session, export_id, number)
        if piece is None:  # an error: a file that merely ended here would look whole
            raise service.ExportNotReady("This export was removed while its file was read.")
        yield zlib.decompress(piece)
