"""The simulator over HTTP: Chargebee's API below /api/v2, its own controls below /simulator."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import orjson
from flask import Flask, Response, request

from rewards_service.simulator.api import BASE, Request
from rewards_service.simulator.books import differences
from rewards_service.simulator.errors import ApiError, wrong_value
from rewards_service.simulator.month import is_over
from rewards_service.simulator.runner import Runner
from rewards_service.simulator.wire import dumps

MOST_BYTES = 5 * 1024 * 1024


def create_app(runner: Runner) -> Flask:
    """A WSGI application. Its controls have no password: let it listen on loopback only."""
    app = Flask("simulator", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MOST_BYTES
    app.config["MAX_FORM_PARTS"] = 10_000
    _add_api(app, runner)
    _add_controls(app, runner)
    app.register_error_handler(ApiError, _refused)
    return app


def _refused(error: ApiError) -> Response:
    return _json(error.body(), error.status)


def _json(value: Any, status: int = 200) -> Response:
    return Response(dumps(value), status, content_type="application/json")


def _add_api(app: Flask, runner: Runner) -> None:
    @app.route(f"{BASE}/<path:path>", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    def api(path: str) -> Response:
        found = runner.answer(
            Request(
                request.method,
                f"/{path}",
                tuple(request.args.items(multi=True)),
                tuple(request.form.items(multi=True)),
                {name.lower(): value for name, value in request.headers.items()},
            )
        )
        if found.pause_s:
            time.sleep(found.pause_s)
        if found.cut is None:
            return Response(found.body, found.status, found.headers)
        whole = {"Content-Length": str(len(found.body)), "Connection": "close"}
        part = _once(found.body[: found.cut])
        return Response(part, found.status, {**found.headers, **whole}, direct_passthrough=True)


def _once(part: bytes) -> Iterator[bytes]:
    yield part


def _members() -> dict[str, Any]:
    given = request.get_json(force=True, silent=True)
    if not isinstance(given, dict):
        raise wrong_value("body", "must be a JSON object")
    return given


def _verb(runner: Runner, verb: str) -> Any:
    return runner.say(verb, _members())


def _play(runner: Runner) -> Any:
    return {"steps": runner.play(_count("steps", 1))}


def _set_faults(runner: Runner) -> Any:
    return runner.set_faults(_members()).knobs()


def _faults(runner: Runner) -> Any:
    return runner.simulator.faults.knobs()


def _set_limit(runner: Runner) -> Any:
    runner.set_limit(_count("per_minute", 0), bool(_members().get("retry_after", True)))
    return {"per_minute": runner.simulator.limit.per_minute}


def _deliver(runner: Runner) -> Any:
    """Send what is due; with `all`, run time on until nothing is left to send."""
    return {"calls": runner.settle() if _members().get("all") else runner.pump()}


def _resend(runner: Runner, event_id: str) -> Any:
    return {"calls": runner.resend(event_id)}


def _deliveries(runner: Runner) -> Any:
    return {"list": runner.log}


def _check(runner: Runner) -> Any:
    found = differences(runner.simulator.site)
    return {"ok": not found, "differences": found}


def _progress(runner: Runner) -> Any:
    site = runner.simulator.site
    return {"now": site.now, "month": is_over(site), "planned": len(site.outbox)}


def _state(runner: Runner) -> Any:
    return orjson.Fragment(runner.state())


def _count(name: str, usual: int) -> int:
    value = _members().get(name, usual)
    if type(value) is not int or value < 0:
        raise wrong_value(name, "must be a whole number")
    return value


_CONTROLS: dict[tuple[str, str], Callable[..., Any]] = {
    ("POST", "/verbs/<verb>"): _verb,
    ("POST", "/play"): _play,
    ("POST", "/faults"): _set_faults,
    ("GET", "/faults"): _faults,
    ("POST", "/limit"): _set_limit,
    ("POST", "/deliver"): _deliver,
    ("POST", "/events/<event_id>/resend"): _resend,
    ("GET", "/deliveries"): _deliveries,
    ("GET", "/check"): _check,
    ("GET", "/progress"): _progress,
    ("GET", "/state"): _state,
}


def _add_controls(app: Flask, runner: Runner) -> None:
    for (method, path), control in _CONTROLS.items():
        app.add_url_rule(
            f"/simulator{path}", f"{method} {path}", _answering(control, runner), methods=[method]
        )


def _answering(control: Callable[..., Any], runner: Runner) -> Callable[..., Response]:
    return lambda **given: _json(control(runner, **given))
