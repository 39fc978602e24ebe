"""A site as one JSON text, and back: the same site, to the byte (pure)."""

import json
from decimal import Decimal
from typing import Any

from rewards_service.simulator.site import Row, Site
from rewards_service.simulator.wire import dumps

VERSION = 1


def saved(site: Site) -> bytes:
    """Everything the site knows. Two sites with the same history have the same text."""
    return dumps({
        "version": VERSION, "seed": site.seed, "now_ms": site.now_ms, "serial": site.serial,
        "counters": site.counters, "cards": site.cards,
        "outbox": list(site.outbox.values()),
        "tables": {
            kind: [[*table.places[key], row] for key, row in table.rows.items()]
            for kind, table in site.tables.items()
        },
    })  # fmt: skip


def loaded(text: bytes) -> Site:
    """The site that was saved. Raises ValueError when the text is none of this version."""
    given: dict[str, Any] = json.loads(text, parse_float=Decimal)
    if not isinstance(given, dict) or given.get("version") != VERSION:
        raise ValueError("This is no saved site of this version.")
    site = Site(given["seed"], given["now_ms"])
    for kind, entries in given["tables"].items():
        for made_at, serial, row in entries:
            _put(site, kind, (made_at, serial), row)
        site.tables[kind].order.sort()
    site.now_ms, site.serial = given["now_ms"], given["serial"]
    site.counters, site.cards = given["counters"], given["cards"]
    site.outbox = {call["call"]: call for call in given["outbox"]}
    return site


def _put(site: Site, kind: str, place: tuple[int, int], row: Row) -> None:
    table = site.tables[kind]
    table.rows[row["id"]] = row
    table.places[row["id"]] = place
    table.order.append((place, row["id"]))
    if owner := row.get("customer_id"):
        table.of_customer[owner].append(row["id"])
