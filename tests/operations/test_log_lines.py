"""From what a caller sent to what a worker made of it, by the lines of the log."""

import io
import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from rewards_service.kit import log
from tests.builders.chargebee import paid
from tests.builders.world import World


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
class TestLines:
    @pytest.fixture
    def stream(self, quiet_log: None) -> io.StringIO:
        stream = io.StringIO()
        log.configure("json", stream)
        return stream

    def test_a_delivery_is_followed_from_the_request_to_its_batch(
        self, world: World, stream: io.StringIO
    ) -> None:
        body = paid("1", "cb1", "eve@buyer.example")
        answer = world.site.post(body, **{"X-Request-ID": "from-the-proxy"})
        world.drain()
        lines = written(stream)
        (webhook,) = (line for line in lines if line["event"] == "webhook")
        (batch,) = (line for line in lines if line["event"] == "batch")

        assert webhook | {"ms": 0, "timestamp": ""} == {
            "event": "webhook", "status": 200, "kept": "accepted", "id": answer.get_json()["id"],
            "ms": 0, "request_id": "from-the-proxy", "level": "info",
            "logger": "rewards_service.access", "timestamp": "",
        }  # fmt: skip
        assert (batch["events"], batch["ids"]) == (1, [webhook["id"]])
        assert len(batch["batch"]) == 12
        assert "buyer" not in stream.getvalue()

    def test_a_refused_delivery_leaves_one_line_too(
        self, world: World, stream: io.StringIO
    ) -> None:
        world.client.post("/webhooks/chargebee/nobody", json={})
        (line,) = written(stream)

        assert (line["event"], line["status"], line["kept"], line["id"]) == (
            "webhook", 401, None, None
        )  # fmt: skip

    def test_a_page_leaves_one_line_and_a_probe_none(
        self, client: FlaskClient, stream: io.StringIO
    ) -> None:
        client.get("/login")
        client.get("/livez")
        lines = [line for line in written(stream) if line["event"] == "request"]

        assert [(line["route"], line["status"]) for line in lines] == [("/login", 200)]


def written(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]
