"""What a Chargebee site sends, by seed: payments, refunds, changes, repetitions, poison."""

import json
import random
from typing import NamedTuple

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from rewards_service.crm.models import Deal, Lead
from tests.builders.chargebee import Json, customer, event, paid, refunded
from tests.builders.world import REGISTERED, World

EVENTS_PER_PAYER = 8
REPEATED, POISONED = 0.10, 0.02
MIXED_UP = 30  # an event may come so many places too early or too late
LATER = 200  # places, of an event that comes again
DAYS = 28


class Sent(NamedTuple):
    """One event as it is posted; its id, none for what has no id that could be read."""

    event_id: str | None
    body: bytes


def stream(seed: int, tag: str, number: int) -> list[Sent]:
    """`number` different events in the order they are posted, and repetitions and poison besides.

    tag: begins every id, so that streams on one database have nothing to do with each other.
    """
    chance = random.Random(f"{seed} {tag}")
    events = _events(chance, tag, number)
    moments = [
        (place + chance.random() * MIXED_UP, _sent(events[place])) for place in range(number)
    ]
    again = [
        (moment + chance.randrange(1, LATER), sent)
        for moment, sent in chance.sample(moments, int(number * REPEATED))
    ]
    bad = [
        (chance.random() * number, poison(f"poison_{tag}_{n}", chance.randrange(1_000)))
        for n in range(int(number * POISONED))
    ]
    return [sent for _, sent in sorted((*moments, *again, *bad), key=lambda one: one[0])]


def _events(chance: random.Random, tag: str, number: int) -> list[Json]:
    payers = number_of_payers(number)
    open_: list[tuple[int, int, int]] = []  # payment, what is left of it, its day
    found: list[Json] = []
    for n in range(number):
        kind = chance.random()
        payer, day = chance.randrange(payers), chance.randrange(DAYS)
        name, email = f"cb_{tag}_{payer}", email_of(tag, payer)
        if kind < 0.25 and open_:
            of, left, paid_on = open_.pop(chance.randrange(len(open_)))
            part = left if chance.random() < 0.3 else chance.randrange(1, left + 1)
            if part < left:
                open_.append((of, left - part, paid_on))
            found.append(refunded(f"{tag}_{n}", f"txn_{tag}_{of}", part, paid_on + 30 + n / 1e6))
        elif kind < 0.30:
            found.append(event(f"ev_{tag}_{n}", "customer_changed", day + n / 1e6,
                               customer=customer(name, email, day + n / 1e6)))  # fmt: skip
        elif kind < 0.33:
            found.append(event(f"ev_{tag}_{n}", "plan_created", day))
        else:
            amount = chance.randrange(100, 100_000)
            found.append(paid(f"{tag}_{n}", name, email, amount, day, tax=amount // 7))
            open_.append((n, amount, day))
    return found


def _sent(body: Json) -> Sent:
    return Sent(body["id"], json.dumps(body, separators=(",", ":")).encode())


def poison(name: str, number: int) -> Sent:
    """Something that is no event, or an odd one: taken or refused, but nothing breaks over it."""
    good = json.dumps(paid(name, f"cb_{name}", f"{name}@one.example"))
    kinds = [
        b"", b"{", b"[]", b"null", b'{"id": "' + b"\\u0000" + b'"}', b"[" * 5_000,
        good.replace("10000", "NaN").encode(),
        good.replace("10000", "1e999").encode(),
        good.replace('"object": "event"', '"object": "event", "object": "event"').encode(),
        good.replace(f"{name}@one.example", "a\\u0000b@one.example").encode(),
        good.replace(f"{name}@one.example", "\\ud800@one.example").encode(),
        good.replace('"amount": 10000', '"amount": "ten"').encode(),
        good.replace("10000", "9" * 5_000).encode(),
        good.encode("utf-16"),
        json.dumps(event(name, "payment_succeeded")).encode(),
        json.dumps(event(name, "never_heard_of", transaction=[1], customer="x")).encode(),
    ]  # fmt: skip
    body = kinds[number % len(kinds)]
    has_id = f'"ev_{name}"'.encode() in body or f'"{name}"'.encode() in body
    return Sent(_id_in(body, name) if has_id else None, body)


def _id_in(body: bytes, name: str) -> str:
    return name if f'"id": "{name}"'.encode() in body else f"ev_{name}"


def number_of_payers(events: int) -> int:
    return max(events // EVENTS_PER_PAYER, 10)


def email_of(tag: str, payer: int) -> str:
    return f"{tag}.{payer}@one.example"


def add_people(world: World, partners: list[int], tag: str, events: int) -> None:
    """Leads, deals, or both, or neither, for those who pay in the stream of this tag."""
    engine: Engine = world.engine
    with Session(engine) as session, session.begin():
        for payer in range(number_of_payers(events)):
            email, partner = email_of(tag, payer), partners[payer % len(partners)]
            if payer % 10 < 7:
                session.add(
                    Lead(email=email, email_key=email, partner_id=partner, status="accepted",
                         registered_at=REGISTERED)
                )  # fmt: skip
            if payer % 10 in (6, 7, 8):
                session.add(
                    Deal(name="A deal", contact_email=email, email_key=email, stage="open",
                         partner_id=partner, registered_at=REGISTERED)
                )  # fmt: skip
