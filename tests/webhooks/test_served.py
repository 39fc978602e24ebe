"""The webhook endpoint behind the real server: what only shows on the wire."""

import http.client
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rewards_service.kit import ids
from rewards_service.settings import Settings
from rewards_service.webhooks.door import MAX_BODY
from tests.builders.chargebee import paid
from tests.builders.world import World
from tests.redis_process import until

ROOT = Path(__file__).resolve().parent.parent.parent
BODY = json.dumps(paid("p", "cb_1", "ada@one.example")).encode()


class Server:
    """gunicorn, as it is run in production, on a world's database."""

    def __init__(self, settings: Settings, log: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        environ = {
            **os.environ,
            "DATABASE_URL": settings.database_url, "REDIS_URL": settings.redis_url,
            "SECRET_KEY": settings.secret_key, "ENCRYPTION_KEYS": settings.encryption_keys[0],
            "BASE_URL": settings.base_url, "PORT": str(self.port), "WEB_WORKERS": "1",
        }  # fmt: skip
        arguments = ["--config", "python:rewards_service.cli.gunicorn_settings", "wsgi:app"]
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "gunicorn", *arguments],
                env=environ, cwd=ROOT, stdout=output, stderr=output,
            )  # fmt: skip

    def is_live(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def post(self, world: World, parts: list[bytes], **headers: str) -> tuple[int, str]:
        """(status, body) of a chunked post, part by part."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        given = {"Authorization": world.site.authorization, "Content-Type": "application/json"}
        connection.request(
            "POST", world.site.path, iter(parts), {**given, **headers}, encode_chunked=True
        )
        answer = connection.getresponse()
        found = answer.status, answer.read().decode()
        connection.close()
        return found


@pytest.fixture
def server(world: World, settings: Settings, tmp_path: Path) -> Iterator[Server]:
    assert world.site.id
    server = Server(settings, tmp_path / "server.log")
    assert until(server.is_live, 120), (tmp_path / "server.log").read_text()
    yield server
    server.process.terminate()
    server.process.wait(60)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
class TestChunked:
    def test_the_cap_holds_without_a_length_too(self, world: World, server: Server) -> None:
        """API, answers 411 and 413; no part of a body that is too large is kept."""
        chunked = {"Transfer-Encoding": "chunked"}
        assert server.post(world, [BODY[:99], BODY[99:]], **chunked)[0] == 200
        half = [b" " * (MAX_BODY // 2), b" " * (MAX_BODY // 2)]
        large = BODY.replace(b"ev_p", b"ev_q")
        assert server.post(world, [large, *half], **chunked)[0] == 413
        assert server.post(world, [BODY], **chunked) == (200, _duplicate(world))
        assert world.ended("ev_p") == ("pending", None)

    def test_a_post_of_nothing_is_answered(self, world: World, server: Server) -> None:
        """API: 400 for an empty body, 411 where no length is given."""
        assert server.post(world, [], **{"Transfer-Encoding": "chunked"})[0] == 400
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        connection.putrequest("POST", world.site.path)
        connection.putheader("Authorization", world.site.authorization)
        connection.putheader("Content-Type", "application/json")
        connection.endheaders()
        assert connection.getresponse().status == 411
        connection.close()


def _duplicate(world: World) -> str:
    return json.dumps({"status": "duplicate", "id": ids.encode("evt", world.event("ev_p").id)})
