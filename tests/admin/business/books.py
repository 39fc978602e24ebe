"""Business as the pages show it: what converts, what is refunded, what earns nothing and why."""

from typing import NamedTuple

from rewards_service.crm.models import Customer, Deal, DealShare, Lead
from rewards_service.kit import ids
from rewards_service.kit.db import transaction
from rewards_service.transactions.models import Transaction
from tests.builders.chargebee import customer, event, paid, refund
from tests.builders.world import World

# What must show as text and move nothing: events-invalid 24, 25 and 28, as names of people.
HOSTILE = "<script>alert(1)</script> =cmd|' /C calc'!A0 \u202egpj.exe"


class Books(NamedTuple):
    """Public ids of what there is."""

    ann: str
    bob: str
    lead: str  # converted, of Ann
    open_lead: str
    deal: str  # associated, shared by Ann and Bob
    open_deal: str
    customer: str  # of the converted lead
    stranger: str  # without a source partner
    earned: str  # transaction, half refunded
    nothing: str  # transaction of the stranger


def books(world: World) -> Books:
    """Leads, deals, customers and payments of one site, all handled."""
    ann, bob = world.partner("Ann"), world.partner("Bob")
    lead = world.lead("eve@buyer.example", ann)
    open_lead = world.lead("sam@shop.example", ann)
    deal = world.deal("dan@deal.example", ann)
    for partner, points in ((ann, 2_500), (bob, 7_500)):
        world.add(DealShare(deal_id=deal, partner_id=partner, basis_points=points))
    open_deal = world.deal("zoe@deal.example", bob)
    stranger = world.person("who@else.example")
    with transaction(world.engine) as session:
        session.get_one(Lead, open_lead).company = HOSTILE
        session.get_one(Deal, open_deal).name = HOSTILE
    world.receive(
        paid("a", "cb_eve", "eve@buyer.example", 12_400, 1),
        paid("b", "cb_eve", "Eve@Buyer.Example", 10_000, 2),
        paid("d", "cb_dan", "dan@deal.example", 50_000, 2),
        paid("w", "cb_who", "who@else.example", 9_900, 3),
        event(
            "ev_back", "payment_refunded", 4, transaction=refund("back_a", "txn_a", 6_200, 4),
            customer=customer("cb_eve", "eve@buyer.example"),
        ),
        event(
            "ev_top", "customer_changed", 5,
            customer=customer("cb_eve", "eve@buyer.example", 5, relationship={
                "parent_id": "cb_dan", "root_id": "cb_dan", "invoice_owner_id": "cb_eve",
                "payment_owner_id": "cb_eve"}),
        ),
    )  # fmt: skip
    found: dict[type, int] = {
        Customer: world.customer_of("cb_eve").id,
        Transaction: world.transaction_of("txn_a").id,
    }
    return Books(
        ids.encode("par", ann), ids.encode("par", bob), ids.encode("led", lead),
        ids.encode("led", open_lead), ids.encode("dea", deal), ids.encode("dea", open_deal),
        ids.encode("cus", found[Customer]), ids.encode("cus", stranger),
        ids.encode("txn", found[Transaction]),
        ids.encode("txn", world.transaction_of("txn_w").id),
    )  # fmt: skip
