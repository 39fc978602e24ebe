"""Write what matching decided: customers with their Chargebee ids, leads, deals, conflicts."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from rewards_service.audit import service as audit
from rewards_service.crm.matching import Claim, Conflict, Match, Payer, Resolution
from rewards_service.crm.models import AttributionConflict, Customer, Deal, Lead
from rewards_service.crm.queries import AnyRow, Neighbourhood
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import insert_many, insert_missing, reserve_ids, table_of, update_many
from rewards_service.kit.emails import KEY_VERSION, loose_key
from rewards_service.properties.service import add_values, remove_values


@dataclass(slots=True)
class Attributed:
    """What matching changed, for the floors above to follow."""

    known: dict[Payer, int] = field(default_factory=dict)  # every payer looked at and known
    moved: set[Payer] = field(default_factory=set)  # became known, changed hands, or withdrawn
    changed_customers: set[int] = field(default_factory=set)  # source, hold or deals differ
    outcomes: dict[int, str] = field(default_factory=dict)  # event -> outcome without transaction
    results: dict[int, dict[str, object]] = field(default_factory=dict)
    claims: list[Claim] = field(default_factory=list)  # all that were folded anew


def write_customers(
    session: Session,
    definition_id: int,
    payers: set[Payer],
    around: Neighbourhood,
    resolution: Resolution,
    done: Attributed,
) -> dict[int, int]:
    """Make, change, link and withdraw customers. Returns id(match) -> customer key."""
    matches = _distinct(resolution.known.values())
    ids = _keys_for(session, matches, around)
    new, changed = _rows(matches, ids, around)
    insert_many(session, Customer, new)
    update_many(session, Customer, changed)
    desired = {payer: ids[id(match)] for payer, match in resolution.known.items()}
    current = {payer: owner for payer, owner in around.links.items() if payer in payers}
    done.moved |= {p for p in payers if desired.get(p) != current.get(p)}
    done.changed_customers |= {row["id"] for row in changed}
    done.known = {**{p: c for p, c in done.known.items() if p not in payers}, **desired}
    _relink(session, definition_id, desired, around)
    _withdraw(session, set(current.values()) - set(desired.values()), around)
    _audit(session, current, desired)
    return ids


def _distinct(matches: Iterable[Match]) -> list[Match]:
    return list({id(match): match for match in matches}.values())


def _keys_for(session: Session, matches: list[Match], around: Neighbourhood) -> dict[int, int]:
    """A customer key for each match: its own, that of a row its payer had, or a new one."""
    ids = {id(match): match.customer_id for match in matches if match.customer_id is not None}
    taken = set(ids.values())
    homeless = []
    for match in matches:
        if id(match) in ids:
            continue
        owners = (around.links.get(payer) for payer in match.payers)
        reusable = (key for key in owners if key is not None and key not in taken)
        key = next((k for k in reusable if around.customers[k].machine_made), None)
        if key is None:
            homeless.append(match)
        else:
            ids[id(match)] = key
            taken.add(key)
    fresh = reserve_ids(session, table_of(Customer), len(homeless))
    ids.update({id(match): key for match, key in zip(homeless, fresh, strict=True)})
    return ids


_COMPARED = (
    "source_partner_id", "source_lead_id", "source_deal_id", "attributed_from", "hold_reason",
    "matched_at", "email", "email_key", "name", "withdrawn_at",
)  # fmt: skip


_MADE_BY_MACHINE = {
    "machine_made": True, "key_version": KEY_VERSION, "source_by_hand": False, "pinned": False,
}  # fmt: skip


def _rows(
    matches: list[Match], ids: dict[int, int], around: Neighbourhood
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """(rows to insert, rows to update) so that customers are as matched."""
    new, changed = [], []
    now = utc_now()
    for match in matches:
        key = ids[id(match)]
        before = around.customers.get(key)
        row = _customer_row(match, before) | {"id": key, "updated_at": now}
        if before is None:
            new.append({**row, **_MADE_BY_MACHINE, "created_at": now})
        elif not match.pinned and any(getattr(before, name) != row[name] for name in _COMPARED):
            changed.append(row)
    return new, changed


def _customer_row(match: Match, before: AnyRow | None) -> dict[str, Any]:
    claim = match.made_by
    by_hand = before is not None and not before.machine_made
    email = before.email if by_hand else (claim.email if claim else None)  # type: ignore[union-attr]
    key = before.email_key if by_hand else (claim.email_key if claim else None)  # type: ignore[union-attr]
    name = before.name if by_hand else (claim.name if claim else None)  # type: ignore[union-attr]
    return {
        "name": name,
        "email": email,
        "email_key": key,
        "loose_key": loose_key(key),
        **_source(match, before),
        "matched_at": match.matched_at,
        "withdrawn_at": None,
    }


_SOURCE = (
    "source_partner_id", "source_lead_id", "source_deal_id", "attributed_from", "hold_reason",
)  # fmt: skip


def _source(match: Match, before: AnyRow | None) -> dict[str, Any]:
    """Who brought the customer; what a person decided, the machine leaves as it is (S5)."""
    decided: Any = before if before is not None and before.source_by_hand else match
    return {name: getattr(decided, name) for name in _SOURCE}


def _relink(
    session: Session, definition_id: int, desired: dict[Payer, int], around: Neighbourhood
) -> None:
    """Let exactly the matched customers carry the Chargebee ids (DOMAIN M10)."""
    wrong = {p: c for p, c in around.links.items() if p in desired and desired[p] != c}
    lost = {p: c for p, c in around.links.items() if p not in desired and not _is_pinned(c, around)}
    stale = {**wrong, **lost}
    remove_values(session, definition_id, stale.values())
    kept = {p: c for p, c in around.links.items() if c in set(stale.values()) and p not in stale}
    missing = {p: c for p, c in desired.items() if around.links.get(p) != c}
    rows = [(c, p.integration_id, 0, p.chargebee_id) for p, c in {**kept, **missing}.items()]
    add_values(session, definition_id, True, sorted(rows))


def _withdraw(session: Session, ids: set[int], around: Neighbourhood) -> None:
    """M17: who turns out not to be matched by any payment never was a customer."""
    now = utc_now()
    update_many(
        session,
        Customer,
        [
            {"id": key, "withdrawn_at": now, "source_partner_id": None}
            for key in sorted(ids)
            if around.customers[key].machine_made
        ],
    )


def _audit(session: Session, current: dict[Payer, int], desired: dict[Payer, int]) -> None:
    for payer, owner in current.items():
        if desired.get(payer) != owner:
            detail = {"integration_id": payer.integration_id, "from": owner,
                      "to": desired.get(payer)}  # fmt: skip
            audit.record(session, "customer.reattributed", ("customer", owner), detail)


def write_leads(
    session: Session, around: Neighbourhood, resolution: Resolution, ids: dict[int, int]
) -> None:
    """Convert, release and supersede leads as matched; those of pinned customers stay."""
    changed = []
    for row in around.leads.values():
        if _is_pinned(row.customer_id, around):
            continue
        conversion = resolution.converted.get(row.id)
        before = row.status_before or row.status
        wanted = _converted(before, conversion, ids) | {
            "superseded_by_id": resolution.superseded.get(row.id)
        }
        if any(getattr(row, name) != value for name, value in wanted.items()):
            changed.append({"id": row.id, "updated_at": utc_now(), **wanted})
    update_many(session, Lead, changed)


def _converted(
    before: str, conversion: tuple[Match, datetime] | None, ids: dict[int, int]
) -> dict[str, Any]:
    if conversion is None:
        return {"status": before, "status_before": None, "customer_id": None, "converted_at": None}
    match, at = conversion
    return {
        "status": "converted",
        "status_before": before,
        "customer_id": ids[id(match)],
        "converted_at": at,
    }


def write_deals(
    session: Session,
    around: Neighbourhood,
    resolution: Resolution,
    ids: dict[int, int],
    done: Attributed,
) -> None:
    """Associate and release deals as matched, also with earlier payments; the pinned stay."""
    changed = []
    for row in around.deals.values():
        if _is_pinned(row.customer_id, around):
            continue
        match, at = resolution.associated.get(row.id, (None, None))
        owner = None if match is None else ids[id(match)]
        if (row.customer_id, row.associated_at) != (owner, at):
            changed.append(
                {"id": row.id, "updated_at": utc_now(), "customer_id": owner, "associated_at": at}
            )
            done.changed_customers |= {key for key in (row.customer_id, owner) if key is not None}
    update_many(session, Deal, changed)


def _is_pinned(customer_id: int | None, around: Neighbourhood) -> bool:
    return customer_id is not None and bool(around.customers[customer_id].pinned)


def open_conflicts(session: Session, conflicts: list[Conflict]) -> None:
    """List what a person must decide; the same conflict is opened once."""
    insert_missing(
        session,
        AttributionConflict,
        [
            {
                "kind": conflict.kind,
                "natural_key": conflict.natural_key,
                "subject_kind": conflict.subject[0],
                "subject_id": conflict.subject[1],
                "candidates": conflict.candidates,
                "opened_at": utc_now(),
            }
            for conflict in conflicts
        ],
    )
