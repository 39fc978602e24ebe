"""Whether an event is what Chargebee says itself: when to ask, and what differs (pure).

A webhook is believed for its credentials only: nobody signs it. So before money follows, the event
can be asked for again by its id. Compared is what the service reads from an event, not its
spelling: a webhook may be told to use an older schema than the API answers in.
"""

from collections.abc import Mapping
from dataclasses import fields

from rewards_service.chargebee.events import PaymentFacts, Reading, read_event
from rewards_service.chargebee.resources import Mirrored
from rewards_service.chargebee.wire import Payload

OFF, ALWAYS = "off", "always"  # the third is "above": see integrations.options
NOT_THERE = "Chargebee knows no event of this id: it did not come from there."
_MONEY = ("amount_minor", "total_minor")
_SPELLING = ("body", "body_sha256")


def needs_asking(
    mode: str, above_minor: Mapping[str, int], event_type: str, body: Payload, body_size: int
) -> bool:
    """Whether Chargebee is to be asked before anything follows from an event.

    mode: `above` asks when any amount in the event is larger than `above_minor` of its currency
    (minor units), and for each currency that is not named there. Never for an event of which
    nothing follows.
    """
    if mode == OFF:
        return False
    reading = read_event(event_type, body, body_size)
    if reading.end is not None:
        return False
    return mode == ALWAYS or any(_is_above(item, above_minor) for item in reading.objects)


def _is_above(item: Mirrored, above_minor: Mapping[str, int]) -> bool:
    amounts = [item.columns[name] for name in _MONEY if item.columns.get(name) is not None]
    if not amounts:
        return False
    limit = above_minor.get(item.columns.get("currency") or "")
    return limit is None or max(amounts) > limit


def difference(ours: Payload, theirs: Payload) -> str | None:
    """What a received event says otherwise than Chargebee's own copy; None when it is the same.

    Names members and ids, never values: those may be personal.
    """
    for name in ("id", "event_type", "occurred_at"):
        if ours.get(name) != theirs.get(name):
            return f"Chargebee's own copy of this event has another {name}."
    kind = str(ours.get("event_type"))
    mine, own = read_event(kind, ours, 0), read_event(kind, theirs, 0)
    if own.end is not None:
        return f"Chargebee's own copy of this event cannot be used: {own.detail or own.end}."
    found = _objects_differ(mine, own) or _payment_differs(mine.payment, own.payment)
    return found and f"Chargebee's own copy of this event differs: {found}."


def _objects_differ(mine: Reading, own: Reading) -> str | None:
    ours = {(item.kind, item.external_id): item for item in mine.objects}
    theirs = {(item.kind, item.external_id): item for item in own.objects}
    for kind, key in sorted(ours.keys() ^ theirs.keys()):
        where = "here only" if (kind, key) in ours else "there only"
        return f"{kind} {key} is {where}"
    for place, item in sorted(ours.items()):
        names = sorted(_differing(item, theirs[place]))
        if names:
            return f"{' '.join(place)}, {', '.join(names)}"
    return None


def _differing(item: Mirrored, other: Mirrored) -> set[str]:
    names = {
        part.name
        for part in fields(item)
        if part.name not in ("columns", *_SPELLING)
        and getattr(item, part.name) != getattr(other, part.name)
    }
    columns = item.columns.keys() | other.columns.keys()
    return names | {name for name in columns if item.columns.get(name) != other.columns.get(name)}


def _payment_differs(mine: PaymentFacts | None, own: PaymentFacts | None) -> str | None:
    if mine is None or own is None:
        return None if mine is own else "whether it is a payment"
    names = [
        part.name for part in fields(mine) if getattr(mine, part.name) != getattr(own, part.name)
    ]
    return f"payment, {', '.join(names)}" if names else None
