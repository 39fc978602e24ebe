"""The webhook endpoint: authenticate, record, commit, answer, ring. Nothing else happens here.

It is a WSGI application mounted in front of Flask's router: an answer needs none of what Flask
does for a request, and that would cost as much again as the answer itself (decision 9).
"""

import json
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

import structlog
from flask import Flask
from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import DBAPIError, TimeoutError
from sqlalchemy.orm import Session
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from rewards_service.inbox import recording as inbox
from rewards_service.inbox.recording import Delivery, Recorder
from rewards_service.kit import bells, ids
from rewards_service.kit.connecting import IDLE_IN_TRANSACTION_MS, connect_args
from rewards_service.kit.crash_points import crash_point
from rewards_service.kit.log import request_id_of, write_line
from rewards_service.kit.metrics import count_answer, count_pool_timeout
from rewards_service.kit.queue import Doorbell
from rewards_service.kit.web import headers_of
from rewards_service.webhooks.door import Environ, Refusal, read_delivery
from rewards_service.webhooks.verify import Door, Doors

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

log = structlog.get_logger()

MOUNT = "/webhooks/chargebee"
MOST_CHANGES = 4  # of an integration while one delivery is taken: a rotation makes three
_STATE = "rewards_webhooks"
_PROBLEM = "application/problem+json"
_TITLES = {
    400: ("not_an_event", "Not an event"),
    401: ("unauthorized", "Unauthorized"),
    404: ("not_found", "Not found"),
    405: ("method_not_allowed", "Method not allowed"),
    411: ("length_required", "Length required"),
    413: ("too_large", "Content too large"),
    415: ("not_json", "Unsupported media type"),
    503: ("unavailable", "Service unavailable"),
}
_EXTRA_HEADERS = {
    401: [("WWW-Authenticate", 'Basic realm="webhook", charset="UTF-8"')],
    405: [("Allow", "POST")],
    503: [("Retry-After", "30")],
}
_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}
_NOT_RECORDED = Refusal(503, "The event could not be recorded; send it again.")
_UNKNOWN = Refusal(401, "The credentials are missing or wrong.")


class Reception:
    """The endpoint of one process: its doors, and connections that autocommit."""

    def __init__(self, database_url: str, secret_key: str, headers: Mapping[str, str]) -> None:
        self._headers = list(headers.items())
        self.engine: Engine = _autocommit_engine(database_url)
        self.doors = Doors(self.engine, secret_key)
        self.recorder = Recorder(self.engine)

    def close(self) -> None:
        """Give up the connections of this thread and those that nobody uses."""
        self.recorder.close()
        self.engine.dispose()

    def __call__(self, environ: Environ, start_response: "StartResponse") -> Iterable[bytes]:
        """Keep one Chargebee delivery and answer before anything acts on it.

        200 when it is committed or held already; 400, 411, 413, 415 when it is no event; 401 when
        the caller is not known; 503 when the database cannot commit: Chargebee comes again.
        """
        begun_at = perf_counter()
        request_id = request_id_of(environ.get("HTTP_X_REQUEST_ID"))
        try:
            answer = self._answer(environ)
            crash_point("web.before_reply")
        except (DBAPIError, TimeoutError) as problem:
            log.warning("webhook_not_recorded", error=type(problem).__name__, request_id=request_id)
            if isinstance(problem, TimeoutError):
                count_pool_timeout()
            answer = _NOT_RECORDED
        except Exception:
            log.exception("webhook_failed", request_id=request_id)
            answer = _NOT_RECORDED
        _note(answer, perf_counter() - begun_at, request_id)
        return _respond(answer, start_response, self._headers)

    def _answer(self, environ: Environ) -> "Taken | Refusal":
        endpoint_key = environ.get("PATH_INFO", "")[1:]
        if not endpoint_key or "/" in endpoint_key:
            return Refusal(404, "There is no such webhook endpoint.")
        if environ.get("REQUEST_METHOD") != "POST":
            return Refusal(405, "Events are posted.")
        authorization = environ.get("HTTP_AUTHORIZATION")
        door = self.doors.open_with(endpoint_key, authorization)
        if door is None:
            return _UNKNOWN
        delivery = read_delivery(environ)
        if isinstance(delivery, Refusal):
            return delivery
        key = self.recorder.record(door.integration_id, door.version, delivery)
        if key is not None:
            crash_point("web.before_ring")
            bells.ring("events")
            if door.is_rotating:
                self._end_rotation(door, authorization)
            return _accepted("accepted", key)
        key = self.recorder.find_repeated(door.integration_id, door.version, delivery)
        if key is not None:
            return _accepted("duplicate", key)
        return self._not_new(endpoint_key, authorization, delivery)

    def _end_rotation(self, door: Door, authorization: str | None) -> None:
        try:
            self.doors.end_rotation(door, authorization)
        except (DBAPIError, TimeoutError) as problem:  # the event is kept: the next one will do
            log.warning("rotation_not_ended", error=type(problem).__name__)

    def _not_new(
        self, endpoint_key: str, authorization: str | None, delivery: Delivery
    ) -> "Taken | Refusal":
        """A repeated delivery, or an integration that changed since it was cached."""
        for _ in range(MOST_CHANGES):
            door = self.doors.read_anew(endpoint_key, authorization)
            if door is None:
                return _UNKNOWN
            key = self._duplicate(door, delivery)
            if key is not None:
                return _accepted("duplicate", key)
            key = self.recorder.record(door.integration_id, door.version, delivery)
            if key is not None:
                bells.ring("events")
                return _accepted("accepted", key)
        return Refusal(503, "The integration is changing; send the event again.")

    def _duplicate(self, door: Door, delivery: Delivery) -> int | None:
        with Session(self.engine) as session, session.begin():
            key = inbox.keep_duplicate(session, door.integration_id, delivery)
            crash_point("web.duplicate_kept")
            return key


def reception_of(app: Flask) -> Reception:
    """The endpoint that is mounted in front of an app."""
    found: Reception = app.extensions[_STATE]
    return found


def init_app(app: Flask) -> None:
    """Mount an endpoint of its own in front of an app, and give the process its doorbell."""
    settings = app.extensions["rewards_settings"]
    reception = Reception(settings.database_url, settings.secret_key, headers_of(settings))
    app.extensions[_STATE] = reception
    app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {MOUNT: reception})  # type: ignore[method-assign]
    bells.install(Doorbell(settings.redis_url).ring)


def _autocommit_engine(database_url: str) -> Engine:
    """Connections whose every statement is a transaction: nothing to begin, commit or roll back."""
    if database_url.startswith("sqlite"):
        return create_engine(database_url, hide_parameters=True)
    return create_engine(
        database_url,
        hide_parameters=True,
        isolation_level="AUTOCOMMIT",
        pool_size=8,
        pool_timeout=2,
        pool_reset_on_return=None,
        connect_args={
            **connect_args(
                database_url,
                statement_timeout=5_000,
                idle_in_transaction_session_timeout=IDLE_IN_TRANSACTION_MS,
            ),
            "prepare_threshold": 2,
        },
    )


class Taken(NamedTuple):
    """A delivery that is kept: `accepted` now or a `duplicate`, and the public id of its event."""

    status: str
    id: str


def _accepted(status: str, key: int) -> Taken:
    return Taken(status, ids.encode("evt", key))


def _note(answer: Taken | Refusal, seconds: float, request_id: str) -> None:
    """One line for each delivery; the id leads to what workers say of the event."""
    status, kept, name = (
        (200, *answer) if isinstance(answer, Taken) else (answer.status, None, None)
    )
    write_line(
        "rewards_service.access", "webhook", status=status, kept=kept, id=name,
        ms=round(seconds * 1000, 1), request_id=request_id,
    )  # fmt: skip


def _respond(
    answer: Taken | Refusal, start_response: "StartResponse", headers: list[tuple[str, str]]
) -> list[bytes]:
    if isinstance(answer, Taken):
        count_answer(200)
        told = f'{{"status": "{answer.status}", "id": "{answer.id}"}}'.encode()
        length = str(len(told))
        own = [("Content-Type", "application/json"), ("Content-Length", length)]
        start_response("200 OK", own + headers)
        return [told]
    count_answer(answer.status)
    code, title = _TITLES[answer.status]
    problem = {
        "type": "about:blank",
        "title": title,
        "status": answer.status,
        "detail": answer.detail,
        "code": code,
    }
    body = json.dumps(problem).encode()
    own = [("Content-Type", _PROBLEM), ("Content-Length", str(len(body)))]
    extra = _EXTRA_HEADERS.get(answer.status, [])
    start_response(_LINES[answer.status], own + headers + extra)
    return [body]
