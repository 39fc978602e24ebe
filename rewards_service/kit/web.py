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
from flask.typing import ResponseReturnValue
from flask_smorest.blueprint import Blueprint
from flask_smorest.utils import prepare_response
from marshmallow import RAISE, Schema, ValidationError
from sqlalchemy.orm import Session
from webargs.flaskparser import FlaskParser
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from rewards_service.kit import formats, ids, problems
from rewards_service.kit.db import READ_ONLY, db
from rewards_service.kit.errors import BadRequest, NotFound
from rewards_service.kit.files import FILE, FILES
from rewards_service.kit.strict_json import NotJson, parse
from rewards_service.settings import Settings

API = "/api/"
V1 = "/api/v1"
WEBHOOKS = "/webhooks/"
MAX_BODY = 1024 * 1024
ANY_KEY = "any"  # scope of an operation that every valid key may use
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_SETTINGS = "rewards_settings"
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

View = TypeVar("View", bound=Callable[..., Any])


class WebApp(Flask):
    """Flask with one transaction a request, committed after the view and before the answer.

    Webhooks look after themselves: they pay for none of the hooks of the interface for people.
    """

    def preprocess_request(self) -> ResponseReturnValue | None:
        return None if _is_webhook() else super().preprocess_request()

    def dispatch_request(self) -> ResponseReturnValue:
        answer = super().dispatch_request()
        if request.method not in _SAFE_METHODS:
            session: Session | None = g.get("session")
            if session is not None:
                session.commit()
        return answer

    def process_response(self, response: Response) -> Response:
        return response if _is_webhook() else super().process_response(response)


def _is_webhook() -> bool:
    return request.path.startswith(WEBHOOKS)


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
        if reads_only or request.method in _SAFE_METHODS:
            g.session.connection(execution_options={READ_ONLY: True})
    session: Session = g.session
    return session


def _begin() -> None:
    request.max_content_length = MAX_BODY
    problems.request_id()


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


class _StrictParser(FlaskParser):
    """Reads bodies as strict JSON and refuses query parameters that nobody asked for."""

    DEFAULT_UNKNOWN_BY_LOCATION = {  # noqa: RUF012 - as webargs has it
        **FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION,
        "query": RAISE,
    }

    def load_json(self, req: Any, schema: Schema) -> Any:
        if getattr(schema, "may_be_absent", False) and not (req.mimetype or req.get_data()):
            return {}
        if req.mimetype != "application/json":
            raise UnsupportedMediaType
        body = req.get_data()
        if req.content_length is None and len(body) >= MAX_BODY:  # chunked, and cut off there
            raise RequestEntityTooLarge
        try:
            return parse(body)
        except NotJson as problem:
            raise BadRequest(str(problem)) from problem

    def load_querystring(self, req: Any, schema: Schema) -> Any:
        given: MultiDict[str, str] = req.args
        twice = {name: ["Given more than once."] for name, all_ in given.lists() if len(all_) > 1}
        if twice:
            raise ValidationError(twice)
        return given.to_dict()


class Resource(Blueprint):
    """The operations of one resource. Each names the scope a key needs: there is no default."""

    ARGUMENTS_PARSER = _StrictParser()

    def __init__(self, name: str, description: str) -> None:
        super().__init__(name, __name__, url_prefix=V1, description=description)

    def operation(
        self,
        method: str,
        rule: str,
        *,
        scope: str,
        answer: type[Schema] | Schema | None = None,
        status: int = 200,
        body: type[Schema] | Schema | None = None,
        query: type[Schema] | Schema | None = None,
    ) -> Callable[[View], View]:
        """Publish a view: `body` or `query` is checked and handed to it, `answer` renders it.

        An answer with rows (see `formats`) is given out as CSV and XLSX, too.
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
            handler = self.doc(security=[{"key": []}], **{"x-scope": scope})(handler)
            handler.scope = scope
            self.add_url_rule(rule, view.__name__, handler, methods=[method])
            return view

        return publish


def path_key(prefix: str, text: str) -> int:
    """The key behind an id in a path. Raises NotFound when it is none of this kind."""
    key = ids.decode(prefix, text)
    if key is None:
        raise NotFound(f"{text[:100]} is not an id of this kind.")
    return key
