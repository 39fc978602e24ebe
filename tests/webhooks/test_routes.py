"""What the webhook endpoint accepts and from whom, through the whole application."""

import json
from hashlib import sha256
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from rewards_service.inbox.models import OtherDelivery, ReceivedEvent
from rewards_service.integrations import service as integrations
from rewards_service.integrations.models import Integration
from rewards_service.kit import ids
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import transaction
from rewards_service.settings import Settings
from tests.builders.chargebee import paid
from tests.builders.world import World
from tests.webhooks.answers import ADA, assert_problem, basic, body_of, stored


@pytest.fixture
def world(app: Flask, engine: Engine, settings: Settings) -> World:
    """As everywhere, but on the whole application."""
    return World(app, engine, settings)


class TestAccepted:
    def test_a_new_event_is_committed_and_named(self, world: World) -> None:
        raw = body_of("ev_1")
        answer = world.site.post(raw)
        assert answer.status_code == 200
        assert answer.content_type == "application/json"
        [row] = stored(world)
        assert answer.json == {"status": "accepted", "id": ids.encode("evt", row.id)}
        assert (row.event_id, row.event_type, row.state) == ("ev_1", "payment_succeeded", "pending")
        assert row.body_sha256 == sha256(raw).digest()
        assert world.event("ev_1").attempts == 0

    def test_the_same_event_again_is_a_duplicate(self, world: World) -> None:
        first, again = world.site.post(body_of("ev_1")), world.site.post(body_of("ev_1"))
        assert again.json == {"status": "duplicate", "id": first.json["id"]}  # type: ignore[index]
        assert len(stored(world)) == 1
        assert not stored(world)[0].other_body_seen

    def test_a_repetition_under_credentials_that_ended_is_refused(
        self, world: World, settings: Settings
    ) -> None:
        """What is held already opens no door: the password is asked for each time."""
        world.site.accept(body_of("ev_1"))
        with transaction(world.engine) as session:
            session.get_one(Integration, world.site.id).deleted_at = utc_now()
        assert world.site.post(body_of("ev_1")).status_code == 401

    def test_another_body_under_a_known_id_is_kept_beside_and_flagged(self, world: World) -> None:
        world.site.accept(body_of("ev_1"))
        other = body_of("ev_1").replace(b"10000", b"99999")
        for _ in range(2):
            answer = world.site.post(other)
            assert answer.json["status"] == "duplicate"  # type: ignore[index]
        [row] = stored(world)
        assert row.other_body_seen
        assert row.body_sha256 == sha256(body_of("ev_1")).digest()
        with Session(world.engine) as session:
            [beside] = session.scalars(select(OtherDelivery))
            assert (beside.body, beside.body_sha256) == (other, sha256(other).digest())

    def test_one_event_id_at_two_sites_is_two_events(self, world: World) -> None:
        other = world.connect("other-site")
        world.site.accept(body_of("ev_1"))
        assert other.post(body_of("ev_1")).json["status"] == "accepted"  # type: ignore[index]
        assert len(stored(world)) == 2

    def test_a_byte_order_mark_is_accepted_and_kept(self, world: World) -> None:
        raw = b"\xef\xbb\xbf" + body_of("ev_1")
        world.site.accept(raw)
        with Session(world.engine) as session:
            assert session.scalars(select(ReceivedEvent.body)).one() == raw

    def test_card_data_is_not_kept_but_the_hash_is_of_all_bytes(self, world: World) -> None:
        body = paid("p", "cb_1", ADA)
        body["content"]["card"] = {"iin": "411111", "masked_number": "************1111"}
        body["content"]["customer"]["company"] = "\ud800 half"
        raw = json.dumps(body).encode()
        world.site.accept(raw)
        with Session(world.engine) as session:
            kept = session.execute(select(ReceivedEvent.body, ReceivedEvent.body_sha256)).one()
        assert b"411111" not in kept.body
        assert json.loads(kept.body)["content"].keys() == {"transaction", "invoice", "customer"}
        assert kept.body_sha256 == sha256(raw).digest()

    @pytest.mark.parametrize("options", [{"mode": "off"}, {"convert_lead": False,
                             "associate_deal": False, "create_transaction": False}])  # fmt: skip
    def test_what_is_switched_off_still_answers_200(
        self, options: dict[str, Any], world: World
    ) -> None:
        """DOMAIN M12."""
        world.switch(**options)
        world.receive(body_of("ev_1"))
        assert world.ended("ev_1") == ("done", "all_off")

    def test_media_types_with_parameters_are_json(self, world: World) -> None:
        answer = world.site.post(body_of("ev_1"), content_type="Application/JSON; charset=UTF-8")
        assert answer.status_code == 200

    def test_a_text_of_one_mebibyte_is_whole_in_the_raw_body_only(self, world: World) -> None:
        world.lead(ADA, world.partner())
        body = paid("p", "cb_1", ADA)
        body["content"]["customer"]["company"] = "x" * (1 << 20)
        world.receive(body)
        assert world.outcome("ev_p") == "transaction_recorded"
        assert len(world.customer_of("cb_1").name) <= 500
        with Session(world.engine) as session:
            assert len(session.scalars(select(ReceivedEvent.body)).one()) > 1 << 20


class TestCredentials:
    def rotate(self, world: World, settings: Settings, grace_hours: int) -> str:
        with transaction(world.engine) as session:
            _, login = integrations.rotate_secret(
                session, settings, world.site.id, grace_hours, "test"
            )
            return basic(":".join(login))

    def test_two_sets_are_live_during_a_rotation(self, world: World, settings: Settings) -> None:
        world.site.accept(body_of("ev_1"))
        new = self.rotate(world, settings, 24)
        assert world.site.post(body_of("ev_2")).status_code == 200
        assert world.site.post(body_of("ev_3"), Authorization=new).status_code == 200

    def test_without_grace_the_old_set_ends_at_once(self, world: World, settings: Settings) -> None:
        world.site.accept(body_of("ev_1"))
        new = self.rotate(world, settings, 0)
        assert world.site.post(body_of("ev_2")).status_code == 401
        assert world.site.post(body_of("ev_1")).status_code == 401
        assert world.site.post(body_of("ev_3"), Authorization=new).status_code == 200

    def test_the_second_rotation_ends_the_first_set(self, world: World, settings: Settings) -> None:
        self.rotate(world, settings, 24)
        self.rotate(world, settings, 24)
        assert world.site.post(body_of("ev_1")).status_code == 401

    def test_a_deleted_integration_is_unknown(self, world: World) -> None:
        world.site.accept(body_of("ev_1"))
        with transaction(world.engine) as session:
            integrations.delete_integration(session, world.site.id, "test")
        assert_problem(world.site.post(body_of("ev_2")), 401)
        assert_problem(world.site.post(body_of("ev_1")), 401)

    def test_changed_options_hold_for_the_very_next_event(self, world: World) -> None:
        """DOMAIN M13: the endpoint's cache notices."""
        world.receive(body_of("ev_1"))
        world.switch(mode="off")
        world.receive(body_of("ev_2"))
        assert world.outcome("ev_2") == "all_off"
