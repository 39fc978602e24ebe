"""Calls of `kit.http` to a server that does everything wrong: every call ends, and says why."""

import pytest

from rewards_service.kit.http import Call, Patience
from rewards_service.kit.http_errors import (
    CutOff,
    HttpError,
    Redirected,
    TimedOut,
    TooLarge,
)
from tests.kit.calling import ANSWER, GET, HASTE, SHORT, as_it_is, talking
from tests.peers import misbehaving
from tests.peers.misbehaving import Behaviour, Misbehaving, answer


class TestCall:
    def test_it_sends_what_it_is_given_and_gives_what_comes(self) -> None:
        call = Call("x", "POST", ("a b", "ü/1"), [("q", "[1]")], [("n[0]", "ä&=")], {"X-Key": "k"})
        with talking(answer(201, {"a": 1}, X_Name="v")) as (client, server, _):
            found = client.call(call, as_it_is)

        assert (found.status, found.body, found.headers["x-name"]) == (201, b'{"a": 1}', "v")
        seen = server.seen[0]
        assert (seen.method, seen.path) == ("POST", "/a%20b/%C3%BC%2F1")
        assert (seen.query, seen.form) == ([("q", "[1]")], [("n[0]", "ä&=")])
        assert seen.headers["x-key"] == "k"
        assert seen.headers["authorization"] == "Basic a2V5Og=="  # key and an empty password
        assert seen.headers["content-type"] == "application/x-www-form-urlencoded"

    def test_connections_are_kept(self) -> None:
        with talking(answer(200), answer(404), answer(500), ANSWER) as (client, server, _):
            for _ in range(5):
                client.call(GET, as_it_is)

        assert (len(server.seen), server.connections) == (6, 1)

    def test_cookies_are_not(self) -> None:
        with talking(answer(200, {}, Set_Cookie="a=b")) as (client, server, _):
            client.call(GET, as_it_is)
            client.call(GET, as_it_is)

        assert "cookie" not in server.seen[1].headers

    @pytest.mark.parametrize("part", ["", ".", ".."])
    def test_a_path_does_not_leave_its_place(self, part: str) -> None:
        with talking(ANSWER) as (client, server, _), pytest.raises(ValueError, match="path"):
            client.call(Call("x", "GET", ("things", part)), as_it_is)

        assert server.seen == []

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 304])
    def test_nobody_sends_us_elsewhere(self, status: int) -> None:
        with (
            Misbehaving(ANSWER) as elsewhere,
            talking(answer(status, {}, Location=elsewhere.url)) as (client, server, _),
            pytest.raises(Redirected),
        ):
            client.call(GET, as_it_is)

        assert (len(server.seen), elsewhere.seen) == (1, [])


class TestEveryCallEnds:
    @pytest.mark.parametrize(
        ("behaviour", "error"),
        [
            (misbehaving.silence, TimedOut),
            (misbehaving.hang_up, CutOff),
            (misbehaving.cut_off, CutOff),
            (misbehaving.cut_off_chunk, CutOff),
            (misbehaving.noise, CutOff),
            (misbehaving.broken_gzip, CutOff),
            (answer(500), HttpError),
            (answer(429), HttpError),
        ],
    )
    def test_after_so_many_attempts(self, behaviour: Behaviour, error: type[HttpError]) -> None:
        patience = HASTE if error is TimedOut else SHORT
        with (
            talking(behaviour, patience=patience) as (client, server, time),
            pytest.raises(error) as raised,
        ):
            client.call(GET, as_it_is)

        assert type(raised.value) is error
        assert (len(server.seen), len(time.slept)) == (3, 2)

    @pytest.mark.parametrize(
        ("behaviour", "error"),
        [
            (misbehaving.ENDLESS_HEADER, HttpError),  # perhaps refused as too long
            (misbehaving.ENDLESS_HEADERS, HttpError),  # perhaps refused as too many
            (misbehaving.ENDLESS_CONTINUE, TimedOut),
            (misbehaving.ENDLESS_CHUNKS, TimedOut),
            (misbehaving.ENDLESS_BODY, TimedOut),
        ],
    )
    def test_after_so_long_however_the_bytes_drip(
        self, behaviour: Behaviour, error: type[HttpError]
    ) -> None:
        patience = Patience(read_seconds=5.0, total_seconds=10.0, body_bytes=10**9)
        with (
            talking(behaviour, patience=patience, tick=0.1) as (client, _, time),
            pytest.raises(HttpError) as raised,
        ):
            client.call(GET, as_it_is)

        assert isinstance(raised.value, error)
        assert time.now <= 11.0

    def test_waits_count(self) -> None:
        patience = Patience(total_seconds=50.0, attempts=1_000)
        with (
            talking(answer(429), patience=patience) as (client, server, time),
            pytest.raises(HttpError) as raised,
        ):
            client.call(GET, as_it_is)

        assert raised.value.wait_seconds == 20.0
        assert len(server.seen) == 3
        assert sum(time.slept) < 50.0

    def test_a_wait_that_is_too_long_is_not_begun(self) -> None:
        with (
            talking(answer(429), patience=Patience(total_seconds=10.0)) as (client, server, time),
            pytest.raises(HttpError),
        ):
            client.call(GET, as_it_is)

        assert (len(server.seen), time.slept) == (1, [])

    def test_nothing_is_sent_when_the_gate_took_all_the_time(self) -> None:
        with talking(ANSWER) as (client, server, time), pytest.raises(TimedOut):
            client.call(GET, as_it_is, time.sleep)  # sleeps for all that is left

        assert server.seen == []

    def test_all_calls_of_one_client_share_what_is_left(self) -> None:
        patience = Patience(total_seconds=6.0, all_calls_seconds=8.0)
        with talking(ANSWER, patience=patience) as (client, server, time):
            client.call(GET, as_it_is, lambda left: time.sleep(left - 0.5))
            with pytest.raises(TimedOut):
                client.call(GET, as_it_is, time.sleep)
            assert (len(server.seen), time.now) == (1, 8.0)

    def test_no_answer_grows_beyond_its_limit(self) -> None:
        patience = Patience(body_bytes=1_000_000)
        for behaviour in (misbehaving.ENDLESS_BODY, misbehaving.bomb(100_000_000)):
            with talking(behaviour, patience=patience) as (client, server, _):
                with pytest.raises(TooLarge):
                    client.call(GET, as_it_is)
                assert len(server.seen) == 1

    def test_a_packed_answer_within_its_limit_is_unpacked(self) -> None:
        with talking(misbehaving.bomb(900_000)) as (client, _, _):
            assert client.call(GET, as_it_is).body == bytes(900_000)
