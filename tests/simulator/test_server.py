"""The simulator over HTTP: its controls, its webhooks on the wire, answers that break."""

import threading
from base64 import b64decode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests

from rewards_service.simulator.api import BASE, KEY
from rewards_service.simulator.server import SimulatorServer

SECONDS = 60


class Receiver(ThreadingHTTPServer):
    """Keeps every request; answers 200, or as `status` and `headers` say."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.status = 200

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook"


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b"".join(iter(self._chunk, b""))
        else:
            body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((self.path, dict(self.headers), body))
        self.send_response(self.server.status)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _chunk(self) -> bytes:
        size = int(self.rfile.readline(), 16)
        text = self.rfile.read(size)
        self.rfile.readline()
        return text

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def server() -> Iterator[SimulatorServer]:
    with SimulatorServer(pumping=False) as running:
        yield running


@pytest.fixture
def web(server: SimulatorServer) -> Iterator["Web"]:
    with requests.Session() as session:
        session.trust_env = False
        yield Web(session, server.url)


class Web:
    def __init__(self, session: requests.Session, url: str) -> None:
        self.session = session
        self.url = url

    def get(self, path: str) -> Any:
        return self.session.get(f"{self.url}{path}", auth=(KEY, ""), timeout=SECONDS)

    def tell(self, path: str, body: Any) -> Any:
        return self.session.post(f"{self.url}/simulator{path}", json=body, timeout=SECONDS)


class TestWebhooks:
    def test_they_go_out_with_credentials_and_user_agent(
        self, server: SimulatorServer, receiver: Receiver
    ) -> None:
        server.runner.listen(receiver.url, "ü", "secret:€")
        server.runner.say("sign_up", {"email": "a@b.example"})
        calls = server.runner.pump()
        [(path, headers, body)] = receiver.requests

        assert (calls, path) == (1, "/hook")
        assert b64decode(headers["Authorization"].removeprefix("Basic ")).decode() == "ü:secret:€"
        assert "ChargeBee" in headers["User-Agent"]
        assert b'"event_type":"customer_created"' in body

    def test_a_redirect_is_no_success_and_not_followed(
        self, server: SimulatorServer, receiver: Receiver
    ) -> None:
        receiver.status = 308
        server.runner.listen(receiver.url, "u", "p")
        server.runner.say("sign_up", {"email": "a@b.example"})
        server.runner.pump()

        assert [path for path, _, _ in receiver.requests] == ["/hook"]
        assert len(server.site.outbox) == 1

    def test_a_slow_body_arrives_whole(self, server: SimulatorServer, receiver: Receiver) -> None:
        server.runner.listen(receiver.url, "u", "p")
        server.runner.set_faults({"webhook_slow_s": 0.01})
        server.runner.say("sign_up", {"email": "a@b.example"})
        server.runner.pump()
        [(_, headers, body)] = receiver.requests

        assert headers["Transfer-Encoding"] == "chunked"
        assert body.endswith(b"}")

    def test_nobody_there_is_tried_again(self, server: SimulatorServer, receiver: Receiver) -> None:
        server.runner.listen("http://127.0.0.1:9/hook", "u", "p")
        server.runner.say("sign_up", {"email": "a@b.example"})
        server.runner.pump()

        assert server.runner.log[0]["status"] is None
        assert len(server.site.outbox) == 1

    def test_they_go_out_by_themselves(self, receiver: Receiver) -> None:
        arrived = threading.Event()
        with SimulatorServer() as running:
            running.runner.listen(receiver.url, "u", "p")
            running.runner.say("sign_up", {"email": "a@b.example"})
            for _ in range(1_200):
                if receiver.requests or arrived.wait(0.05):
                    break

        assert len(receiver.requests) == 1


class TestControls:
    def test_a_verb_makes_it_happen_and_the_api_shows_it(self, web: Web) -> None:
        made = web.tell("/verbs/sign_up", {"email": "a@b.example"}).json()
        found = web.get(f"{BASE}/customers/{made['customer_id']}").json()

        assert found["customer"]["email"] == "a@b.example"

    @pytest.mark.parametrize(
        ("path", "body", "status"),
        [
            ("/verbs/dance", {}, 404),
            ("/verbs/pay", {}, 400),
            ("/verbs/pay", {"invoice_id": "99"}, 404),
            ("/verbs/pay", [], 400),
            ("/faults", {"nonsense": 1}, 400),
            ("/play", {"steps": 0}, 400),
            ("/play", {"steps": "many"}, 400),
            ("/events/ev_x/resend", {}, 404),
        ],
    )
    def test_what_cannot_be_is_refused(self, web: Web, path: str, body: Any, status: int) -> None:
        answer = web.tell(path, body)

        assert (answer.status_code, "message" in answer.json()) == (status, True)

    def test_a_play_can_be_checked_and_its_webhooks_run_out(self, web: Web) -> None:
        steps = web.tell("/play", {"steps": 30}).json()["steps"]

        assert len(steps) == 30
        assert web.get("/simulator/check").json() == {"ok": True, "differences": []}
        assert web.tell("/deliver", {"all": True}).json() == {"calls": 0}
        assert web.get("/simulator/deliveries").json() == {"list": []}
        assert web.get("/simulator/progress").json()["month"] is False
        assert web.get("/simulator/state").json()["seed"] == 1

    def test_faults_and_limits_are_set_and_shown(self, web: Web) -> None:
        web.tell("/faults", {"lag_s": 300})
        web.tell("/limit", {"per_minute": 1})
        statuses = [web.get(f"{BASE}/customers").status_code for _ in range(2)]

        assert web.get("/simulator/faults").json()["lag_s"] == 300
        assert statuses == [200, 429]

    def test_an_answer_can_end_in_the_middle(self, web: Web) -> None:
        web.tell("/faults", {"cut": 1})
        with pytest.raises(requests.RequestException):
            web.get(f"{BASE}/customers")

    def test_a_slow_answer_is_the_same_answer(self, web: Web) -> None:
        web.tell("/faults", {"slow": 1, "slow_s": 0.01})

        assert web.get(f"{BASE}/customers").json() == {"list": []}


class TestState:
    def test_a_site_goes_on_after_a_restart(self, tmp_path: Path) -> None:
        path = tmp_path / "site.json"
        with SimulatorServer(pumping=False, state=path) as first:
            made = first.runner.say("sign_up", {"email": "a@b.example"})
        with SimulatorServer(pumping=False, state=path, seed=99) as second:
            found = second.site.find("customer", made["customer_id"])

        assert found["email"] == "a@b.example"
        assert second.site.seed == 1
