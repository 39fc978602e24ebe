"""Deals that several partners share: whose they are, and who is paid, by payments too."""

from typing import Any

import pytest

from rewards_service.crm import service
from rewards_service.crm.models import Deal
from rewards_service.kit.db import transaction
from tests.builders.api import Caller
from tests.builders.chargebee import at, paid
from tests.builders.world import World
from tests.crm.importer import Importer, tally

DEALS = "/deals/import"
ADA = "ada@one.example"


def deal(world: World, *shares: tuple[int, int], **more: Any) -> int:
    parts = [{"partner_id": partner, "basis_points": points} for partner, points in shares]
    wanted = {"name": "D", "stage": "open", "contact_email": ADA, "registered_at": at(-1)}
    with transaction(world.engine) as session:
        return service.create_deal(session, {**wanted, "shares": parts, **more}).id


def change(world: World, key: int, **wanted: Any) -> int | None:
    with transaction(world.engine) as session:
        return service.change_deal(session, key, wanted).partner_id


@pytest.fixture
def importer(api: Caller) -> Importer:
    return Importer(api)


class TestSource:
    def test_a_payment_pays_all_who_share_a_deal_that_names_no_partner(self, world: World) -> None:
        """DOMAIN S3, S7: without a source partner its customer would be nobody's."""
        ann, bob = world.partner("Ann"), world.partner("Bob")
        deal(world, (ann, 2_500), (bob, 7_500))
        world.receive(paid("p", "cb_1", ADA))

        assert world.customer_of("cb_1").source_partner_id == bob
        assert (world.earned(ann), world.earned(bob)) == (500, 1_500)

    def test_of_equal_shares_the_partner_who_was_made_first_is_the_source(
        self, world: World
    ) -> None:
        """DOMAIN S7."""
        ann, bob = world.partner("Ann"), world.partner("Bob")
        key = deal(world, (bob, 5_000), (ann, 5_000))
        assert world.get(Deal, key).partner_id == ann

    def test_a_partner_that_is_named_stays_the_source(self, world: World) -> None:
        """DOMAIN S3."""
        ann, bob = world.partner("Ann"), world.partner("Bob")
        key = deal(world, (bob, 10_000), partner_id=ann)
        assert world.get(Deal, key).partner_id == ann

    def test_a_deal_that_comes_to_be_shared_later_gets_its_source_then(self, world: World) -> None:
        """DOMAIN S3, S7."""
        ann = world.partner()
        key = deal(world)
        assert world.get(Deal, key).partner_id is None
        shares = [{"partner_id": ann, "basis_points": 10_000}]
        assert change(world, key, shares=shares) == ann
        assert change(world, key, partner_id=None) == ann

    def test_a_file_gives_it_its_source_and_changes_nothing_the_second_time(
        self, importer: Importer
    ) -> None:
        """DOMAIN S3, S7."""
        text = f"name,shares,external_id\nD,ann-1:4000|{importer.bob}:6000,d-1\n"
        assert tally(importer.done(DEALS, text)) == (1, 0, 0)
        assert importer.api.get("/deals")["data"][0]["partner_id"] == importer.bob
        assert tally(importer.done(DEALS, text)) == (0, 0, 1)
