"""The conventions of the HTTP interface, once: operations, strict bodies, headers, commits."""
# flask-smorest has no types: calls into it cannot be checked.
# mypy: disable-error-code="no-untyped-call"

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from flask import Flask, Response, current_app, g, request
from flask.typing import ResponseReturnValue
from flask_smorest.blueprint import Blueprint
from marshmallow import RAISE, Schema, ValidationError
from sqlalchemy.orm import Session
from webargs.flaskparser import FlaskParser
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import (
    MethodNotAllowed,
    RequestEntityTooLarge,
    UnsupportedMediaType,
)

from rewards_service.kit import ids, problems
from rewards_service.kit.db import READ_ONLY, db
from rewards_service.kit.errors import BadRequest, NotFound, Unprocessable
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
        rule = request.url_rule
        if rule is not None and rule.arguments and (methods := self._methods_at(request.path)):
            raise MethodNotAllowed(sorted(methods))
        answer = super().dispatch_request()
        if request.method not in _SAFE_METHODS:
            session: Session | None = g.get("session")
            if session is not None:
                session.commit()
        return answer

    def make_default_options_response(self) -> Response:
        answer = super().make_default_options_response()
        if request.url_rule is not None:
            answer.allow.clear()
            answer.allow.update(sorted(self._methods_at(request.url_rule.rule)))
        return answer

    def _methods_at(self, rule: str) -> set[str]:
        """Those of one address alone: /payouts/export is no payout with the id "export"."""
        rules = [known for known in self.url_map.iter_rules() if known.rule == rule]
        return {method for known in rules for method in known.methods or ()}

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


class Files(tuple[str, ...]):
    """The media types of an answer that is a file."""


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
        answer: type[Schema] | Schema | Files | None = None,
        status: int = 200,
        body: type[Schema] | Schema | None = None,
        query: type[Schema] | Schema | None = None,
    ) -> Callable[[View], View]:
        """Publish a view: `body` or `query` is checked and handed to it, `answer` renders it.

        Without `query` it takes no parameters, and says so.
        """
        files = answer if isinstance(answer, Files) else None
        shown = None if isinstance(answer, Files) else answer

        def publish(view: View) -> View:
            handler = self.response(status, shown)(view)
            if body is not None:
                needed = not getattr(body, "may_be_absent", False)
                handler = self.arguments(body, location="json", required=needed)(handler)
            if query is not None:
                handler = self.arguments(query, location="query")(handler)
            else:
                handler = _without_query(handler)
            handler = self.doc(operationId=view.__name__, **{"x-scope": scope, "x-files": files})(
                handler
            )
            handler.scope, handler.body = scope, body
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
