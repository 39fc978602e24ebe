"""The answers of operations in JSON, by their schemas.

Byte for byte as Flask writes them, members sorted and in ASCII: entity tags of what has not changed
stay as they are.
"""
# flask-smorest has no types: calls into it cannot be checked.
# mypy: disable-error-code="no-untyped-call"

import codecs
import json
from collections.abc import Callable
from functools import wraps
from typing import Any

import orjson
from flask import Response, current_app, jsonify
from flask_smorest.utils import unpack_tuple_response
from marshmallow import Schema
from werkzeug.wrappers import Response as AnyResponse

from rewards_service.kit.dumping import writer_of

_OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
_ESCAPED = "json-escapes"
View = Callable[..., Any]


def answering(view: View, schema: type[Schema] | Schema | None, status: int) -> View:
    """A view that answers what `schema` says of what it returns, with `status` unless it says so.

    Without a schema, or where it returns an answer that is made, that is left as it is.
    """
    if schema is None:
        return view
    made = schema() if isinstance(schema, type) else schema

    @wraps(view)
    def answer(*args: Any, **kwargs: Any) -> Any:
        found, own_status, headers = unpack_tuple_response(view(*args, **kwargs))
        if isinstance(found, AnyResponse):
            return found, own_status, headers
        return _in_json(made, found), own_status or status, headers

    return answer


def _in_json(schema: Schema, found: Any) -> Response:
    writer = writer_of(schema)
    shown = writer.write(found)
    if not writer.is_plain:  # numbers with fractions, say, are spelt in several ways
        return jsonify(shown)
    return current_app.response_class(json_bytes(shown), mimetype="application/json")


def json_bytes(plain: Any) -> bytes:
    """What `jsonify` writes of text, integers, booleans and None, in lists and objects."""
    try:
        written = orjson.dumps(plain, option=_OPTIONS)
    except TypeError:  # integers of more than 64 bits, halves of characters
        return json.dumps(plain, sort_keys=True, separators=(",", ":")).encode() + b"\n"
    if not written.isascii():
        written = written.decode().encode("ascii", _ESCAPED)
    return written.replace(b"\x7f", b"\\u007f")  # the one sign of ASCII that only one escapes


def _escaped(error: Any) -> tuple[str, int]:
    """Signs that are not ASCII as JSON has them, those beyond 16 bits in two halves."""
    units = error.object[error.start : error.end].encode("utf-16-be").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4)), error.end


codecs.register_error(_ESCAPED, _escaped)
