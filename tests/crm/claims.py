"""Claims, leads, deals and customers in few words, and random neighbourhoods of them."""

import random
from typing import Any, NamedTuple

from rewards_service.crm.attribution import resolve
from rewards_service.crm.matching import (
    Claim,
    CustomerFacts,
    DealFacts,
    LeadFacts,
    Match,
    Payer,
    Resolution,
)
from tests.builders.chargebee import at

KEYS = ("a@x.example", "b@x.example", "c@x.example")


def claim(
    event: int, payer: str = "cb1", key: str | None = KEYS[0], day: float = 0, site: int = 1,
    **changes: Any,
) -> Claim:  # fmt: skip
    """A payment of a Chargebee customer, all options on; its event is `event`."""
    found = Claim(
        event, f"ev_{event}", Payer(site, payer), f"txn_{event}", key, key, None, at(day), at(day),
        True, True, True,
    )  # fmt: skip
    return found._replace(**changes)


def lead(
    key: int, partner: int | None = 1, day: float = -9, status: str = "accepted",
    email: str = KEYS[0],
) -> LeadFacts:  # fmt: skip
    return LeadFacts(key, email, status, partner, at(day))


def deal(
    key: int, partner: int | None = 1, day: float = -9, stage: str = "open", email: str = KEYS[0]
) -> DealFacts:  # fmt: skip
    return DealFacts(key, email, stage, partner, at(day))


def person(key: int, partner: int | None = None, email: str = KEYS[0]) -> CustomerFacts:
    return CustomerFacts(key, email, partner)


class Neighbours(NamedTuple):
    claims: list[Claim]
    leads: list[LeadFacts]
    deals: list[DealFacts]
    customers: list[CustomerFacts]

    def resolve(self) -> Resolution:
        return resolve(*self)

    def shuffled(self, seed: int) -> "Neighbours":
        chance = random.Random(seed)  # noqa: S311
        return Neighbours(
            chance.sample(self.claims, len(self.claims)),
            chance.sample(self.leads, len(self.leads)),
            chance.sample(self.deals, len(self.deals)),
            chance.sample(self.customers, len(self.customers)),
        )

    def of_key(self, key: str) -> "Neighbours":
        return Neighbours(
            [one for one in self.claims if one.email_key == key],
            [one for one in self.leads if one.email_key == key],
            [one for one in self.deals if one.email_key == key],
            [one for one in self.customers if one.email_key == key],
        )


def random_neighbours(seed: int, one_key_each: bool = False) -> Neighbours:
    """Up to eight payments of five payers on two sites, with few dates so that many are equal.

    With `one_key_each` no payer uses two e-mails: the keys then are neighbourhoods of their own.
    """
    chance = random.Random(seed)  # noqa: S311
    partners = (1, 2, None)
    claims = [
        _random_claim(chance, event, one_key_each) for event in range(1, chance.randint(2, 9))
    ]
    leads = [
        lead(key, chance.choice(partners), chance.randint(-2, 4),
             chance.choice(("accepted", "pending", "lost")), chance.choice(KEYS))
        for key in range(1, chance.randint(1, 6))
    ]  # fmt: skip
    deals = [
        deal(key, chance.choice(partners), chance.randint(-2, 4),
             chance.choice(("open", "won", "lost", "archived")), chance.choice(KEYS))
        for key in range(1, chance.randint(1, 6))
    ]  # fmt: skip
    customers = [
        person(key, chance.choice(partners), chance.choice(KEYS))
        for key in range(1, chance.randint(1, 4))
    ]
    return Neighbours(claims, leads, deals, customers)


def _random_claim(chance: random.Random, event: int, one_key_each: bool) -> Claim:
    payer = chance.randint(0, 5)
    key = KEYS[payer % 3] if one_key_each else chance.choice((*KEYS, None))
    site = 1 + event % 2
    return claim(  # both sites count their events and transactions from 1
        event, f"cb{payer}", key, chance.randint(0, 4), site,
        transaction_id=f"txn_{event // 4}", event_id=f"ev_{event // 2}",
        convert_lead=chance.random() < 0.8, associate_deal=chance.random() < 0.8,
        first_wins=chance.random() < 0.2,
    )  # fmt: skip


def view(done: Resolution) -> dict[str, Any]:
    """Everything a resolution says, as values that can be compared."""
    return {
        "known": {payer: _owner(match) for payer, match in done.known.items()},
        "converted": {key: (_owner(match), when) for key, (match, when) in done.converted.items()},
        "superseded": done.superseded,
        "associated": {key: (_owner(m), when) for key, (m, when) in done.associated.items()},
        "conflicts": sorted(map(repr, done.conflicts)),
        "outcomes": done.outcomes,
        "results": done.results,
    }


def _owner(match: Match) -> tuple[Any, ...]:
    return (
        match.customer_id, tuple(match.payers), match.source_partner_id, match.source_lead_id,
        match.source_deal_id, match.attributed_from, match.hold_reason, match.matched_at,
        match.made_by,
    )  # fmt: skip
