"""The deadline holds on every kind of connection, and takes nothing from those that are in time."""

import ssl
from pathlib import Path

import pytest

from rewards_service.kit.deadline import DeadlineAdapter
from rewards_service.kit.http import Answer, Call, HttpClient, Patience
from rewards_service.kit.http_errors import TimedOut, Unreachable
from tests.peers import certificate, misbehaving
from tests.peers.fake_time import FakeTime
from tests.peers.misbehaving import Misbehaving, answer

GET = Call("get a thing", "GET", ("things", "1"), repeatable=True)
LARGE = Patience(read_seconds=5.0, total_seconds=10.0, body_bytes=10**9, attempts=1)


def client_of(server: Misbehaving, tick: float = 0.0) -> HttpClient:
    time = FakeTime(tick)
    return HttpClient(server.url, patience=LARGE, clock=time.clock, sleep=time.sleep)


def as_it_is(found: Answer) -> Answer:
    return found


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A server's certificate that the client trusts."""
    context, trusted = certificate.make(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(trusted))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return context


class TestWithin:
    def test_tls_connections_are_kept_too(self, tls: ssl.SSLContext) -> None:
        with Misbehaving(answer(200, {"a": 1}), tls=tls) as server, client_of(server) as client:
            found = [client.call(GET, as_it_is).body for _ in range(3)]

        assert found == [b'{"a": 1}'] * 3
        assert server.connections == 1

    def test_it_holds_under_tls(self, tls: ssl.SSLContext) -> None:
        with (
            Misbehaving(misbehaving.ENDLESS_CHUNKS, tls=tls) as server,
            client_of(server, tick=0.1) as client,
            pytest.raises(TimedOut),
        ):
            client.call(GET, as_it_is)

    def test_a_body_may_end_with_its_connection(self) -> None:
        with Misbehaving(misbehaving.until_closed) as server, client_of(server) as client:
            found = [client.call(GET, as_it_is).body for _ in range(2)]

        assert found == [b'{"ok": true}'] * 2
        assert server.connections == 2

    def test_who_cannot_be_trusted_is_told_nothing(self, tmp_path: Path) -> None:
        context, _ = certificate.make(tmp_path)
        with (
            Misbehaving(answer(200), tls=context) as server,
            client_of(server) as client,
            pytest.raises(Unreachable, match="certificate") as refused,
        ):
            client.call(GET, as_it_is)

        assert server.seen == []
        assert not refused.value.passes

    def test_it_holds_behind_a_proxy_too(self) -> None:
        adapter = DeadlineAdapter()
        behind = adapter.proxy_manager_for("http://127.0.0.1:1")

        assert behind.pool_classes_by_scheme == adapter.poolmanager.pool_classes_by_scheme
