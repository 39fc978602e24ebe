import socket
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from rewards_service.kit import outward
from rewards_service.kit.outward import NoAnswer, Outward
from tests.peers import certificate
from tests.peers.misbehaving import ENDLESS_BODY, ENDLESS_HEADERS, Misbehaving, answer, hang_up
from tests.peers.misbehaving import silence as hang

HERE = Outward(loopback=True, total_seconds=20.0)


class Names:
    """A resolver whose answers change from one look-up to the next."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, host: str, _port: int) -> Sequence[str]:
        self.asked.append(host)
        return self._answers.pop(0)


@pytest.fixture
def server() -> Iterator[Misbehaving]:
    with Misbehaving(answer(200, {"ok": True})) as server:
        yield server


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[Misbehaving, Outward]]:
    """A server with a certificate for hooks.example, and a caller that trusts it."""
    context, trusted = certificate.make(tmp_path, "hooks.example")
    with Misbehaving(answer(200, {"ok": True}), tls=context) as server:
        yield server, replace(HERE, ca_certs=str(trusted), total_seconds=20.0)


def port_of(server: Misbehaving) -> str:
    return server.url.rpartition(":")[2]


def code_of(caller: Outward, url: str) -> str:
    with pytest.raises(NoAnswer) as caught:
        caller.post(url, b"{}", {})
    assert caught.value.code in outward.NO_ANSWERS
    return caught.value.code


class TestPost:
    def test_it_connects_to_the_very_address_that_was_checked(
        self, secure: tuple[Misbehaving, Outward]
    ) -> None:
        """DNS rebinding: a second look-up would lead elsewhere."""
        server, caller = secure
        names = Names(["127.0.0.1"], ["10.0.0.1"])
        caller = replace(caller, resolver=names)

        found = caller.post(f"https://hooks.example:{port_of(server)}/a?b=c", b"{}", {"X": "y"})

        assert (found.status, found.beginning) == (200, b'{"ok": true}')
        assert names.asked == ["hooks.example"]
        (seen,) = server.seen
        assert (seen.method, seen.path, seen.query) == ("POST", "/a", [("b", "c")])
        assert seen.headers["host"] == f"hooks.example:{port_of(server)}"
        assert (seen.headers["x"], seen.body) == ("y", "{}")

    def test_a_name_that_leads_inside_is_not_called(self, server: Misbehaving) -> None:
        names = Names(["8.8.8.8", "127.0.0.1"], ["127.0.0.1"], ["::ffff:127.0.0.1"])
        caller = Outward(resolver=names)
        url = f"https://hooks.example:{port_of(server)}/"

        assert [code_of(caller, url) for _ in range(3)] == [outward.REFUSED] * 3
        assert server.connections == 0

    def test_a_redirect_is_an_answer_and_is_not_followed(self) -> None:
        with (
            Misbehaving(answer(200)) as inside,
            Misbehaving(answer(307, b"", Location=inside.url)) as server,
        ):
            assert HERE.post(server.url, b"{}", {}).status == 307
            assert inside.connections == 0

    def test_proxies_of_the_surroundings_are_not_used(
        self, server: Misbehaving, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, "http://127.0.0.1:1")

        assert HERE.post(server.url, b"{}", {}).status == 200

    def test_of_an_answer_only_the_beginning_is_read(self) -> None:
        with Misbehaving(ENDLESS_BODY) as server:
            found = HERE.post(server.url, b"{}", {})

        assert (found.status, len(found.beginning)) == (200, HERE.beginning_bytes)

    @pytest.mark.parametrize(
        ("behaviour", "code"),
        [(hang, outward.TIMED_OUT), (hang_up, outward.CUT_OFF),
         (ENDLESS_HEADERS, outward.CUT_OFF)],
    )  # fmt: skip
    def test_every_call_ends(self, behaviour: object, code: str) -> None:
        with Misbehaving(behaviour) as server:  # type: ignore[arg-type]
            seconds = 0.3 if code == outward.TIMED_OUT else HERE.total_seconds
            assert code_of(replace(HERE, total_seconds=seconds), server.url) == code

    def test_of_several_addresses_one_that_answers_will_do(
        self, secure: tuple[Misbehaving, Outward]
    ) -> None:
        server, caller = secure
        caller = replace(caller, resolver=Names(["127.0.0.2", "127.0.0.1"]))

        assert caller.post(f"https://hooks.example:{port_of(server)}/", b"", {}).status == 200

    def test_nobody_there(self) -> None:
        def nowhere(_host: str, _port: int) -> Sequence[str]:
            raise OSError

        with socket.create_server(("127.0.0.1", 0)) as gone:
            url = f"http://127.0.0.1:{gone.getsockname()[1]}"
        assert code_of(HERE, url) == outward.UNREACHABLE
        assert code_of(replace(HERE, resolver=nowhere), "https://a.example") == outward.UNRESOLVED
        assert code_of(replace(HERE, resolver=Names([])), "https://a.b") == outward.UNRESOLVED


class TestTls:
    def test_the_certificate_must_be_that_of_the_name(
        self, secure: tuple[Misbehaving, Outward]
    ) -> None:
        server, caller = secure
        caller = replace(caller, resolver=Names(*[["127.0.0.1"]] * 3))
        port = port_of(server)

        assert caller.post(f"https://hooks.example:{port}/", b"{}", {}).status == 200
        assert code_of(caller, f"https://other.example:{port}/") == outward.BAD_CERTIFICATE
        stranger = replace(caller, ca_certs=HERE.ca_certs)
        assert code_of(stranger, f"https://hooks.example:{port}/") == outward.BAD_CERTIFICATE
        assert len(server.seen) == 1
