"""The conventions of the HTTP interface, once: operations, strict bodies, headers, commits."""
# flask-smorest has no types: calls into it cannot be checked.
# mypy: disable-error-code="no-untyped-call"

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from flask import Flask, Response, current_app, g, request
from flask_smorest.blueprint import Blueprint
from marshmallow import Schema
from sqlalchemy.orm import Session

from rewards_service.kit import formats, ids, problems
from rewards_service.kit.answering import answering
from rewards_service.kit.db import READ_ONLY, db
from rewards_service.kit.errors import NotFound, Unprocessable
from rewards_service.kit.files import FILE, FILES
from rewards_service.kit.reading import READS
from rewards_service.kit.strict_parser import StrictParser
from rewards_service.settings import Settings

API = "/api/"
V1 = "/api/v1"
WEBHOOKS = "/webhooks/"
MAX_BODY = 1024 * 1024
ANY_KEY = "any"  # scope of an operation that every valid key may use
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_CSV_BODY = {
    "required": True,
    "content": {"text/csv": {"schema": {"type": "string"}}},
}
_SETTINGS = "rewards_settings"
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

View = TypeVar("View", bound=Callable[..., Any])


def init_app(app: Flask, settings: Settings) -> None:
    """Put the conventions on `app`."""
    app.extensions[_SETTINGS] = settings
    problems.init_app(app)
    app.before_request(_begin)
    headers = headers_of(settings)

    def add_headers(answer: Response) -> Response:
        for name, value in headers.items():
            answer.headers.setdefault(name, value)
        answer.headers["X-Request-ID"] = problems.request_id()
        return answer

    app.after_request(add_headers)


def headers_of(settings: Settings) -> dict[str, str]:
    """What browsers are told with every answer that does not say it in its own way."""
    if settings.base_url.startswith("https://"):
        return {**_HEADERS, "Strict-Transport-Security": "max-age=31536000; includeSubDomains"}
    return _HEADERS


def current_settings() -> Settings:
    found: Settings = current_app.extensions[_SETTINGS]
    return found


def current_session(reads_only: bool = False) -> Session:
    """The session of this request. One that cannot change anything takes no lock on SQLite.

    `reads_only`: nothing is changed though the method could.
    """
    if "session" not in g:
        g.session = db.session
        if reads_only or request.method in SAFE_METHODS:
            is_api_read = not reads_only and request.path.startswith(API)
            g.session.connection(execution_options=READS if is_api_read else {READ_ONLY: True})
    session: Session = g.session
    return session


def _begin() -> None:
    # The same for the fields of a form, which are held in memory as JSON is.
    request.max_content_length = request.max_form_memory_size = max_body()
    problems.request_id()


def max_body() -> int:
    """How many bytes the body of this request may have."""
    view = current_app.view_functions.get(request.endpoint or "")
    most: int = getattr(view, "max_body", MAX_BODY)
    return most


class Files(tuple[str, ...]):
    """The media types of an answer that is a file."""


class Resource(Blueprint):
    """The operations of one resource. Each names the scope a key needs: there is no default."""

    ARGUMENTS_PARSER = StrictParser()

    def __init__(self, name: str, description: str) -> None:
        super().__init__(name, __name__, url_prefix=V1, description=description)

    def operation(  # noqa: PLR0913 - each is a word about one operation
        self,
        method: str,
        rule: str,
        *,
        scope: str,
        answer: type[Schema] | Schema | Files | None = None,
        status: int = 200,
        body: type[Schema] | Schema | None = None,
        query: type[Schema] | Schema | None = None,
        for_partners: bool = False,
        csv_bytes: int | None = None,
    ) -> Callable[[View], View]:
        """Publish a view: `body` or `query` is checked and handed to it, `answer` renders it.

        An answer with rows (see `formats`) is given out as CSV and XLSX, too. Without `query` it
        takes no parameters, and says so. for_partners: keys bound to a partner may use it; the view
        sees to it that they see their own only, as `kit.own` says. csv_bytes: it reads a body of
        CSV of up to so many bytes.
        """
        files = answer if isinstance(answer, Files) else None
        rendered = None if isinstance(answer, Files) else answer

        def publish(view: View) -> View:
            shown = formats.negotiable(view, rendered, query) if method == "GET" else view
            handler = shown
            # The last one is described first: generated clients take that.
            for kind in FILES if hasattr(shown, "table") else ():
                handler = self.alt_response(status, schema=FILE, content_type=kind)(handler)
            handler = self.response(status, rendered)(answering(handler, rendered, status))
            if body is not None:
                needed = not getattr(body, "may_be_absent", False)
                handler = self.arguments(body, location="json", required=needed)(handler)
            if query is not None:
                handler = self.arguments(query, location="query")(handler)
            else:
                handler = _without_query(handler)
            said = {"x-scope": scope, "x-partner-keys": for_partners, "x-files": files}
            if csv_bytes is not None:
                said["requestBody"] = _CSV_BODY
            handler = self.doc(operationId=view.__name__, **said)(handler)
            handler.scope, handler.for_partners = scope, for_partners
            handler.answer, handler.max_body = rendered, csv_bytes or MAX_BODY
            handler.body = body
            self.add_url_rule(rule, view.__name__, handler, methods=[method])
            return view

        return publish


def _without_query(view: View) -> View:
    @wraps(view)
    def check(*args: Any, **kwargs: Any) -> Any:
        if request.args:
            unknown = [{"pointer": f"/{name[:100]}", "detail": "Unknown field."}
                       for name in request.args]  # fmt: skip
            raise Unprocessable("This operation takes no query parameters.", unknown)
        return view(*args, **kwargs)

    return cast(View, check)


def path_key(prefix: str, text: str) -> int:
    """The key behind an id in a path. Raises NotFound when it is none of this kind."""
    key = ids.decode(prefix, text)
    if key is None:
        raise NotFound(f"{text[:100]} is not an id of this kind.")
    return key
