"""Entity tags: a read that is not repeated, and a change that nobody else's is lost to (RFC 9110).

A tag is a digest of what GET answers, so it is strong. Where some members change without anybody
changing the thing (figures of health), the tag has two parts, `thing.whole`: a read is compared by
all of it, a change by the first part. `If-Match` takes weak tags too: a proxy that packs answers
makes them weak, and ours lose nothing by it.
"""

import hashlib
import json
from collections.abc import Collection
from functools import lru_cache
from typing import Any

from flask import Response, current_app, request
from marshmallow import Schema
from werkzeug.datastructures import ETags
from werkzeug.exceptions import HTTPException

from rewards_service.kit import db, packing
from rewards_service.kit.errors import PreconditionFailed, PreconditionRequired
from rewards_service.kit.fields import BY_ITSELF
from rewards_service.kit.web import current_session

_DIGEST_BYTES = 12


def answer_read(answer: Response) -> bool:
    """Tag what a GET answers; 304 when the caller has it already, and True."""
    if answer.status_code != 200 or answer.is_streamed:
        return False
    if "ETag" not in answer.headers:
        answer.set_etag(_tag(answer.get_data(), _changing_members(request.endpoint)))
    if "If-None-Match" not in request.headers:
        return False
    tag, _ = answer.get_etag()
    for known in (tag, f"{tag}{packing.ENDING}"):
        if known is not None and request.if_none_match.contains_weak(known):
            answer.set_etag(known)
            answer.set_data(b"")
            answer.status_code = 304
            return True
    return False


def check() -> None:
    """See to it that a change means the thing as it is, and that no other change comes between.

    A PATCH must say what it means: PreconditionRequired. A DELETE may, where there is a PATCH.
    Raises PreconditionFailed, or what GET raises.
    """
    wanted = request.if_match
    is_given = bool(request.headers.get("If-Match", "").strip())
    if request.method == "PATCH" and not is_given:
        raise PreconditionRequired
    if request.method not in ("PATCH", "DELETE") or not is_given:
        return
    here = current_app.create_url_adapter(request)
    if here is None or not here.test(method="PATCH"):
        return
    session = current_session()
    db.hold_stage(session, f"change {request.path}")  # until commit, after whoever is at it now
    if wanted.star_tag:
        return
    now = tag_at(request.path)
    session.expire_all()  # what is read from here on is read for the change, with its locks
    if now is not None and _thing(now) not in _things(wanted):
        raise PreconditionFailed


def tag_change(answer: Response) -> None:
    """Tag what a PATCH or a creation answers as GET of the thing would, before it is committed."""
    path = request.path
    if answer.status_code == 201:
        path = answer.headers.get("Location") or _path_of_new(answer) or ""
    elif request.method != "PATCH" or answer.status_code != 200:
        return
    session = current_session()
    session.flush()
    session.expire_all()  # times and numbers as the database gives them back
    tag = tag_at(path) if path else None
    if tag is not None:
        answer.set_etag(tag)
        if answer.status_code == 201:
            answer.headers["Location"] = path


def tag_at(path: str) -> str | None:
    """The tag of what GET answers at a path now, within this request's transaction; None: no GET.

    Raises what GET raises, such as NotFound.
    """
    here = current_app.create_url_adapter(request)
    try:
        endpoint, arguments = here.match(path, "GET") if here is not None else ("", {})
    except HTTPException:
        return None
    view = current_app.view_functions.get(endpoint)
    if view is None:
        return None
    answer = current_app.make_response(current_app.ensure_sync(view)(**arguments))
    return _tag(answer.get_data(), _changing_members(endpoint))


def _path_of_new(answer: Response) -> str | None:
    made = answer.get_json(silent=True) if answer.is_json else None
    name = made.get("id") if isinstance(made, dict) else None
    return f"{request.path}/{name}" if isinstance(name, str) else None


def _tag(body: bytes, changing: Collection[str]) -> str:
    if not changing:
        return _digest(body)
    members: dict[str, Any] = json.loads(body)
    thing = {name: value for name, value in members.items() if name not in changing}
    return f"{_digest(json.dumps(thing).encode())}.{_digest(body)}"


def _digest(body: bytes) -> str:
    return hashlib.blake2b(body, digest_size=_DIGEST_BYTES).hexdigest()


def _thing(tag: str) -> str:
    return tag.removesuffix(packing.ENDING).partition(".")[0]


def _things(tags: ETags) -> set[str]:
    return {_thing(tag) for tag in tags.as_set(include_weak=True)}


def _changing_members(endpoint: str | None) -> Collection[str]:
    view = current_app.view_functions.get(endpoint or "")
    schema = getattr(view, "answer", None)
    return () if schema is None else _changing_members_of(schema)


@lru_cache(maxsize=1_000)
def _changing_members_of(schema: Any) -> Collection[str]:
    made: Schema = schema() if isinstance(schema, type) else schema
    mark = BY_ITSELF.items()
    return [name for name, field in made.fields.items() if mark <= field.metadata.items()]
