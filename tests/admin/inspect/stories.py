"""A site where everything happened that these pages show, also what somebody made to deceive."""

from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select

from rewards_service.crm.models import AttributionConflict, Customer
from rewards_service.inbox.models import DEAD, ReceivedEvent
from rewards_service.kit import ids
from rewards_service.kit.db import transaction
from tests.builders.chargebee import Json, customer, event, paid, refunded
from tests.builders.world import World

INVALID = Path(__file__).resolve().parents[2] / "payloads/chargebee/events-invalid"
ADA, EVE = "ada@one.example", "eve@two.example"
# 24: letters of another alphabet; 28: HTML and a formula; 25 by hand: letters that turn reading.
HOMOGLYPH = (INVALID / "24_homoglyph_email.json").read_bytes().replace(b"cbdemo_c1", b"cb_24")
HTML = (INVALID / "28_html_in_names.json").read_bytes()
BIDI = "Acme \u202egnp.exe\u202c \u2066Ltd"
CARD = "4111 1111 1111 1111"
LONG = "n" * 5_000


def hostile() -> Json:
    """A payment whose payer has a name that turns the direction of reading, and card data."""
    found = paid("bidi", "cb_bidi", "bidi@else.example")
    found["content"]["customer"] = customer(
        "cb_bidi", "bidi@else.example", company=BIDI,
        cf_note=f"paid with {CARD}", cf_long=LONG, card={"iin": "411111", "last4": "1111"},
        cf_list=[{"deep": {"deeper": [0]}}, *range(149)],
    )  # fmt: skip
    return found


def happen(world: World) -> None:
    """Matched, unmatched, ignored, taken back, parked, set aside, failed, waiting, repeated."""
    ann, bob = world.partner("Ann"), world.partner("Bob")
    world.lead(ADA, ann)
    world.deal(ADA, bob)
    world.lead("eve@two.exmaple", ann)
    world.lead("eva@two.example", bob)
    world.deal("boss@two.example", bob, stage="lost")
    shop = "eve+shop@two.example"
    world.add(Customer(name="Shop", email=shop, email_key=shop, loose_key=EVE))
    world.lead("ada@customer-one.example", ann)
    world.receive(
        paid("p", "cb_1", ADA), refunded("r", "txn_p", 2_500), paid("u", "cb_2", EVE),
        paid("n", "cb_3", None), HTML, HOMOGLYPH, hostile(),
        event("ev_ignored", "feature_created", feature={"id": "x"}),
        refunded("park", "txn_none", 100),
        paid("bad", "cb_4", ADA, currency_code="EURO"),
        {**paid("p", "cb_1", ADA), "occurred_at": 1_767_300_000},
        paid("dead", "cb_5", "dora@three.example"),
    )  # fmt: skip
    with transaction(world.engine) as session:
        dead = session.scalars(_named("ev_dead")).one()
        dead.state, dead.outcome, dead.results, dead.attempts = DEAD, None, None, 8
        dead.error = "OperationalError: the connection of 10.0.0.1 <b>was lost</b>"
    world.accept(paid("wait", "cb_6", "late@four.example"))


class Lived(World):
    """The world after `happen`, on a copy of its database."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine


def _named(name: str) -> Any:
    return select(ReceivedEvent).where(ReceivedEvent.event_id == name)


def path_of(world: World, name: str, below: str = "") -> str:
    return f"/events/{ids.encode('evt', world.event(name).id)}{below}"


def conflict_path(world: World) -> str:
    (conflict,) = world.all(AttributionConflict)
    return f"/unmatched/conflicts/{ids.encode('cfl', conflict.id)}"
