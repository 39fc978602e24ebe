"""schemathesis against the whole description, over real HTTP: `make fuzz-api`.

The service is served from a fresh database with some of everything. Chargebee is away (nobody
listens at its address), as nothing may be asked there.
"""

import argparse
import base64
import logging
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import structlog
from flask import Flask, Response, request
from sqlalchemy import create_engine
from werkzeug.serving import WSGIRequestHandler, make_server

from rewards_service.app import create_app
from rewards_service.exports import jobs as exports
from rewards_service.exports.making import Maker
from rewards_service.kit.errors import Forbidden
from rewards_service.kit.migrate import upgrade
from rewards_service.settings import Settings
from tests.builders.api import PREFIX, Caller, sample_bodies
from tests.builders.chargebee import paid
from tests.builders.whole import settings_for
from tests.builders.world import World

NOBODY = "http://127.0.0.1:9"
UNLIMITED = 10_000_000  # requests a minute
CONFIG = Path(__file__).parents[2] / "schemathesis.toml"


class _Quiet(WSGIRequestHandler):
    def log_request(self, *_: object, **__: object) -> None:
        """Thousands of lines would tell nothing."""


def prepared(settings: Settings) -> Settings:
    """Settings of a service that nobody fetches anything for, and that may be asked very often."""
    return replace(
        settings, chargebee_api_base=NOBODY, api_requests_per_minute=UNLIMITED,
        api_requests_per_minute_without_key=UNLIMITED,
    )  # fmt: skip


def fill(app: Flask, settings: Settings) -> Caller:
    """A caller with all rights, in a business with some of everything."""
    engine = create_engine(settings.database_url)
    world = World(app, engine, settings)
    partner = world.partner()
    world.lead("ada@one.example", partner)
    world.deal("bob@two.example", partner)
    payers = ["ada@one.example", "bob@two.example", "no@body.example", "ada@one.example"]
    for number, email in enumerate(payers):  # the last one is a conflict
        world.site.post(paid(str(number), f"payer_{number}", email))
    world.drain()
    api = Caller(app, settings)
    for path, body in sample_bodies(api).items():
        api.create(path, **body)
    rewards = api.get("/rewards")["data"]
    api.call("POST", f"/rewards/{rewards[0]['id']}/approve")
    _begin(api, app)
    engine.dispose()
    return api


def _begin(api: Caller, app: Flask) -> None:
    """What goes on for a while, or comes of something else."""
    payout = api.create("/payouts", currency="USD", cut_off="2100-01-01")["data"][0]["id"]
    document = base64.b64encode(b"%PDF-1.7").decode()
    api.create(f"/programs/{api.get('/programs')['data'][0]['id']}/levels", name="Silver")
    integration = next(
        one["id"] for one in api.get("/integrations")["data"] if one["site"] != "sample-test"
    )
    api.change(f"/integrations/{integration}", api_key="live_y")
    endpoint = api.get("/webhook-endpoints")["data"][0]["id"]
    for path, body in {
        f"/payouts/{payout}/invoice": {
            "invoice_number": "R-1", "document": document, "media_type": "application/pdf",
        },
        f"/integrations/{integration}/backfill": {},
        f"/integrations/{integration}/reconcile": {},
        f"/webhook-endpoints/{endpoint}/test": {},
        "/exports": {"resource": "partners", "format": "csv"},
    }.items():  # fmt: skip
        answer = api.call("POST", path, json=body)
        assert answer.status_code in (200, 202), answer.text
    with app.app_context():
        maker = Maker()
    exports.drain(maker)


def _keep(app: Flask, key_id: str) -> None:
    """Let nobody revoke the key that all requests come with: the rest would be 401s."""

    def refuse() -> None:
        if request.method == "DELETE" and request.path.endswith(key_id):
            raise Forbidden("This key is needed to the end.")

    app.before_request_funcs.setdefault(None, []).append(refuse)


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """The address of an application, served over HTTP in threads of this process."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()


def run(address: str, key: str | None, *options: str, quiet: bool = False) -> tuple[int, str]:
    """(exit status, report) of schemathesis against a served application."""
    header = ["--header", f"Authorization: Bearer {key}"] if key else []
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG), "run",
               f"{address}/api/openapi.json", *header, *options]  # fmt: skip
    output = subprocess.PIPE if quiet else None
    with TemporaryDirectory() as folder:  # it keeps crashes where it runs, to try them first
        done = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, text=True,
                              check=False, cwd=folder)  # fmt: skip
    return done.returncode, done.stdout or ""


def _count(app: Flask) -> Counter[int]:
    """How often each status is answered below /api/v1 from here on."""
    found: Counter[int] = Counter()

    def count(answer: Response) -> Response:
        if request.path.startswith(PREFIX):
            found[answer.status_code] += 1
        return answer

    app.after_request_funcs.setdefault(None, []).append(count)
    return found


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--without-key", action="store_true", help="nothing but 401 is good")
    parser.add_argument("--max-examples", default="10")
    known, options = parser.parse_known_args(arguments)
    # A line for each request would hide the report.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/rewards.db"
        upgrade(url)
        settings = prepared(settings_for(url))
        app = create_app(settings)
        api = fill(app, settings)
        _keep(app, api.get("/me")["id"])
        statuses = _count(app)
        key = None if known.without_key else api.key
        with served(app) as address:
            status, _ = run(address, key, "--max-examples", known.max_examples, *options)
    print("Answers by status:", dict(sorted(statuses.items())))
    return int(set(statuses) != {401}) if known.without_key else status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
