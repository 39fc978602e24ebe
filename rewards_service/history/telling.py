"""Events of the past, made of what the mirror holds, as Chargebee would tell them now."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from rewards_service.chargebee import wire
from rewards_service.chargebee.resources import (
    CREDIT_NOTE,
    CUSTOMER,
    INVOICE,
    TRANSACTION,
    canonical_json,
)
from rewards_service.history.keeping import event_row
from rewards_service.history.past import PAID, TYPES, Told
from rewards_service.inbox.models import ReceivedEvent
from rewards_service.kit.db import reserve_ids, table_of
from rewards_service.mirror.models import ChargebeeVersion
from rewards_service.mirror.queries import Key, select_by
from rewards_service.mirror.service import MODELS


class Object(NamedTuple):
    """The newest version of a mirrored object, and since when it is so."""

    body: Mapping[str, Any]
    since_at: datetime


Objects = dict[str, dict[str, Object]]  # kind -> Chargebee id -> object


def event_rows(
    session: Session, site: tuple[int, int], told: Sequence[Told]
) -> list[dict[str, Any]]:
    """Rows of the event log, in the order of `told`; site = (integration, options in force).

    A payment whose customer was not listed says so by itself: it is quarantined.
    """
    objects = _load(session, site[0], told)
    made = []
    for one in told:
        event_type, kind = TYPES[one.rank]
        found = objects[kind][one.external_id]
        content = _payment(found.body, objects) if one.rank == PAID else {kind: found.body}
        made.append((one.event_id, event_type, _happened_at(one, found), canonical_json(content)))
    keys = reserve_ids(session, table_of(ReceivedEvent), len(made))
    return [event_row(key, site, *parts) for key, parts in zip(keys, made, strict=True)]


def _happened_at(one: Told, found: Object) -> datetime:
    """A payment's date; of what takes it back the time of the version that the event brings.

    The mirror has that version from a list. The event takes its place there, and with it the place
    in the order of the log.
    """
    paid_at = wire.epoch(found.body.get("date")) if one.rank == PAID else None
    return paid_at or found.since_at


def _payment(transaction: Mapping[str, Any], objects: Objects) -> dict[str, Any]:
    """The content of payment_succeeded: with the first of its invoices that the payer had to pay.

    What was paid in advance may have been applied to somebody else's later.
    """
    payer, known = transaction.get("customer_id"), objects[INVOICE]
    listed = (known[name].body for name in _invoices(transaction) if name in known)
    own = (one for one in listed if payer in (one.get("customer_id"), one.get("payment_owner")))
    invoice = next(own, None)
    owner = (transaction if invoice is None else invoice).get("customer_id")
    customer = objects[CUSTOMER].get(str(owner))
    found = {
        TRANSACTION: transaction,
        INVOICE: invoice,
        CUSTOMER: None if customer is None else customer.body,
    }
    return {kind: body for kind, body in found.items() if body is not None}


def _invoices(transaction: Mapping[str, Any]) -> list[str]:
    return [link["invoice_id"] for link in transaction.get("linked_invoices") or ()]


def _load(session: Session, integration_id: int, told: Sequence[Told]) -> Objects:
    wanted: dict[str, set[str]] = defaultdict(set)
    for one in told:
        wanted[TYPES[one.rank][1]].add(one.external_id)
    found: Objects = {
        kind: _newest(session, integration_id, kind, wanted[kind])
        for kind in (TRANSACTION, CREDIT_NOTE, INVOICE)
    }
    payments = [found[TRANSACTION][one.external_id].body for one in told if one.rank == PAID]
    invoices = {name for payment in payments for name in _invoices(payment)}
    found[INVOICE] |= _newest(session, integration_id, INVOICE, invoices - found[INVOICE].keys())
    paid = [*payments, *(one.body for one in found[INVOICE].values())]
    payers = {str(body.get("customer_id")) for body in paid}
    found[CUSTOMER] = _newest(session, integration_id, CUSTOMER, payers)
    return found


def _newest(
    session: Session, integration_id: int, kind: str, names: Collection[str]
) -> dict[str, Object]:
    row, version = MODELS[kind], ChargebeeVersion
    same = and_(
        version.external_id == row.external_id,
        version.integration_id == row.integration_id,
        version.body_sha256 == row.body_sha256,
        version.kind == kind,
    )
    query = select(row.external_id, row.occurred_at, version.body).join(version, same)
    keys: set[Key] = {(integration_id, name) for name in names}
    found = select_by(session, query, row.integration_id, row.external_id, keys)
    return {one.external_id: Object(orjson.loads(one.body), one.occurred_at) for one in found}
