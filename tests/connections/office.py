"""The whole service behind a port, and a simulated Chargebee that calls it."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import requests
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session
from werkzeug.serving import WSGIRequestHandler, make_server

from rewards_service.app import create_app
from rewards_service.connections.upkeep import Upkeep
from rewards_service.inbox.models import ReceivedEvent
from rewards_service.integrations.models import Integration
from rewards_service.kit.db import transaction
from rewards_service.kit.http import Patience
from rewards_service.settings import Settings
from rewards_service.simulator.api import BASE, KEY
from rewards_service.simulator.server import SimulatorServer
from tests.builders.api import Caller, Json

SITE = "acme-test"
ONCE = Patience(connect_seconds=2, read_seconds=5, total_seconds=10, attempts=1)


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


class Office:
    """One connected site. What is broken is broken through Chargebee's own API, by hand."""

    def __init__(
        self, settings: Settings, engine: Engine, chargebee: SimulatorServer, api: Caller
    ) -> None:
        self.settings, self.engine, self.chargebee, self.api = settings, engine, chargebee, api
        chargebee.runner.say("stock", {})

    # --- our side ---

    def connect(self, **more: Any) -> Json:
        """The integration, with its webhook in Chargebee."""
        return self.api.create("/integrations", site=SITE, api_key=KEY, connect=True, **more)

    def upkeep(self, **more: Any) -> Upkeep:
        return Upkeep(self.settings, self.engine, "test", ONCE, **more)

    def report(self, made: Json) -> tuple[bool, list[str]]:
        """Whether all is well, and which checks have something to say."""
        found = self.api.get(f"/integrations/{made['id']}/webhook")
        assert all(check["remedy"] for check in found["checks"] if check["id"] != "webhook")
        # A port of a test is none that Chargebee itself would post to.
        unasked = ("port", "webhook")
        return found["ok"], [check["id"] for check in found["checks"] if check["id"] not in unasked]

    def repair(self, made: Json) -> Json:
        answer = self.api.call("POST", f"/integrations/{made['id']}/connect")
        assert answer.status_code == 200, answer.text
        found: Json = answer.get_json()
        return found

    def row(self) -> Integration:
        with Session(self.engine, expire_on_commit=False) as session:
            return session.scalars(select(Integration)).one()

    def put(self, **values: Any) -> None:
        """Change the row of the integration, as time or an accident would."""
        with transaction(self.engine) as session:
            values["version"] = Integration.version + 1
            session.execute(update(Integration).values(values))

    def arrived(self) -> set[str]:
        with Session(self.engine) as session:
            return set(session.scalars(select(ReceivedEvent.event_id)))

    # --- Chargebee's side ---

    def happen(self) -> set[str]:
        """Somebody signs up, and the webhooks that follow are sent; their events."""
        before = set(self.chargebee.site.tables["event"].rows)
        self.chargebee.runner.say("sign_up", {"email": "ada@analytical.example"})
        self.chargebee.runner.pump()
        return set(self.chargebee.site.tables["event"].rows) - before

    def tell(self, path: str, **form: Any) -> Json:
        """POST to Chargebee's API, as somebody else with a key."""
        url = f"{self.chargebee.url}{BASE}{path}"
        with requests.Session() as session:
            session.trust_env = False
            answer = session.post(url, data=form, auth=(KEY, ""), timeout=60)
        assert answer.status_code == 200, answer.text
        found: Json = json.loads(answer.content)["webhook_endpoint"]
        return found

    def endpoints(self) -> list[Json]:
        """The webhooks that Chargebee has now, with their credentials."""
        rows = self.chargebee.site.tables["webhook_endpoint"].rows.values()
        return [row for row in rows if not row.get("deleted")]

    def statuses(self) -> set[int | None]:
        """How the service answered all webhook calls so far."""
        return {call["status"] for call in self.chargebee.runner.log}


@contextmanager
def opened(settings: Settings, engine: Engine) -> Iterator[Office]:
    with SimulatorServer(pumping=False) as chargebee:
        server = make_server("127.0.0.1", 0, lambda *_: [], threaded=True, request_handler=_Quiet)
        own = replace(
            settings, base_url=f"http://127.0.0.1:{server.server_port}",
            chargebee_api_base=chargebee.url, chargebee_requests_per_minute=0,
        )  # fmt: skip
        app = create_app(own)
        server.app = app
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield Office(own, engine, chargebee, Caller(app, own))
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
