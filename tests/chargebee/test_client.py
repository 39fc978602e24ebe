"""The client against a server that misbehaves: it ends, within its budget, and says why."""

import socket
import threading
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rewards_service.chargebee import errors
from rewards_service.chargebee.client import RATE_PAUSE_SECONDS
from rewards_service.chargebee.idempotency import HEADER, IdempotencyKey
from rewards_service.kit.http_errors import HttpError, RateSpent
from tests.chargebee.talking import HASTE, NOON, PATIENCE, Talk, talking
from tests.kit.test_pacing import busiest_minute
from tests.peers import misbehaving
from tests.peers.fake_time import FakeTime
from tests.peers.misbehaving import Behaviour, Misbehaving, answer

FOUND = answer(200, {"customer": {"id": "c1"}})
LIMITED = answer(429, {"api_error_code": "api_request_limit_exceeded", "message": "too many"})
LIMITED_30 = answer(429, {"api_error_code": "api_request_limit_exceeded"}, Retry_After="30")
LOCKED = answer(429, {"api_error_code": "lock_timeout", "message": "busy"})
HTML_503 = answer(503, "<html><body>Be right back</body></html>", Content_Type="text/html")
NOT_THERE = answer(404, {"api_error_code": "resource_not_found", "type": "invalid_request"})
GARBAGE = answer(200, "<html>")
ALL = [
    FOUND, LIMITED, LIMITED_30, LOCKED, HTML_503, NOT_THERE, GARBAGE, answer(200, "[]"),
    answer(200, '{"customer": NaN}'), answer(200, b"\xff"), answer(429, "x", Retry_After="soon"),
    answer(429, "x", Retry_After="999999999"), answer(503, "", Retry_After="-5"), answer(500),
    answer(302, "", Location="http://127.0.0.1:1/"), misbehaving.hang_up, misbehaving.cut_off,
    misbehaving.cut_off_chunk, misbehaving.noise, misbehaving.broken_gzip, misbehaving.silence,
]  # fmt: skip


def get(talk: Talk) -> object:
    return talk.client.get("get a customer", ("customers", "c1"))


class TestGet:
    def test_numbers_are_as_they_were_sent(self) -> None:
        body = '{"a": 12345678901234567890, "rate": 1.10, "tiny": 0.1234567890123456789}'
        with talking(answer(200, body)) as talk:
            found = talk.client.get("x", ("a",))

        assert found["a"] == 12_345_678_901_234_567_890
        assert (str(found["rate"]), str(found["tiny"])) == ("1.10", "0.1234567890123456789")
        assert not any(isinstance(value, float) for value in found.values())
        assert isinstance(found["rate"], Decimal)

    def test_it_asks_with_the_key_and_no_password(self) -> None:
        with talking(FOUND) as talk:
            get(talk)

        (seen,) = talk.server.seen
        assert (seen.method, seen.path) == ("GET", "/api/v2/customers/c1")
        assert seen.headers["authorization"] == "Basic dGVzdF9rZXk6"
        assert HEADER not in seen.headers

    @pytest.mark.parametrize("wrong", [NOT_THERE, answer(401), answer(400), answer(302)])
    def test_what_will_not_change_is_asked_once(self, wrong: Behaviour) -> None:
        with talking(wrong) as talk, pytest.raises(HttpError):
            get(talk)

        assert (len(talk.server.seen), talk.time.slept) == (1, [])

    @pytest.mark.parametrize(
        ("wrong", "error"), [(HTML_503, errors.Unavailable), (GARBAGE, errors.Garbled)]
    )
    def test_html_is_asked_again_and_then_named(
        self, wrong: Behaviour, error: type[HttpError]
    ) -> None:
        with talking(wrong) as talk, pytest.raises(error):
            get(talk)
        assert len(talk.server.seen) == PATIENCE.attempts

        with talking(wrong, FOUND) as talk:
            assert get(talk) == {"customer": {"id": "c1"}}


class TestRateLimits:
    def test_retry_after_is_kept_to(self) -> None:
        with talking(LIMITED_30, FOUND) as talk:
            get(talk)

        assert 30.0 <= talk.time.now < 31.0

    def test_without_it_the_wait_is_a_part_of_a_minute(self) -> None:
        with talking(LIMITED, FOUND) as talk:
            get(talk)

        assert RATE_PAUSE_SECONDS <= talk.time.now < RATE_PAUSE_SECONDS + 1

    def test_a_storm_ends(self) -> None:
        for storm in (LIMITED, LIMITED_30):
            with talking(storm, per_minute=1_000) as talk, pytest.raises(errors.RateLimited):
                get(talk)

            assert len(talk.server.seen) <= PATIENCE.attempts
            assert talk.time.now <= PATIENCE.total_seconds

    def test_all_processes_pause_for_it(self) -> None:
        time = FakeTime()
        with Misbehaving(LIMITED_30, FOUND) as server:
            first, second = (Talk(server, time, 1_000, "pausing") for _ in range(2))
            get(first)
            assert 30.0 <= time.now < 32.0
            first.budget.pause(20.0)
            get(second)

        assert 50.0 <= time.now < 53.0

    def test_a_lock_is_no_limit(self) -> None:
        with talking(LOCKED, FOUND, per_minute=1_000) as talk:
            get(talk)
            assert talk.time.now < 1.0
            assert talk.budget.take(600).wait_us < 1_000_000  # nobody else was stopped

    def test_a_lock_that_stays_is_named(self) -> None:
        with talking(LOCKED) as talk, pytest.raises(errors.Locked):
            get(talk)

        assert len(talk.server.seen) == PATIENCE.attempts

    def test_nobody_waits_longer_than_the_call_may_take(self) -> None:
        with talking(FOUND, per_minute=40) as talk:
            talk.budget.pause(200.0)
            with pytest.raises(RateSpent):
                get(talk)

        assert (talk.server.seen, talk.time.slept) == ([], [])

    def test_the_budget_is_kept_whatever_the_answers(self) -> None:
        time, arrivals = FakeTime(), []

        def noted(behave: Behaviour) -> Behaviour:
            def note(connection: socket.socket, over: threading.Event) -> bool:
                arrivals.append(int(time.now * 1_000_000))
                return behave(connection, over)

            return note

        quick = [noted(each) for each in ALL if each is not misbehaving.silence]
        with Misbehaving(*quick * 20, noted(FOUND)) as server:
            talk = Talk(server, time, 400)
            while len(arrivals) < 400:
                try:
                    get(talk)
                except HttpError:
                    time.sleep(10.0)  # as a job comes back later

        assert busiest_minute(arrivals) <= 100  # the quarter of a process without Redis


class TestPost:
    @pytest.mark.parametrize("wrong", [HTML_503, LIMITED, LOCKED, misbehaving.cut_off, GARBAGE])
    def test_it_is_sent_again_under_the_same_key(self, wrong: Behaviour) -> None:
        with talking(wrong, FOUND) as talk:
            talk.client.post("make", ("customers",), {"id": "c1"})

        first, second = talk.server.seen
        assert first.headers[HEADER] == second.headers[HEADER]
        assert first.form == second.form == [("id", "c1")]

    def test_two_calls_have_two_keys(self) -> None:
        with talking(FOUND) as talk:
            for _ in range(2):
                talk.client.post("make", ("customers",), {"id": "c1"})

        first, second = talk.server.seen
        assert first.headers[HEADER] != second.headers[HEADER]

    def test_a_key_of_before_is_used_while_chargebee_knows_it(self) -> None:
        key = IdempotencyKey("job-7", NOON - timedelta(minutes=26))
        with talking(FOUND) as talk:
            talk.client.post("make", ("customers",), {"id": "c1"}, key)

        assert talk.server.seen[0].headers[HEADER] == "job-7"

    def test_a_key_that_could_be_forgotten_meanwhile_is_refused(self) -> None:
        key = IdempotencyKey("job-7", NOON - timedelta(minutes=28))
        with talking(FOUND) as talk, pytest.raises(errors.KeyTooOld):
            talk.client.post("make", ("customers",), {"id": "c1"}, key)

        assert talk.server.seen == []

    def test_a_key_that_is_none_is_refused(self) -> None:
        with talking(FOUND) as talk, pytest.raises(ValueError, match="idempotency"):
            talk.client.post("make", ("customers",), {}, IdempotencyKey("a\r\nX: y", NOON))


class TestEveryCallEnds:
    @given(st.lists(st.sampled_from(ALL), min_size=1, max_size=10), st.booleans())
    @settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
    def test_in_time_and_with_an_answer_or_an_error_of_ours(
        self, behaviours: list[Behaviour], is_post: bool
    ) -> None:
        with talking(*behaviours, per_minute=4_000, patience=HASTE) as talk:
            try:
                found: object = talk.client.post("x", ("customers",)) if is_post else get(talk)
            except HttpError as error:
                found = str(error).isprintable()

        assert found
        assert len(talk.server.seen) <= PATIENCE.attempts
        assert talk.time.now <= PATIENCE.total_seconds
