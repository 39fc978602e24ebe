"""A request's body, read under our own cap and understood strictly, or refused with the reason."""

from typing import Any, NamedTuple

from rewards_service.inbox import envelope
from rewards_service.inbox.recording import Delivery
from rewards_service.webhooks import strict_json

MAX_BODY = 5 * 1024 * 1024


Environ = dict[str, Any]  # of WSGI


class Refusal(NamedTuple):
    """An answer other than 200, and what to tell the caller."""

    status: int
    detail: str


def read_delivery(environ: Environ) -> Delivery | Refusal:
    """The delivery a request carries, or why it is none."""
    media_type = environ.get("CONTENT_TYPE", "").partition(";")[0]
    if media_type.strip().lower() != "application/json":
        return Refusal(415, "Send application/json.")
    body = _read_body(environ)
    if isinstance(body, Refusal):
        return body
    try:
        value = strict_json.parse(body)
    except strict_json.NotJson as problem:
        return Refusal(400, str(problem))
    problem_found = envelope.not_an_event(value)
    if problem_found is not None:
        return Refusal(400, problem_found)
    return envelope.received(body, value)


def _read_body(environ: Environ) -> bytes | Refusal:
    """The whole body. The cap holds for chunked bodies too, which Flask's own limit would cut."""
    declared = environ.get("CONTENT_LENGTH")
    chunked = "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower()
    if not declared and not chunked:
        return Refusal(411, "Send a Content-Length, or a chunked body.")
    too_large = Refusal(413, f"The body is over {MAX_BODY} bytes.")
    if declared and not chunked:
        if not declared.isdigit():
            return Refusal(400, "The Content-Length is not a number.")
        if int(declared) > MAX_BODY:
            return too_large
        body: bytes = environ["wsgi.input"].read(int(declared))
        if len(body) != int(declared):
            return Refusal(400, "The body ended early.")
        return body
    body = environ["wsgi.input"].read(MAX_BODY + 1)
    return too_large if len(body) > MAX_BODY else body
