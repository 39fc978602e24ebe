"""Calls of `kit.http` that fail: which of them are made again, and what is told of them."""

import logging
import socket
from collections.abc import Callable

import pytest

from rewards_service.kit.http import Call, HttpClient
from rewards_service.kit.http_errors import (
    CutOff,
    HttpError,
    Unreachable,
)
from tests.kit.calling import ANSWER, GET, HASTE, POST, SHORT, as_it_is, talking
from tests.peers import misbehaving
from tests.peers.fake_time import FakeTime
from tests.peers.misbehaving import Behaviour, answer


class TestRepeating:
    def test_a_call_gets_through_when_one_attempt_does(self) -> None:
        behaviours = (misbehaving.cut_off, answer(503), ANSWER)
        with talking(*behaviours) as (client, server, time):
            assert client.call(GET, as_it_is).status == 200

        assert len(server.seen) == 3
        assert 0.25 <= time.slept[0] <= 0.5
        assert 0.5 <= time.slept[1] <= 1.0

    @pytest.mark.parametrize("behaviour", [misbehaving.cut_off, misbehaving.silence, answer(500)])
    def test_what_may_have_happened_is_not_repeated(self, behaviour: Behaviour) -> None:
        with (
            talking(behaviour, patience=HASTE) as (client, server, _),
            pytest.raises(HttpError),
        ):
            client.call(POST, as_it_is)

        assert len(server.seen) == 1

    def test_what_was_turned_away_is_repeated(self) -> None:
        with talking(answer(429), ANSWER) as (client, server, time):
            assert client.call(POST, as_it_is).status == 200

        assert len(server.seen) == 2
        assert 20.0 <= time.slept[0] <= 21.0

    def test_nobody_at_home_is_tried_again_even_with_a_post(self) -> None:
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            time = FakeTime()
            base = f"http://127.0.0.1:{closed.getsockname()[1]}"
            client = HttpClient(base, patience=SHORT, clock=time.clock, sleep=time.sleep)
            with client, pytest.raises(Unreachable):
                client.call(POST, as_it_is)

        assert len(time.slept) == 2

    def test_the_gate_is_asked_before_each_attempt(self) -> None:
        asked: list[float] = []
        gate: Callable[[float], None] = asked.append
        with talking(answer(500), ANSWER) as (client, _, time):
            client.call(GET, as_it_is, gate)

        assert asked == [180.0, 180.0 - time.slept[0]]


class TestSecrets:
    def test_neither_log_nor_error_shows_key_path_or_parameters(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        call = Call("get a thing", "GET", ("p-secret",), [("q", "q-secret")], repeatable=True)
        with (
            caplog.at_level(logging.INFO),
            talking(misbehaving.noise) as (client, _, _),
            pytest.raises(CutOff) as raised,
        ):
            client.call(call, as_it_is)

        told = f"{caplog.text} {raised.value!r} {raised.value.__cause__!r}"
        assert "get a thing" in caplog.text
        assert "secret" not in told
        assert "a2V5Og" not in told
        assert raised.value.__suppress_context__
