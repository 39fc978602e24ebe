"""What is told of the business: each change once, in its order, and nothing that did not happen."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import orjson
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.kit import ids
from rewards_service.kit.db import rehearsal, transaction
from rewards_service.outbound.announcing import announce, wanted
from rewards_service.outbound.models import WebhookDelivery, WebhookLane
from rewards_service.payouts import making
from rewards_service.payouts import service as payouts
from rewards_service.replay.service import replay
from rewards_service.rewards import adjusting, review
from rewards_service.rewards.models import Reward
from rewards_service.webhooks import jobs as event_jobs
from tests.builders.chargebee import paid, refunded
from tests.builders.world import World
from tests.openapi.conformance import check_told
from tests.outbound.office import PAID, Office

EMAIL = "eve@buyer.example"
URL = "http://127.0.0.1:1/"
CUT_OFF = date(2026, 6, 1)


def told(office: Office, subject: str = "") -> list[str]:
    """Types of what was told so far, of one kind of thing; each event is as described."""
    found = [one for one in office.told() if one["type"].startswith(subject)]
    for one in found:
        check_told(one)
    return [one["type"] for one in found]


@pytest.fixture
def listening(world: World, office: Office) -> World:
    """A world whose every event is told, with one lead of one partner."""
    office.endpoint(URL)
    world.lead(EMAIL, world.partner())
    return world


def decide(world: World, status: str, reason: str | None = "seen") -> None:
    with transaction(world.engine) as session:
        query = select(Reward.id).where(Reward.status != "declined").order_by(Reward.id)
        keys = list(session.scalars(query))
        review.change_status(session, keys, status, reason, "test")


def pay_out(world: World) -> None:
    with transaction(world.engine) as session:
        (made,) = making.create(session, making.Wanted("USD", CUT_OFF), "test").payouts
        payouts.submit(session, made.id, "test")
        payouts.accept(session, made.id, "test")
        payouts.mark_paid(session, made.id, CUT_OFF, "ref", "test")


@contextmanager
def counting(world: World) -> Iterator[list[int]]:
    """How many deliveries there are more afterwards."""
    with Session(world.engine) as session:
        before = len(session.scalars(select(WebhookDelivery.id)).all())
    found: list[int] = []
    yield found
    with Session(world.engine) as session:
        found.append(len(session.scalars(select(WebhookDelivery.id)).all()) - before)


class TestWholeWay:
    def test_a_payment_and_its_refund_are_told(self, listening: World, office: Office) -> None:
        listening.receive(paid("1", "cb1", EMAIL, 10_000))
        listening.receive(refunded("2", "txn_1", 2_500))

        assert told(office, "customer") == ["customer.converted"]
        assert told(office, "transaction") == ["transaction.created", "transaction.updated"]
        assert told(office, "reward") == ["reward.created", "reward.reversed"]
        (reward,) = listening.all(Reward)
        created, reversed_ = (one["data"] for one in office.told() if "reward" in one["type"])
        assert created["id"] == reversed_["id"] == ids.encode("rew", reward.id)
        assert (created["amount_minor"], reversed_["amount_minor"]) == (2_000, 1_500)
        assert reversed_["entry"] == {"kind": "reverse", "amount_minor": -500}
        updated = next(one["data"] for one in office.told() if "updated" in one["type"])
        assert (updated["status"], updated["refunded_minor"]) == ("partially_refunded", 2_500)

    def test_the_members_are_those_of_the_api(
        self, listening: World, office: Office, api: Any
    ) -> None:
        listening.receive(paid("1", "cb1", EMAIL, 10_000))
        decide(listening, "approved")
        pay_out(listening)

        last = {one["data"]["id"]: one["data"] for one in office.told()}
        for key, data in last.items():
            path = {"rew": "rewards", "txn": "transactions", "pay": "payouts",
                    "cus": "customers"}[key[:3]]  # fmt: skip
            shown = api.get(f"/{path}/{key}")
            for more in ("entry", "from_status", "converted_at"):
                data.pop(more, None)
            assert {name: shown[name] for name in data} == data
        assert len(last) == 4

    def test_decisions_and_payouts_are_told_in_their_order(
        self, listening: World, office: Office
    ) -> None:
        listening.receive(paid("1", "cb1", EMAIL, 10_000))
        for status in ("hold", "pending", "approved"):
            decide(listening, status)
        with transaction(listening.engine) as session:
            adjusting.adjust(session, 1, 100, "a gift", "test")
        pay_out(listening)

        assert told(office, "reward") == [
            "reward.created", "reward.held", "reward.released", "reward.approved",
            "reward.adjusted", "reward.paid",
        ]  # fmt: skip
        assert told(office, "payout") == [
            "payout.created", "payout.submitted", "payout.ready", "payout.paid",
        ]  # fmt: skip
        paid_out = office.told()[-1]["data"]
        assert (paid_out["total_minor"], paid_out["from_status"]) == (2_100, "ready")

    def test_a_refusal_and_a_payout_that_is_given_up_are_told(
        self, listening: World, office: Office
    ) -> None:
        listening.receive(paid("1", "cb1", EMAIL, 10_000))
        decide(listening, "approved")
        with transaction(listening.engine) as session:
            (made,) = making.create(session, making.Wanted("USD", CUT_OFF), "test").payouts
            payouts.cancel(session, made.id, None, "test")
        decide(listening, "declined")

        assert told(office, "payout") == ["payout.created", "payout.cancelled"]
        assert told(office, "reward")[-3:] == [
            "reward.approved", "reward.approved", "reward.declined",
        ]  # fmt: skip

    def test_what_is_taken_back_from_a_paid_reward_is_told_as_a_reversal(
        self, listening: World, office: Office
    ) -> None:
        """DOMAIN A4."""
        listening.receive(paid("1", "cb1", EMAIL, 10_000))
        decide(listening, "approved")
        pay_out(listening)
        listening.receive(refunded("2", "txn_1", 10_000))

        *_, created, reversed_ = (one for one in office.told() if "reward" in one["type"])
        assert [created["type"], reversed_["type"]] == ["reward.created", "reward.reversed"]
        assert created["data"] == reversed_["data"]
        assert (reversed_["data"]["amount_minor"], reversed_["data"]["seq"]) == (-2_000, 2)

    def test_no_person_is_named(self, listening: World, office: Office) -> None:
        listening.receive(paid("1", "cb1", EMAIL, 10_000))

        assert EMAIL not in "".join(one.body for one in office.deliveries())


class TestNothing:
    def test_where_nobody_listens_nothing_is_written(self, world: World, office: Office) -> None:
        office.endpoint(URL, enabled=False)
        office.endpoint(URL, "payout.paid")
        world.lead(EMAIL, world.partner())
        world.receive(paid("1", "cb1", EMAIL, 10_000))
        decide(world, "approved")

        assert (office.deliveries(), office.lanes()) == ([], [])

    def test_what_is_observed_only_is_not_told(self, listening: World, office: Office) -> None:
        listening.switch(mode="observe")
        listening.receive(paid("1", "cb1", EMAIL, 10_000))

        assert office.deliveries() == []

    def test_what_is_tried_out_or_rolled_back_is_not_told(self, office: Office) -> None:
        office.endpoint(URL)
        with transaction(office.engine) as session:
            with rehearsal(session):
                announce(session, PAID, ("reward", 1), {})
            announce(session, PAID, ("reward", 2), {})
        with Session(office.engine) as session:
            announce(session, PAID, ("reward", 3), {})
            session.rollback()
            session.commit()

        assert [one.subject_id for one in office.deliveries()] == [2]

    def test_a_replay_of_the_log_tells_nothing(self, listening: World) -> None:
        listening.receive(paid("1", "cb1", EMAIL, 10_000))
        decide(listening, "approved")
        with counting(listening) as more:
            assert replay(listening.engine).ok

        assert more == [0]

    def test_the_same_event_again_changes_nothing_and_tells_nothing(self, listening: World) -> None:
        listening.receive(paid("1", "cb1", EMAIL, 10_000))
        with counting(listening) as more:
            listening.receive(paid("1", "cb1", EMAIL, 10_000))
            listening.receive({**paid("1", "cb1", EMAIL, 10_000), "id": "another"})
            event_jobs.drain(listening.engine)

        assert more == [0]


class TestAnnounce:
    def test_an_endpoint_is_told_what_it_asked_for(self, office: Office) -> None:
        for events in (["reward.paid"], ["payout.paid"], ["*"]):
            office.endpoint(URL, *events)
        office.tell(1)

        first, second = office.deliveries()
        assert (first.endpoint_id, second.endpoint_id) == (1, 3)
        assert first.message_id == second.message_id

    def test_the_change_and_its_event_are_committed_together(self, office: Office) -> None:
        office.endpoint(URL)
        with Session(office.engine) as session, session.begin():
            assert wanted(session, [PAID])
            announce(session, PAID, ("reward", 7), {"id": "rew_7"})
            assert session.scalars(select(WebhookDelivery)).all() == []

        (delivery,), (lane,) = office.deliveries(), office.lanes()
        assert (lane.subject_kind, lane.subject_id) == ("reward", 7)
        body = orjson.loads(delivery.body)
        assert sorted(body) == ["data", "timestamp", "type"]
        assert (body["type"], body["data"]) == (PAID, {"id": "rew_7"})

    def test_who_comes_between_is_told_by_the_next_transaction(self, office: Office) -> None:
        with Session(office.engine) as session:
            with session.begin():
                assert not wanted(session, [PAID])
            office.endpoint(URL)
            with session.begin():
                assert wanted(session, [PAID])

    def test_keys_are_not_given_again(self, office: Office) -> None:
        """A receiver keeps ids to know repeats; the log names deliveries by theirs."""
        office.endpoint(URL)
        office.tell(1)
        with transaction(office.engine) as session:
            session.delete(session.scalars(select(WebhookDelivery)).one())
            session.delete(session.scalars(select(WebhookLane)).one())
        office.tell(2)

        assert [one.id for one in office.deliveries()] == [2]
