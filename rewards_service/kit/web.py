"""The conventions of the HTTP interface, once: operations, strict bodies, headers, commits."""
# flask-smorest has no types: calls into it cannot be checked.
# mypy: disable-error-code="no-untyped-call"

from collections.abc import Callable
from http import HTTPStatus
from threading import Lock
from typing import Any, TypeVar

import flask_smorest
from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Flask, Response, current_app, g, request
from flask_smorest.blueprint import Blueprint
from flask_smorest.utils import prepare_response
from marshmallow import Schema
from sqlalchemy.orm import Session

from rewards_service.kit import formats, ids, problems
from rewards_service.kit.db import READ_ONLY, db
from rewards_service.kit.errors import NotFound
from rewards_service.kit.files import FILE, FILES
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
    app.after_request(_add_headers)


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
            g.session.connection(execution_options={READ_ONLY: True})
    session: Session = g.session
    return session


def _begin() -> None:
    request.max_content_length = max_body()
    problems.request_id()


def max_body() -> int:
    """How many bytes the body of this request may have."""
    view = current_app.view_functions.get(request.endpoint or "")
    most: int = getattr(view, "max_body", MAX_BODY)
    return most


def _add_headers(answer: Response) -> Response:
    for name, value in _HEADERS.items():
        answer.headers.setdefault(name, value)
    answer.headers["X-Request-ID"] = problems.request_id()
    return answer


class Api(flask_smorest.Api):
    """flask-smorest, with problem+json in the answers (see `problems`) and in the document."""

    ERROR_SCHEMA = problems.ProblemSchema  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self._undocumented: list[Blueprint] = []
        self._documenting = Lock()

    def register_blueprint(self, blp: Blueprint) -> None:  # type: ignore[override]
        """Serve a resource. Its description waits until someone asks for the document.

        It takes most of the time of a start, in each process, and most never show it.
        """
        self._app.extensions["flask-smorest"]["blp_name_to_api"][blp.name] = self
        self._app.register_blueprint(blp)
        self._undocumented.append(blp)

    def _openapi_json(self) -> Response:
        with self._documenting:
            while self._undocumented:
                blp = self._undocumented[0]
                blp.register_views_in_doc(self, self._app, self.spec, name=blp.name,
                                          parameters=None)  # fmt: skip
                self.spec.tag({"name": blp.name, "description": blp.description})
                self._undocumented.pop(0)
        answer: Response = super()._openapi_json()
        return answer

    def _register_error_handlers(self) -> None:
        """`problems` answers all errors of the application, not only those of this interface."""

    def _register_responses(self) -> None:
        names = {status.name: status.phrase for status in HTTPStatus}
        for name, phrase in {**names, "DEFAULT_ERROR": "An error"}.items():
            answer = {"description": phrase, "schema": self.ERROR_SCHEMA}
            prepare_response(answer, self.spec, problems.PROBLEM_JSON)
            self.spec.components.response(name, answer, lazy=True)


def make_api(app: Flask, version: str) -> Api:
    """The documented interface of `app`; its document is at /api/openapi.json."""
    app.config.update(
        API_TITLE="Rewards",
        API_VERSION=version,
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/api",
        OPENAPI_JSON_PATH="openapi.json",
    )
    api = Api()
    plugin = MarshmallowPlugin(schema_name_resolver=_schema_name)
    api.init_app(app, spec_kwargs={"marshmallow_plugin": plugin})
    api.spec.components.security_scheme("key", {"type": "http", "scheme": "bearer"})
    return api


def _schema_name(schema: Any) -> str:
    kind = schema if isinstance(schema, type) else type(schema)
    partial = not isinstance(schema, type) and bool(schema.partial)
    return kind.__name__.removesuffix("Schema") + ("Change" if partial else "")


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
        answer: type[Schema] | Schema | None = None,
        status: int = 200,
        body: type[Schema] | Schema | None = None,
        query: type[Schema] | Schema | None = None,
        for_partners: bool = False,
        csv_bytes: int | None = None,
    ) -> Callable[[View], View]:
        """Publish a view: `body` or `query` is checked and handed to it, `answer` renders it.

        An answer with rows (see `formats`) is given out as CSV and XLSX, too. for_partners: keys
        bound to a partner may use it; the view sees to it that they see their own only, as
        `kit.own` says. csv_bytes: it reads a body of CSV of up to so many bytes.
        """

        def publish(view: View) -> View:
            shown = formats.negotiable(view, answer, query) if method == "GET" else view
            handler = shown
            # The last one is described first: generated clients take that.
            for kind in FILES if hasattr(shown, "table") else ():
                handler = self.alt_response(status, schema=FILE, content_type=kind)(handler)
            handler = self.response(status, answer)(handler)
            if body is not None:
                handler = self.arguments(body, location="json")(handler)
            if query is not None:
                handler = self.arguments(query, location="query")(handler)
            said = {"x-scope": scope, "x-partner-keys": for_partners}
            if csv_bytes is not None:
                said["requestBody"] = _CSV_BODY
            handler = self.doc(security=[{"key": []}], **said)(handler)
            handler.scope, handler.for_partners = scope, for_partners
            handler.answer, handler.max_body = answer, csv_bytes or MAX_BODY
            self.add_url_rule(rule, view.__name__, handler, methods=[method])
            return view

        return publish


def path_key(prefix: str, text: str) -> int:
    """The key behind an id in a path. Raises NotFound when it is none of this kind."""
    key = ids.decode(prefix, text)
    if key is None:
        raise NotFound(f"{text[:100]} is not an id of this kind.")
    return key
