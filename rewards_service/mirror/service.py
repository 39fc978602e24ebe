"""Keep every version of Chargebee's objects, and the newest of each as rows to calculate with."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from rewards_service.chargebee.resources import (
    CREDIT_NOTE,
    CUSTOMER,
    INVOICE,
    PAYMENT,
    TRANSACTION,
    finish,
)
from rewards_service.kit.db import Base, insert_many, insert_missing, upsert
from rewards_service.mirror import children, kinds, queries
from rewards_service.mirror.children import Key, Received
from rewards_service.mirror.models import ChargebeeVersion

MODELS = kinds.MODELS

# Execution option of an engine whose mirror only serves to calculate rewards.
FOR_REWARDS = "rewards_mirror_for_rewards"
# What they read of versions: by which event an invoice became known, where a customer was when.
_READ_BY_REWARDS = {INVOICE: False, CUSTOMER: True}  # kind -> whether they read its body


@dataclass(slots=True)
class Changed:
    """Which objects have a new newest version, and what money may depend on it."""

    payments: set[Key] = field(default_factory=set)  # payments, also those whose refunds changed
    invoices: set[Key] = field(default_factory=set)
    customers: set[Key] = field(default_factory=set)  # whose place in a hierarchy changed


def store(session: Session, received: Sequence[Received]) -> Changed:
    """Keep all versions of objects of any kinds; bring the newest rows up to date.

    The same for a webhook, a poll and a list of the API: all are events of the log. Whatever comes
    first, the newest stays, and a deletion is final. Answers what changed. The caller holds the
    events stage (`kit.db.hold_stage`). On an engine with the option FOR_REWARDS, versions that no
    reward is calculated from are left out.
    """
    changed = Changed()
    lean = bool(session.connection().get_execution_options().get(FOR_REWARDS))
    by_kind: dict[str, list[Received]] = defaultdict(list)
    for one in received:
        by_kind[one.item.kind].append(one)
    for kind, some in sorted(by_kind.items()):
        before = queries.newest(session, MODELS[kind], {one.key for one in some})
        if not lean or kind in _READ_BY_REWARDS:
            _keep_versions(session, some, before, with_bodies=not lean or _READ_BY_REWARDS[kind])
        winners = _winners(some, before)
        for one in winners:
            finish(one.item)
        _put(session, MODELS[kind], winners, before)
        fresh = [one for one in winners if _differs(one, before.get(one.key))]
        if fresh:
            children.keep_parts(session, fresh, before)
        if kind in _FOLLOW_UP:
            _FOLLOW_UP[kind](session, some, fresh, before, changed)
    return changed


def _put(
    session: Session, model: type[Base], winners: list[Received], before: dict[Key, Any]
) -> None:
    """Nobody else writes meanwhile, and PostgreSQL takes in what is new much faster."""
    known = [_row(one) for one in winners if one.key in before]
    upsert(session, model, known, ("integration_id", "external_id"))
    insert_many(session, model, [_row(one) for one in winners if one.key not in before])


def _keep_versions(
    session: Session, some: Sequence[Received], before: dict[Key, Any], with_bodies: bool
) -> None:
    """Objects of one kind. Of what the mirror does not know it has no version either."""
    rows: dict[bool, dict[Any, dict[str, Any]]] = {True: {}, False: {}}
    for one in some:
        item = one.item
        rows[one.key in before][one.key, item.body_sha256] = {
            "integration_id": one.integration_id,
            "kind": item.kind,
            "external_id": item.external_id,
            "body_sha256": item.body_sha256,
            "resource_version": item.resource_version,
            "occurred_at": one.occurred_at,
            "received_event_id": one.received_event_id,
            "body": item.body if with_bodies else b"",
        }
    insert_missing(session, ChargebeeVersion, list(rows[True].values()))
    insert_many(session, ChargebeeVersion, list(rows[False].values()))


def _winners(some: Sequence[Received], before: dict[Key, Any]) -> list[Received]:
    """The newest version of each object, where it is no older than what the mirror holds.

    The same version once more comes from the later event: history's listing brought it before the
    event that tells when it happened.
    """
    newest: dict[Key, Received] = {}
    for one in some:
        held = newest.get(one.key)
        if held is None or one.place >= held.place:
            newest[one.key] = one
    return [
        one
        for key, one in sorted(newest.items())
        if key not in before or one.place >= queries.place_of(before[key])
    ]


_LOGGED = (TRANSACTION, INVOICE, CREDIT_NOTE)  # what counters read in the order of the log (A9)


def _row(one: Received) -> dict[str, Any]:
    item = one.item
    return {
        "integration_id": one.integration_id,
        "external_id": item.external_id,
        "resource_version": item.resource_version,
        "occurred_at": one.occurred_at,
        "body_sha256": item.body_sha256,
        "deleted": item.deleted,
        "deleted_at": one.occurred_at if item.deleted else None,
        **({"received_event_id": one.received_event_id} if item.kind in _LOGGED else {}),
        **item.columns,
    }


def _differs(one: Received, before: Any) -> bool:
    return before is None or (before.body_sha256, before.deleted) != (
        one.item.body_sha256,
        one.item.deleted,
    )


def _is_late(one: Received, before: Any) -> bool:
    return before is not None and one.place < queries.place_of(before)


def _told_again(some: Sequence[Received], before: dict[Key, Any]) -> list[Received]:
    """What another event had brought as it is: a list of the past may have, before its time."""
    return [
        one for one in some
        if one.item.columns.get("kind") != PAYMENT
        and before.get(one.key) is not None and not _differs(one, before[one.key])
    ]  # fmt: skip


def _after_customers(
    _session: Session, _some: Any, fresh: list[Received], before: dict[Key, Any], changed: Changed
) -> None:
    changed.customers |= {
        one.key
        for one in fresh
        if one.item.columns["root_id"] != getattr(before.get(one.key), "root_id", None)
    }


def _after_invoices(
    session: Session, _some: Any, fresh: list[Received], before: dict[Key, Any], changed: Changed
) -> None:
    changed.invoices |= {one.key for one in fresh}
    children.keep_credits(session, fresh, before)
    voided = {one.key for one in fresh if one.item.columns["status"] == "voided"}
    notes = queries.notes_about(session, voided)
    changed.invoices |= queries.paid_by_credit(session, notes)


def _after_transactions(
    session: Session,
    some: list[Received],
    fresh: list[Received],
    before: dict[Key, Any],
    changed: Changed,
) -> None:
    for one in (*fresh, *_told_again(some, before)):
        sources = {one.item.columns["source_id"], getattr(before.get(one.key), "source_id", None)}
        changed.payments |= {(one.integration_id, source) for source in sources if source}
        if one.item.columns["kind"] == "payment":
            changed.payments.add(one.key)
    # An older version may tell of an invoice that was paid once: what voids that is answered anew.
    changed.payments |= {one.key for one in some if _is_late(one, before.get(one.key))}
    children.apply_payments(session, some, fresh, before)
    children.assign_refunds(session, fresh)


def _after_credit_notes(
    session: Session,
    some: list[Received],
    fresh: list[Received],
    before: dict[Key, Any],
    changed: Changed,
) -> None:
    changed.invoices |= queries.paid_by_credit(session, {one.key for one in fresh})
    for one in (*fresh, *_told_again(some, before)):
        invoices = {
            one.item.columns["invoice_id"],
            getattr(before.get(one.key), "invoice_id", None),
        }
        changed.invoices |= {(one.integration_id, invoice) for invoice in invoices if invoice}


_FOLLOW_UP: dict[str, Any] = {
    CUSTOMER: _after_customers,
    INVOICE: _after_invoices,
    TRANSACTION: _after_transactions,
    CREDIT_NOTE: _after_credit_notes,
}
