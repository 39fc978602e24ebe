"""Two partners with rows of every kind, who share a deal; all that is Bravo's is called so."""

import re
from dataclasses import dataclass, field
from typing import Any

from rewards_service.kit import ids
from tests.builders.api import Caller, Json
from tests.builders.chargebee import paid
from tests.builders.world import World

CUT_OFF = "2026-06-01"
COLLECTIONS = (
    "/partners", "/programs", "/reward-rules", "/leads", "/deals", "/customers", "/transactions",
    "/rewards", "/payouts",
)  # fmt: skip


@dataclass
class Side:
    """One partner, and the ids of its rows by the name they have in paths."""

    name: str
    partner_id: str
    ids: dict[str, str] = field(default_factory=dict)


@dataclass
class Pair:
    alpha: Side
    bravo: Side
    shared_deal: str
    of_bravo: set[str]  # every id that Alpha must never see


def build(world: World, api: Caller) -> Pair:
    """Each with a programme, level, rule, lead, deal, customer, payment, reward and payout.

    Beside them a deal of Bravo's in which Alpha has 30 %, with its customer and payment, and a
    customer that Alpha brought, who was given to Bravo afterwards.
    """
    alpha, bravo = (_side(api, name) for name in ("Alpha", "Bravo"))
    for side in (alpha, bravo):
        mark = side.name.lower()
        world.receive(paid(f"{mark}_1", f"cb_{mark}_1", f"{mark}-one@buyer.example"))
        world.receive(paid(f"{mark}_2", f"cb_{mark}_2", f"{mark}-two@buyer.example", day=1))
    shares = [{"partner_id": alpha.partner_id, "basis_points": 3_000},
              {"partner_id": bravo.partner_id, "basis_points": 7_000}]  # fmt: skip
    shared = api.create(
        "/deals", name="Shared", contact_email="shared@buyer.example", shares=shares,
        partner_id=bravo.partner_id, registered_at="2020-01-01T00:00:00Z",
    )["id"]  # fmt: skip
    api.create(
        "/leads", email="moved@buyer.example", partner_id=alpha.partner_id,
        registered_at="2020-01-01T00:00:00Z",
    )  # fmt: skip
    world.receive(paid("shared", "cb_shared", "shared@buyer.example", day=2))
    world.receive(paid("moved", "cb_moved", "moved@buyer.example", day=2))
    (moved,) = api.get("/customers", email="moved@buyer.example")["data"]
    api.change(
        f"/customers/{moved['id']}", source_partner_id=bravo.partner_id, reason="Bravo has it now"
    )
    _settle(api)
    of_bravo: set[str] = set()
    for side in (alpha, bravo):
        _collect(api, side)
    for path in COLLECTIONS:
        of_bravo |= _ids(path, api.get(path, limit=200)["data"], bravo.partner_id)
    of_bravo |= {*bravo.ids.values(), bravo.partner_id}
    return Pair(alpha, bravo, shared, of_bravo)


def _side(api: Caller, name: str) -> Side:
    mark = name.lower()
    program = api.create("/programs", name=f"{name}s programme")["id"]
    level = api.create(f"/programs/{program}/levels", name=f"{name} level")["id"]
    rule = api.create(
        "/reward-rules", program_id=program, name=f"{name} rule", kind="percent", rate="0.10",
        hold_days=0, level_id=level, conditions={"excluded_customer_ids": ["cb_bravo_9"]},
    )["id"]  # fmt: skip
    partner = api.create(
        "/partners", name=name, email=f"{mark}@partner.example", external_id=f"{mark}-partner",
        enrolments=[{"program_id": program, "level_id": level}],
    )["id"]  # fmt: skip
    long_ago = "2020-01-01T00:00:00Z"
    lead = api.create(
        "/leads", email=f"{mark}-one@buyer.example", partner_id=partner, company=name,
        external_id=f"{mark}-lead", registered_at=long_ago,
    )["id"]  # fmt: skip
    deal = api.create(
        "/deals", name=f"{name} deal", contact_email=f"{mark}-two@buyer.example",
        partner_id=partner, external_id=f"{mark}-deal", registered_at=long_ago,
    )["id"]  # fmt: skip
    found = {"program_id": program, "level_id": level, "rule_id": rule, "lead_id": lead,
             "deal_id": deal, "partner_id": partner}  # fmt: skip
    return Side(name, partner, found)


def _settle(api: Caller) -> None:
    """Approve every reward and put it in a payout with an invoice."""
    keys = [one["id"] for one in api.get("/rewards", limit=200)["data"]]
    answer = api.call("POST", "/rewards/bulk", json={"ids": keys, "action": "approve"})
    assert all(one["ok"] for one in answer.get_json()["results"])
    for payout in api.create("/payouts", currency="USD", cut_off=CUT_OFF)["data"]:
        document = {"document": "JVBERi0xLjQK", "media_type": "application/pdf"}
        body: Json = {"invoice_number": "I-1", **document}
        answer = api.call("POST", f"/payouts/{payout['id']}/invoice", json=body)
        assert answer.status_code == 200, answer.text


def _collect(api: Caller, side: Side) -> None:
    """What payments made of a side: one id of each kind."""
    mark, partner = side.name.lower(), side.partner_id
    (customer,) = api.get("/customers", chargebee_customer_id=f"cb_{mark}_1")["data"]
    side.ids["customer_id"] = customer["id"]
    for path, name in (("/transactions", "transaction_id"), ("/rewards", "reward_id")):
        found = api.get(path, partner_id=partner, chargebee_invoice_id=f"inv_{mark}_1")["data"]
        (side.ids[name],) = (one["id"] for one in found)
    (payout,) = api.get("/payouts", partner_id=partner)["data"]
    side.ids["payout_id"] = payout["id"]


def _ids(path: str, rows: list[Json], partner_id: str) -> set[str]:
    """Ids of the rows that a partner owns."""
    owner = "source_partner_id" if path == "/customers" else "partner_id"
    return {row["id"] for row in rows if row.get(owner) == partner_id}


def traces(pair: Pair, text: str) -> list[str]:
    """What of Bravo's stands in an answer for Alpha; the shared deal itself is both's."""
    named = set(re.findall(r"[a-z]{3}_[0-9a-hjkmnp-tv-z]{13}", text))
    found = sorted((named & pair.of_bravo) - {pair.shared_deal})
    return found + re.findall(r"[^\n\"]*bravo[^\n\"]*", text.lower())


def unknown(prefix_of: str) -> str:
    """An id of the same kind, of nothing."""
    return ids.encode(prefix_of.partition("_")[0], 987_654_321)


def path_of(rule: str, given: dict[str, Any]) -> str:
    """A rule of the URL map with ids in place of its placeholders; `none` where there is none."""
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda found: given.get(found[1], "none"), rule)
