"""What others are told of customers: events for those who asked (see docs/outbound.md)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from rewards_service.crm.matching import Match, Resolution
from rewards_service.crm.queries import AnyRow, Neighbourhood, customers_by_id
from rewards_service.kit import ids
from rewards_service.kit.clock import rfc3339
from rewards_service.outbound.announcing import announce, wanted

CONVERTED = "customer.converted"
_Found = Mapping[int, tuple[Match, datetime]]


def tell_converted(
    session: Session, around: Neighbourhood, resolution: Resolution, keys: Mapping[int, int]
) -> None:
    """Announce customers that came of a lead or deal and had none before; `keys`: id(match) -> key.

    Once for each customer, when its leads and deals are written.
    """
    if not wanted(session, [CONVERTED]):
        return
    before = _owners(around.leads.values()) | _owners(around.deals.values())
    leads = _by_customer(resolution.converted, keys, before)
    deals = _by_customer(resolution.associated, keys, before)
    customers = customers_by_id(session, sorted(leads.keys() | deals.keys()))
    for row in sorted(customers, key=lambda customer: customer.id):
        came_of = [*leads[row.id], *deals[row.id]]
        partner_id = row.source_partner_id
        data = {
            "id": ids.encode("cus", row.id),
            "source_partner_id": partner_id and ids.encode("par", partner_id),
            "lead_id": next((ids.encode("led", lead) for _, lead in leads[row.id]), None),
            "deal_ids": [ids.encode("dea", deal) for _, deal in deals[row.id]],
            "converted_at": rfc3339(min(at for at, _ in came_of)),
        }
        announce(session, CONVERTED, ("customer", row.id), data)


def _owners(rows: Iterable[AnyRow]) -> set[int]:
    return {row.customer_id for row in rows if row.customer_id is not None}


def _by_customer(
    found: _Found, keys: Mapping[int, int], before: set[int]
) -> defaultdict[int, list[tuple[datetime, int]]]:
    """Customer -> (when, key) of its leads or deals, the earliest first."""
    of_customer: defaultdict[int, list[tuple[datetime, int]]] = defaultdict(list)
    for key, (match, at) in found.items():
        owner = keys[id(match)]
        if owner not in before:
            of_customer[owner].append((at, key))
    for some in of_customer.values():
        some.sort()
    return of_customer
