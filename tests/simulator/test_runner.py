"""A running simulator without HTTP: its clock, its webhooks, several callers."""

import json

import pytest

from rewards_service.simulator.api import Simulator
from rewards_service.simulator.delivery import RETRY_S
from rewards_service.simulator.errors import ApiError
from rewards_service.simulator.runner import Call, Runner
from rewards_service.simulator.saving import loaded
from rewards_service.simulator.site import Site


class Receiver:
    """Takes webhooks and answers with `status` (None: nobody there)."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.status: int | None = 200

    def __call__(self, call: Call) -> int | None:
        self.calls.append(call)
        return self.status

    @property
    def types(self) -> list[str]:
        return [json.loads(call.body)["event_type"] for call in self.calls]


class Bench:
    def __init__(self, speed: float = 0.0) -> None:
        self.seconds = 0.0
        self.receiver = Receiver()
        self.site = Site()
        simulator = Simulator(self.site, lambda: self.seconds)
        self.runner = Runner(simulator, self.receiver, lambda: self.seconds, speed)
        self.runner.listen("https://rewards.example/hook", "user", "secret")


class TestPump:
    def test_what_happened_is_sent_in_order_with_the_credentials(self) -> None:
        bench = Bench()
        bench.runner.say("sign_up", {"email": "a@b.example"})
        bench.runner.say("stock", {})

        assert bench.runner.pump() == len(bench.receiver.calls) == 13
        assert bench.receiver.types[:2] == ["customer_created", "item_family_created"]
        assert bench.receiver.calls[0].username == "user"
        assert bench.runner.pump() == 0

    @pytest.mark.parametrize("status", [None, 302, 401, 500, 503])
    def test_whatever_is_no_2xx_comes_again(self, status: int | None) -> None:
        bench = Bench()
        bench.receiver.status = status
        bench.runner.say("sign_up", {"email": "a@b.example"})
        first = bench.runner.pump()
        bench.receiver.status = 204
        bench.runner.say("wait", {"seconds": RETRY_S[0]})

        assert (first, bench.runner.pump()) == (1, 1)
        assert [call["status"] for call in bench.runner.log] == [status, 204]

    def test_nobody_there_for_days_fails_in_the_end(self) -> None:
        bench = Bench()
        bench.receiver.status = None
        bench.runner.say("sign_up", {"email": "a@b.example"})

        assert bench.runner.settle() == 1 + len(RETRY_S)
        [event] = bench.site.tables["event"].rows.values()
        assert event["webhook_status"] == "failed"

    def test_a_wrong_password_can_be_sent(self) -> None:
        bench = Bench()
        bench.runner.set_faults({"wrong_password": 1})
        bench.runner.say("sign_up", {"email": "a@b.example"})
        bench.runner.pump()

        assert bench.receiver.calls[0].password == "wrong"

    def test_a_dropped_webhook_is_never_sent(self) -> None:
        bench = Bench()
        bench.runner.set_faults({"drop": 1})
        bench.runner.say("sign_up", {"email": "a@b.example"})

        assert bench.runner.settle() == 1
        assert bench.receiver.calls == []
        assert bench.runner.log[0]["dropped"] is True

    def test_an_event_is_sent_again_when_asked(self) -> None:
        bench = Bench()
        bench.runner.say("sign_up", {"email": "a@b.example"})
        bench.runner.pump()
        [key] = bench.site.tables["event"].rows
        bench.runner.resend(key)

        assert bench.runner.pump() == 1
        with pytest.raises(ApiError):
            bench.runner.resend("ev_nothing")


class TestClock:
    def test_it_moves_with_the_real_one_at_its_speed(self) -> None:
        bench = Bench(speed=60)
        before = bench.site.now
        bench.seconds = 10.0
        bench.runner.pump()

        assert bench.site.now - before == 600

    def test_renewals_happen_when_their_time_comes(self) -> None:
        bench = Bench(speed=86_400)
        bench.runner.say("stock", {})
        customer = bench.runner.say("sign_up", {"email": "a@b.example"})["customer_id"]
        bench.runner.say("subscribe", {"customer_id": customer})
        bench.seconds = 32.0
        bench.runner.pump()

        assert bench.receiver.types.count("subscription_renewed") == 1
        assert bench.receiver.types.count("payment_succeeded") == 2

    def test_a_month_keeps_the_clock_to_itself(self) -> None:
        bench = Bench(speed=86_400)
        start = bench.site.now
        bench.seconds = 0.5

        assert bench.runner.play_month() == len(bench.receiver.calls) > 100
        assert bench.site.now - start < 31 * 86_400


class TestListen:
    def test_told_again_it_moves_with_its_new_password(self) -> None:
        bench = Bench()
        bench.runner.listen("https://rewards.example/moved", "user", "newer")
        bench.runner.say("sign_up", {"email": "a@b.example"})
        bench.runner.pump()
        [call] = bench.receiver.calls

        assert (call.url, call.password) == ("https://rewards.example/moved", "newer")


class TestState:
    def test_what_was_planned_is_still_planned_after_a_restart(self) -> None:
        bench = Bench()
        bench.runner.say("sign_up", {"email": "a@b.example"})
        again = loaded(bench.runner.state())

        assert again.outbox == bench.site.outbox != {}

    @pytest.mark.parametrize("text", [b"", b"[]", b"{}", b'{"version": 99}'])
    def test_another_text_is_no_site(self, text: bytes) -> None:
        with pytest.raises(ValueError, match=r"saved site|Expecting value"):
            loaded(text)
