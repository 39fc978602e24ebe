"""The way to other systems: a sender ends between sending and noting, and the answer is lost."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from chaos.lab import Figures, Lab
from chaos.tour import named_points, tour
from rewards_service.kit.db import transaction
from rewards_service.outbound import service as outbound
from rewards_service.outbound.jobs import THREADS
from rewards_service.outbound.models import PENDING, WebhookDelivery

PATIENCE_SECONDS = 400.0  # a lane is leased for two minutes


def answer_lost(lab: Lab) -> Figures:
    """Each message arrives; those whose sender ended arrive again, under the same id.

    A worker has several on their way to an endpoint at once, and all of them may end with it.
    """
    with _receiver() as (port, received):
        endpoint = _endpoint(lab, f"http://127.0.0.1:{port}/hook")
        found = tour(lab, named_points("outbox."), 2, "f32")
        lab.stack.drain()
        all_sent = lab.stack.wait_for(lambda: _waiting(lab) == 0, PATIENCE_SECONDS)
        with transaction(lab.stack.engine) as session:
            outbound.change_endpoint(session, endpoint, {"enabled": False}, "chaos")
    assert all_sent, f"{_waiting(lab)} messages were not sent."
    with Session(lab.stack.engine) as session:
        query = select(WebhookDelivery.message_id).where(WebhookDelivery.endpoint_id == endpoint)
        told = set(session.scalars(query))
    assert told == set(received), "What was received is not what was told."
    again = sum(received.values()) - len(received)
    most = found["crashes"] * THREADS
    assert again <= most, f"{again} arrived again after {found['crashes']} crashes."
    return {"messages": len(told), "arrived_again": again, **found}


def _endpoint(lab: Lab, url: str) -> int:
    wanted = {"url": url, "events": ["*"], "description": "chaos", "enabled": True}
    keys = lab.stack.settings.encryption_keys
    with transaction(lab.stack.engine) as session:
        return outbound.create_endpoint(session, keys, wanted, "chaos")[0].id


def _waiting(lab: Lab) -> int:
    query = select(func.count()).where(WebhookDelivery.state == PENDING)
    with Session(lab.stack.engine) as session:
        return session.scalar(query) or 0


@contextmanager
def _receiver() -> Iterator[tuple[int, Counter[str]]]:
    """A system that takes webhooks: its port, and how often each message came."""
    received: Counter[str] = Counter()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            received[self.headers["webhook-id"]] += 1
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port, received
    finally:
        server.shutdown()
        server.server_close()
