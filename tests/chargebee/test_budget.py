"""The budget against a server that counts: it is used, and never overdrawn."""

import socket
import threading
from collections import deque

import pytest

from tests.chargebee.talking import Talk
from tests.peers.fake_time import FakeTime
from tests.peers.misbehaving import Behaviour, Misbehaving, answer

LIMIT = 300
MINUTES = 3
FOUND = answer(200, {"customer": {"id": "c1"}})
LIMITED = answer(429, {"api_error_code": "api_request_limit_exceeded"})


class Counting:
    """Answers 429 to what is over `LIMIT` in the 60 seconds before, by the clock of the test."""

    def __init__(self, time: FakeTime) -> None:
        self._time = time
        self._times: deque[float] = deque()
        self.answered = 0
        self.refused = 0

    @property
    def behaviour(self) -> Behaviour:
        def behave(connection: socket.socket, over: threading.Event) -> bool:
            now = self._time.now
            while self._times and self._times[0] <= now - 60:
                self._times.popleft()
            if len(self._times) >= LIMIT:
                self.refused += 1
                return LIMITED(connection, over)
            self._times.append(now)
            self.answered += 1
            return FOUND(connection, over)

        return behave


class TestBudget:
    @pytest.mark.parametrize("elsewhere", [0, LIMIT // 2])
    def test_most_of_the_limit_is_used_and_hardly_a_call_refused(self, elsewhere: int) -> None:
        """elsewhere: what another program had of the same minute."""
        time = FakeTime()
        server = Counting(time)
        with Misbehaving(server.behaviour) as listening:
            other = Talk(listening, time, 0)
            for _ in range(elsewhere):
                other.client.get("get a customer", ("customers", "c2"))
            # Without Redis a process takes a quarter: here it is to have all.
            talk = Talk(listening, time, LIMIT * 4)
            while time.now < MINUTES * 60:
                talk.client.get("get a customer", ("customers", "c1"))

        assert server.answered >= LIMIT * MINUTES * 0.9
        assert server.refused <= server.answered * 0.01
