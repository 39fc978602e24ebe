"""What the receivers of our users do to us, and that each event comes, in order per object."""

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from rewards_service.kit.db import transaction
from rewards_service.outbound import delivering
from rewards_service.outbound.delivering import LEASE, Reply
from rewards_service.outbound.models import DELIVERED, PENDING
from tests.outbound.office import Office, received, without_repeats
from tests.peers.misbehaving import (
    Behaviour,
    Misbehaving,
    answer,
    cut_off,
    hang_up,
    noise,
)
from tests.peers.misbehaving import silence as hang

OK = answer(200)


class TestOrder:
    def test_a_receiver_that_does_all_that_is_wrong_gets_each_event_in_order(
        self, office: Office
    ) -> None:
        office.wait_for_answers(0.5)
        with Misbehaving(OK) as elsewhere:
            wrong: list[Behaviour] = [
                answer(500), hang, answer(302, b"", Location=elsewhere.url), hang_up, noise,
                answer(400), answer(404), cut_off, answer(429), answer(503, b"", Retry_After="90"),
            ]  # fmt: skip
            with Misbehaving(*wrong, OK) as server:
                office.endpoint(server.url)
                for number in range(1, 6):
                    office.tell(number, of=1)
                    office.tell(number, of=2)
                office.work_for(hours=4)

            assert elsewhere.connections == 0
        for of in (1, 2):
            assert without_repeats(received(server, of)) == [1, 2, 3, 4, 5]
        assert {one.state for one in office.deliveries()} == {DELIVERED}
        assert office.lanes() == []

    def test_each_attempt_has_the_same_id_and_body_and_its_own_time(self, office: Office) -> None:
        with Misbehaving(answer(500), OK) as server:
            office.endpoint(server.url)
            office.tell(1)
            office.work()
            office.pass_time(seconds=10)
            office.work()

        first, second = server.seen
        assert first.headers["webhook-id"] == second.headers["webhook-id"]
        assert first.body == second.body
        times = [int(seen.headers["webhook-timestamp"]) for seen in server.seen]
        assert times[1] - times[0] == 10

    def test_what_fails_for_one_thing_holds_up_no_other(self, office: Office) -> None:
        with Misbehaving(answer(500), OK) as server:
            office.endpoint(server.url)
            office.tell(1, 2, of=1)
            office.work()
            office.tell(1, 2, of=2)
            office.work()

            assert (received(server, 1), received(server, 2)) == ([1], [1, 2])

    def test_what_waits_for_a_retry_is_not_overtaken_by_what_comes_later(
        self, office: Office
    ) -> None:
        with Misbehaving(answer(500), OK) as server:
            office.endpoint(server.url)
            office.tell(1)
            office.work()
            office.tell(2)
            office.work()
            assert received(server) == [1]
            office.pass_time(seconds=10)
            office.work()

        assert received(server) == [1, 1, 2]

    def test_each_endpoint_has_lanes_of_its_own(self, office: Office) -> None:
        with Misbehaving(answer(500)) as bad, Misbehaving(OK) as good:
            for server in (bad, good):
                office.endpoint(server.url)
            office.tell(1, 2)
            for endpoint in (1, 2):
                office.work(endpoint)

            assert (received(bad), received(good)) == ([1], [1, 2])
            assert bad.seen[0].headers["webhook-id"] == good.seen[0].headers["webhook-id"]


class TestManyAtOnce:
    def test_senders_and_tellers_at_once_lose_nothing_and_keep_the_order(
        self, office: Office
    ) -> None:
        with Misbehaving(OK) as server, ThreadPoolExecutor(4) as threads:
            office.endpoint(server.url)
            for number in range(1, 6):
                at_once: list[Future[Any]] = [threads.submit(office.tell, number, of=1)]
                at_once += [threads.submit(office.work) for _ in range(2)]
                at_once.append(threads.submit(office.tell, number, of=2))
                for one in at_once:
                    one.result(timeout=60)
            office.work()

        assert received(server, 1) == received(server, 2) == [1, 2, 3, 4, 5]
        assert office.lanes() == []


class TestSuddenEnds:
    def test_who_dies_after_sending_leaves_the_event_to_be_sent_again(self, office: Office) -> None:
        """At least once, with the same id: the receiver can tell."""
        with Misbehaving(OK) as server:
            office.endpoint(server.url)
            office.tell(1, 2)
            with transaction(office.engine) as session:
                taken = delivering.lease(session, 1, office.now)
            assert taken is not None
            office.sender.attempt(taken)  # and the process is gone before it notes anything

            assert office.work() == 0  # others leave the lane alone meanwhile
            office.pass_time(seconds=LEASE.total_seconds() - 1)
            assert office.work() == 0
            office.pass_time(seconds=2)
            office.work()

            assert received(server) == [1, 1, 2]
            assert server.seen[0].headers["webhook-id"] == server.seen[1].headers["webhook-id"]

    def test_who_comes_back_after_its_lease_has_no_say(self, office: Office) -> None:
        office.endpoint("http://127.0.0.1:1")
        office.tell(1)
        with transaction(office.engine) as session:
            late = delivering.lease(session, 1, office.now)
        office.pass_time(seconds=LEASE.total_seconds() + 1)
        with transaction(office.engine) as session:
            other = delivering.lease(session, 1, office.now)
        assert late is not None
        assert other is not None

        with transaction(office.engine) as session:
            reply = Reply(office.now, 1, status=200)
            assert delivering.note(session, late, reply, office.now, 0.5) is None

        (delivery,), (lane,) = office.deliveries(), office.lanes()
        assert (delivery.state, lane.lease_token) == (PENDING, other.token)

    def test_two_at_once_serve_different_lanes(self, office: Office) -> None:
        office.endpoint("http://127.0.0.1:1")
        office.tell(1, 2, of=1)
        office.tell(1, of=2)
        taken = []
        for _ in range(3):
            with transaction(office.engine) as session:
                taken.append(delivering.lease(session, 1, office.now))

        assert {one.lane for one in taken if one} == {(1, "reward", 1), (1, "reward", 2)}
        assert taken[2] is None

    def test_what_is_told_while_the_last_of_a_lane_is_sent_is_not_forgotten(
        self, office: Office
    ) -> None:
        with Misbehaving(OK) as server:
            office.endpoint(server.url)
            office.tell(1)
            with transaction(office.engine) as session:
                taken = delivering.lease(session, 1, office.now)
            assert taken is not None
            office.tell(2)
            with transaction(office.engine) as session:
                reply = Reply(office.now, 1, status=204)
                following = delivering.note(session, taken, reply, office.now, 0.5)

            assert following is not None
            assert following.delivery_id == taken.delivery_id + 1
