"""A month of business, always the same: who signs up, pays, gets money back, and when (pure).

Only ids differ with the seed. `PEOPLE` is also what a service that is to be shown needs to know
beforehand: some are leads of a partner, some contacts of a deal, some nobody's.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from rewards_service.simulator.people_verbs import EURO, OLD_PLAN, PLAN, SEAT, SETUP, YEARLY
from rewards_service.simulator.site import Row, Site
from rewards_service.simulator.verbs import say

DAYS = 30


class Person(NamedTuple):
    """A customer to be; `partner` brought it: as a `lead`, through a `deal`, or nobody did."""

    email: str
    company: str
    country: str
    partner: str | None = None
    found_as: str | None = None


PEOPLE = {
    "ada": Person("ada@analytical.example", "Analytical Engines", "GB", "acme", "lead"),
    "bob": Person("bob@brightlights.example", "Bright Lights", "US", "acme", "lead"),
    "cleo": Person("cleo@canalworks.example", "Canal Works", "FR", "acme", "deal"),
    "dan": Person("dan@deltaparts.example", "Delta Parts", "US", "borealis", "lead"),
    "eva": Person("eva@eiffelgroup.example", "Eiffel Group", "DE", "borealis", "deal"),
    "finn": Person("finn@fjordfarms.example", "Fjord Farms", "US", "borealis", "lead"),
    "gus": Person("gus@gardengate.example", "Garden Gate", "US", "acme", "lead"),
    "hana": Person("hana@harborline.example", "Harbor Line", "US", "cedar", "deal"),
    "ivo": Person("ivo@islandtours.example", "Island Tours", "IE", "cedar", "lead"),
    "joy": Person("joy@jadegoods.example", "Jade Goods", "US", "cedar", "lead"),
    "kim": Person("kim@kitelabs.example", "Kite Labs", "US"),
    "lea": Person("lea@lakehotel.example", "Lake Hotel", "DE"),
}
# (day, verb, who, parameters); a verb's invoice, payment or refund is the person's newest.
_SCRIPT: tuple[tuple[int, str, str, dict[str, Any]], ...] = (
    (1, "sign_up", "ada", {}), (1, "subscribe", "ada", {"item_price_id": PLAN, "quantity": 5}),
    (1, "sign_up", "bob", {}), (1, "subscribe", "bob", {"item_price_id": YEARLY}),
    (2, "sign_up", "cleo", {"card": False, "currency_code": "EUR"}),
    (2, "subscribe", "cleo", {"item_price_id": EURO, "quantity": 10}),
    (3, "sign_up", "dan", {}),
    (3, "subscribe", "dan", {"item_price_id": PLAN, "also": [SEAT, SETUP]}),
    (4, "pay_offline", "cleo", {}), (4, "sign_up", "kim", {}),
    (4, "subscribe", "kim", {"item_price_id": PLAN}),
    (5, "sign_up", "eva", {"card": False, "currency_code": "EUR"}),
    (5, "subscribe", "eva", {"item_price_id": EURO, "quantity": 20, "discount_percent": 10}),
    (6, "pay_offline", "eva", {"amount": 50_000}), (6, "refund", "bob", {"amount": 9_000}),
    (7, "sign_up", "finn", {"card": False}),
    (7, "subscribe", "finn", {"item_price_id": PLAN, "quantity": 2}),
    (7, "start_payment", "finn", {}), (8, "resize", "ada", {"quantity": 8}),
    (9, "finish_payment", "finn", {}), (9, "sign_up", "gus", {"card": False}),
    (9, "bill", "gus", {"amount": 120_000, "description": "Onboarding"}),
    (9, "fail", "gus", {}), (10, "pay", "gus", {}),
    (10, "change_email", "ada", {"email": "office@analytical.example"}),
    (11, "sign_up", "hana", {}), (11, "subscribe", "hana", {"item_price_id": YEARLY}),
    (12, "pay_offline", "eva", {}), (12, "sign_up", "lea", {"currency_code": "EUR"}),
    (12, "subscribe", "lea", {"item_price_id": EURO}),
    (13, "chargeback", "hana", {}), (14, "sign_up", "ivo", {}),
    (14, "subscribe", "ivo", {"plan_id": OLD_PLAN}),
    (15, "bill", "kim", {"amount": 30_000}), (15, "pay_offline", "kim", {}),
    (16, "late_failure", "finn", {}), (17, "sign_up", "joy", {}),
    (17, "bill", "joy", {"amount": 60_000}), (17, "pay_offline", "joy", {"method": "check"}),
    (18, "delete_offline", "joy", {}), (18, "pay", "finn", {}), (19, "pay", "joy", {}),
    (20, "win_back", "hana", {}), (20, "start_refund", "dan", {"amount": 4_500}),
    (21, "finish_refund", "dan", {}), (22, "bill", "bob", {"amount": 25_000}),
    (22, "pay", "bob", {"amount": 10_000}), (23, "write_off", "bob", {}),
    (24, "bill", "ivo", {"amount": 8_000}), (24, "pay", "ivo", {}),
    (25, "void_invoice", "ivo", {}), (26, "gift", "kim", {"receiver": "joy"}),
    (27, "claim_gift", "kim", {}), (28, "cancel", "kim", {"prorate": True}),
    (29, "pay_excess", "gus", {"amount": 20_000}),
    (29, "bill", "gus", {"amount": 15_000}), (29, "apply_excess", "gus", {}),
    (30, "renew", "ada", {}),
)  # fmt: skip
_NEEDS = {
    "transaction_id": {
        "finish_payment": ("payment", "in_progress"), "late_failure": ("payment", "success"),
        "delete_offline": ("payment", "success"), "chargeback": ("payment", "success"),
        "win_back": ("refund", "success"), "finish_refund": ("refund", "in_progress"),
        "apply_excess": ("payment", "success"),
    },
    "invoice_id": dict.fromkeys((
        "pay", "pay_offline", "fail", "start_payment", "refund", "start_refund", "write_off",
        "void_invoice", "apply_excess",
    ), ("", "")),
    "subscription_id": dict.fromkeys(("resize", "cancel", "renew"), ("", "")),
    "gift_id": {"claim_gift": ("", "")},
}  # fmt: skip


def month(site: Site) -> Iterator[str]:
    """Play the month from where the clock stands; yields a line for each day when it is over."""
    say(site, "stock")
    known: dict[str, str] = {}
    for day in range(1, DAYS + 1):
        told = []
        for _, verb, who, more in (line for line in _SCRIPT if line[0] == day):
            _do(site, known, verb, who, more)
            told.append(f"{who} {verb.replace('_', ' ')}")
            say(site, "wait", seconds=600)
        say(site, "wait", seconds=86_400 - 600 * len(told))
        yield f"Day {day}: {', '.join(told) or 'nothing but renewals'}"
    site.counters["month"] = 1


def is_over(site: Site) -> bool:
    """Was the month played on this site before?"""
    return bool(site.counters.get("month"))


def _do(site: Site, known: dict[str, str], verb: str, who: str, more: dict[str, Any]) -> None:
    person = PEOPLE[who]
    if verb == "sign_up":
        first = who.title()
        given = {
            "email": person.email, "first_name": first, "company": person.company,
            "country": person.country, **more,
        }  # fmt: skip
        known[who] = say(site, verb, **given)["customer_id"]
        return
    given = {name: value for name, value in more.items() if name != "receiver"}
    if "receiver" in more:
        given["receiver_id"] = known[more["receiver"]]
    customer = known[who]
    for member, verbs in _NEEDS.items():
        if verb in verbs:
            given[member] = _newest(site, customer, member.removesuffix("_id"), verbs[verb])
    say(site, verb, **({"customer_id": customer} | given))


def _newest(site: Site, customer: str, kind: str, wanted: tuple[str, str]) -> str:
    """The id of the person's newest record of a kind, for transactions of a type and status."""
    if kind == "gift":
        return next(reversed(site.tables["gift"].rows))
    rows: list[Row] = site.of_customer(kind, customer)
    if kind == "transaction":
        rows = [row for row in rows if (row["type"], row["status"]) == wanted]
    return str(rows[-1]["id"])
