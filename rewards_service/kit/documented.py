"""The description of the HTTP interface, gathered from its operations when first asked for."""
# flask-smorest has no types: calls into it cannot be checked.
# mypy: disable-error-code="no-untyped-call"

import json
from collections.abc import Callable
from copy import deepcopy
from threading import Lock
from typing import Any

import flask_smorest
from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Flask, Response, current_app
from flask_smorest.blueprint import Blueprint
from marshmallow import fields

from rewards_service.kit import problems

Document = dict[str, Any]
Finish = Callable[[Document], Document]


class Api(flask_smorest.Api):
    """flask-smorest, with problem+json in the answers (see `problems`) and in the document."""

    DEFAULT_ERROR_RESPONSE_NAME = ""  # errors are described when the document is made

    def __init__(self, finish: Finish) -> None:
        super().__init__()
        self._undocumented: list[Blueprint] = []
        self._documenting = Lock()
        self._finish = finish
        self._document: Document | None = None
        self._text = b""

    def register_blueprint(self, blp: Blueprint) -> None:  # type: ignore[override]
        """Serve a resource. Its description waits until someone asks for the document.

        It takes most of the time of a start, in each process, and most never show it.
        """
        self._app.extensions["flask-smorest"]["blp_name_to_api"][blp.name] = self
        self._app.register_blueprint(blp)
        self._undocumented.append(blp)

    def document(self) -> Document:
        """The whole document, made once."""
        with self._documenting:
            if self._document is None:
                for blp in self._undocumented:
                    blp.register_views_in_doc(self, self._app, self.spec, name=blp.name,
                                              parameters=None)  # fmt: skip
                    self.spec.tag({"name": blp.name, "description": blp.description})
                self._document = self._finish(self.spec.to_dict())
                self._text = json.dumps(self._document, ensure_ascii=False).encode()
            return self._document

    def _openapi_json(self) -> Response:
        self.document()
        return current_app.response_class(self._text, mimetype="application/json")

    def _register_error_handlers(self) -> None:
        """`problems` answers all errors of the application, not only those of this interface."""

    def _register_responses(self) -> None:
        """These too: which of them an operation has is known when the document is made."""


def make_api(app: Flask, version: str, finish: Finish) -> Api:
    """The documented interface of `app`; its document is at /api/openapi.json.

    `finish` gets what the operations and schemas say, and gives the whole document.
    """
    app.config.update(
        API_TITLE="Rewards",
        API_VERSION=version,
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/api",
        OPENAPI_JSON_PATH="openapi.json",
    )
    api = Api(finish)
    plugin = MarshmallowPlugin(schema_name_resolver=_schema_name)
    api.init_app(app, spec_kwargs={"marshmallow_plugin": plugin})
    converter: Any = plugin.converter
    converter.attribute_functions.remove(converter.field2default)
    converter.attribute_functions.insert(1, _default(converter.field2default))
    converter.add_attribute_function(_described)
    api.spec.components.schema("Problem", schema=problems.ProblemSchema)
    return api


def _described(_converter: Any, field: fields.Field[Any], **_kwargs: Any) -> dict[str, Any]:
    """What a field of ours says of itself, and the names that a table's members may have."""
    found: dict[str, Any] = deepcopy(getattr(field, "described", {}))
    if isinstance(field, fields.Dict) and field.key_field is not None:
        found["propertyNames"] = _converter.field2property(field.key_field)
    return found


def _default(original: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    def default(field: fields.Field[Any], **kwargs: Any) -> dict[str, Any]:
        """None in a change: what is left out stays as it is."""
        return {} if getattr(field.parent, "partial", False) else original(field, **kwargs)

    return default


def _schema_name(schema: Any) -> str:
    kind = schema if isinstance(schema, type) else type(schema)
    partial = not isinstance(schema, type) and bool(schema.partial)
    return kind.__name__.removesuffix("Schema") + ("Change" if partial else "")
