"""What is noted of each request."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask, Response, send_file
from structlog.testing import capture_logs

from rewards_service.app import create_app
from rewards_service.kit import ids, metrics
from rewards_service.settings import Settings
from tests.builders.api import Caller


def samples(route: str) -> dict[str, float]:
    """The requests that were timed on a route, by method and class of status."""
    return {
        f"{sample.labels['method']} {sample.labels['status']}": sample.value
        for family in metrics._requests.collect()
        for sample in family.samples
        if sample.name.endswith("_count") and sample.labels["route"] == route
    }


class TestNote:
    def test_each_request_leaves_one_line_without_what_was_asked(
        self, settings: Settings, api: Caller
    ) -> None:
        with capture_logs() as lines:
            answer = api.call("GET", "/leads?email=eve@buyer.example&limit=7")
            api.call("GET", "/leads/eve@buyer.example")
            api.client.get("/api/v1/eve@buyer.example")
        first, second, third = (line for line in lines if line["event"] == "request")

        assert first == {
            "event": "request", "log_level": "info", "method": "GET", "route": "/api/v1/leads",
            "status": 200, "ms": first["ms"], "bytes": len(answer.data),
            "key": ids.encode("key", 1), "request_id": answer.headers["X-Request-ID"],
        }  # fmt: skip
        assert 0 < first["ms"] < 60_000
        assert (second["route"], second["status"]) == ("/api/v1/leads/<lead_id>", 404)
        assert (third["route"], third["status"], third["key"]) == ("none", 401, None)
        assert "buyer" not in str(lines)

    def test_a_stream_is_noted_when_its_last_part_is_taken(self, settings: Settings) -> None:
        closed = []

        def parts() -> Iterator[str]:
            try:
                yield from ("a", "bc")
            finally:
                closed.append(True)

        app = create_app(settings)
        app.add_url_rule("/api/stream", view_func=lambda: Response(parts(), mimetype="text/csv"))
        with capture_logs() as lines:
            answer = app.test_client().get("/api/stream", buffered=False)
            assert [line for line in lines if line["event"] == "request"] == []
            assert answer.data == b"abc"
            answer.close()

        assert [line["bytes"] for line in lines if line["event"] == "request"] == [3]
        assert closed == [True]

    def test_files_are_noted_as_well(self, settings: Settings, tmp_path: Path) -> None:
        path = tmp_path / "page.css"
        path.write_text("a { }")
        app = create_app(settings)
        app.add_url_rule("/api/page.css", view_func=lambda: send_file(path))
        client = app.test_client()
        with capture_logs() as lines:
            answer = client.get("/api/page.css")
            answer.close()
            again = client.get("/api/page.css", headers={"If-None-Match": answer.headers["ETag"]})
            again.close()
            client.head("/api/page.css").close()

        assert answer.data == b"a { }"
        noted = [(line["status"], line["bytes"]) for line in lines if line["event"] == "request"]
        assert noted == [(200, 5), (304, 0), (200, 0)]

    def test_probes_are_not_logged_but_counted(self, app: Flask) -> None:
        before = samples("/livez").get("GET 2xx", 0)
        with capture_logs() as lines:
            app.test_client().get("/livez")

        assert lines == []
        assert samples("/livez")["GET 2xx"] == before + 1

    def test_routes_are_counted_by_template_and_class_of_status(
        self, app: Flask, api: Caller
    ) -> None:
        route = "/api/v1/leads/<lead_id>"
        before = samples(route).get("GET 4xx", 0)
        for name in ("led_1", "led_2"):
            api.call("GET", f"/leads/{name}")
        odd = app.test_client().open("/nowhere", method="BREW")

        assert odd.status_code in (404, 405)
        assert samples(route)["GET 4xx"] == before + 2
        assert samples("none")["other 4xx"] >= 1
        assert f'route="{route}"' in metrics.render()[0].decode()


@pytest.fixture
def database_url(tmp_path: Path, sqlite_template: Path) -> str:
    path = tmp_path / "rewards.db"
    path.write_bytes(sqlite_template.read_bytes())
    return f"sqlite:///{path}"
