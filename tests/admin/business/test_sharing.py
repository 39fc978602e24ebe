"""Whose a payment is where a deal is split between several partners: all of them are named."""

import re

import pytest
from sqlalchemy import select

from rewards_service.crm.models import Customer, DealShare
from rewards_service.kit import ids
from rewards_service.kit.db import transaction
from rewards_service.transactions.models import Transaction
from tests.admin.visitor import Visitor
from tests.builders.chargebee import paid
from tests.builders.world import World

DAN, ZOE = "dan@deal.example", "zoe@deal.example"


@pytest.fixture
def split(world: World) -> World:
    """Dan's deal is Ann's and shared with Bob; Zoe's is shared by both and nobody's alone."""
    ann, bob = world.partner("Ann"), world.partner("Bob")
    for email, owner in ((DAN, ann), (ZOE, None)):
        deal = world.deal(email, owner)
        for partner, points in ((ann, 2_500), (bob, 7_500)):
            world.add(DealShare(deal_id=deal, partner_id=partner, basis_points=points))
    world.receive(paid("1", "cb_dan", DAN, 50_000), paid("2", "cb_zoe", ZOE, 50_000))
    return world


def text_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", "", html).split())


def cells(page: str, label: str) -> list[str]:
    found = re.findall(rf'<td[^>]*data-label="{label}">(.*?)</td>', page, re.DOTALL)
    return [text_of(cell) for cell in found]


class TestSharing:
    def test_lists_name_all_who_share(self, owner: Visitor, split: World) -> None:
        assert cells(owner.get("/transactions").text, "Partner") == ["Ann, Bob"] * 2
        assert cells(owner.get("/customers").text, "Source partner") == ["Ann, Bob"] * 2

    def test_pages_of_customer_transaction_and_deal_do_so_too(
        self, owner: Visitor, split: World
    ) -> None:
        for customer in split.all(Customer):
            page = text_of(owner.get(f"/customers/{ids.encode('cus', customer.id)}").text)
            assert "Customer, brought by Ann, Bob" in page
            assert "Shared byAnn, Bob" in page
            assert "No lead or deal of a partner" not in page
            source = owner.get(f"/customers/{ids.encode('cus', customer.id)}/source").text
            assert "Now they are Ann, Bob." in text_of(source)
        for payment in split.all(Transaction):
            page = text_of(owner.get(f"/transactions/{ids.encode('txn', payment.id)}").text)
            assert "PartnerAnn, Bob" in page
        for deal in (1, 2):
            assert "PartnersAnn, Bob" in text_of(
                owner.get(f"/deals/{ids.encode('dea', deal)}").text
            )

    def test_what_a_person_gave_to_one_partner_is_that_partners(
        self, owner: Visitor, split: World
    ) -> None:
        with transaction(split.engine) as session:
            for customer in session.scalars(select(Customer)):
                customer.source_partner_id, customer.source_by_hand = 2, True
            payment = session.get_one(Transaction, 1)
            payment.partner_id, payment.partner_by_hand = 2, True

        assert cells(owner.get("/customers").text, "Source partner") == ["Bob"] * 2
        assert sorted(cells(owner.get("/transactions").text, "Partner")) == ["Ann, Bob", "Bob"]
