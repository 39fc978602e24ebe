"""Leads and deals from a CSV file: all rows or none, as if each had been entered by itself.

A row whose `external_id` is known changes that lead or deal; an empty cell says nothing. So a file
may be sent again: what it says already is left as it is.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any, NamedTuple

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from rewards_service.audit.service import record
from rewards_service.crm import journal, listing, service
from rewards_service.crm.import_rows import LEADS, Kind, Row, understand
from rewards_service.crm.models import DealShare
from rewards_service.crm.service import Shares
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import chunks, insert_many, reserve_ids, table_of, update_many
from rewards_service.kit.errors import RewardsError, Unprocessable
from rewards_service.kit.uploads import Flaw, read_sheet

MAX_ROWS = 10_000
MAX_BYTES = 5 * 1024 * 1024
CREATED, UPDATED, UNCHANGED = "created", "updated", "unchanged"
RESULTS = (CREATED, UPDATED, UNCHANGED)
_NAMED_BY = 6  # bytes of its digest by which the log names a file


class ImportRefused(Unprocessable):
    code = "import_refused"
    title = "The file cannot be imported as it is. Nothing was imported."


class Done(NamedTuple):
    """What became of a row. before: what bore on money; shares: those that it sets on a deal."""

    line: int
    result: str
    thing: Any
    before: journal.Facts
    shares: Shares | None


def import_rows(session: Session, kind: Kind, body: bytes, actor: str) -> list[Done]:
    """Import a file; one result for each row, in their order.

    Raises ImportRefused with every flaw by line and column; then nothing of it may be kept.
    """
    sheet = read_sheet(body, kind.columns, MAX_ROWS)
    lacks = {kind.required, "external_id"}.isdisjoint(sheet.columns)
    if lacks and not sheet.flaws:
        _refuse([Flaw(1, kind.required, "This column is missing.")])
    if not sheet.records:
        _refuse(sheet.flaws)
    rows = understand(session, kind, sheet.records, sheet.flaws)
    held = (
        _shares_of(session, [row.known.id for row in rows if row.known]) if _is_deal(kind) else {}
    )
    done = [made for row in rows if (made := _put(row, kind, held, sheet.flaws))]
    _refuse(sheet.flaws)
    _write(session, kind, done, held)
    for one in done:
        _record(session, kind, one, held, actor)
    _record_whole(session, kind, body, done, actor)
    return done


def _is_deal(kind: Kind) -> bool:
    return kind is not LEADS


def _refuse(flaws: Sequence[Flaw]) -> None:
    if not flaws:
        return
    ordered = sorted(flaws, key=lambda flaw: flaw.line)
    lines = len({flaw.line for flaw in flaws})
    raise ImportRefused(
        f"{_count(len(flaws), 'error')} in {_count(lines, 'line')}. Correct and send it again.",
        [
            {
                "pointer": f"/{flaw.line}/{flaw.column}" if flaw.column else f"/{flaw.line}",
                "line": flaw.line,
                "column": flaw.column,
                "detail": flaw.detail,
            }
            for flaw in ordered
        ],
    )


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _shares_of(session: Session, deal_ids: Sequence[int]) -> dict[int, Shares]:
    return {
        key: [(one.partner_id, one.basis_points) for one in found]
        for some in chunks(deal_ids)
        for key, found in listing.shares_of(session, some).items()
    }


def _put(row: Row, kind: Kind, held: dict[int, Shares], flaws: list[Flaw]) -> Done | None:
    """Make or change what a row wants, in no database yet; None when it may not be."""
    wanted = dict(row.wanted)
    try:
        if row.known is None:
            thing = service.new_deal(wanted) if _is_deal(kind) else service.new_lead(wanted)
            return Done(row.line, CREATED, thing, {}, service.pairs_of(wanted.get("shares", ())))
        shares = service.pairs_of(wanted.pop("shares", ()))
        before = _facts(kind, row.known, held.get(row.known.id, []))
        changes = {name: value for name, value in wanted.items()
                   if getattr(row.known, name) != value}  # fmt: skip
        if "shares" in row.wanted and sorted(shares) != sorted(held.get(row.known.id, [])):
            changes["shares"] = shares
        if not changes:
            return Done(row.line, UNCHANGED, row.known, before, None)
        if _is_deal(kind):
            left = changes.get("shares", held.get(row.known.id, []))
            service.put_on_deal(row.known, changes, left)
        else:
            service.put_on_lead(row.known, changes)
        return Done(row.line, UPDATED, row.known, before, changes.get("shares"))
    except RewardsError as refusal:
        column = refusal.errors[0]["pointer"][1:] if refusal.errors else None
        flaws.append(Flaw(row.line, column, refusal.detail))
        return None


def _write(session: Session, kind: Kind, done: Sequence[Done], held: dict[int, Shares]) -> None:
    """All rows in a few statements; none of the things is in the session."""
    table, now = table_of(kind.model), utc_now()
    made = [one.thing for one in done if one.result == CREATED]
    for thing, key in zip(made, reserve_ids(session, table, len(made)), strict=True):
        thing.id, thing.created_at = key, now
    changed = [one.thing for one in done if one.result == UPDATED]
    for thing in (*made, *changed):
        thing.updated_at = now
    names = [column.name for column in table.columns if column.computed is None]
    try:
        insert_many(session, kind.model, [_columns(thing, names) for thing in made])
    except (IntegrityError, session.get_bind().dialect.loaded_dbapi.IntegrityError) as error:
        raise service.ExternalIdTaken(
            "Somebody entered one of these external ids just now. Send the file again."
        ) from error
    update_many(session, kind.model, [_columns(thing, names) for thing in changed])
    shared = [one for one in done if one.shares is not None] if _is_deal(kind) else []
    replaced = [one.thing.id for one in shared if held.get(one.thing.id)]
    for some in chunks(replaced):
        session.execute(delete(DealShare).where(DealShare.deal_id.in_(some)))
    shares = [
        {"deal_id": one.thing.id, "partner_id": partner_id, "basis_points": points}
        for one in shared
        for partner_id, points in one.shares or ()
    ]
    insert_many(session, DealShare, shares)


def _columns(thing: Any, names: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(thing, name) for name in names}


def _facts(kind: Kind, thing: Any, shares: Shares) -> journal.Facts:
    return journal.facts_of_deal(thing, shares) if _is_deal(kind) else journal.facts_of_lead(thing)


def _record(session: Session, kind: Kind, one: Done, held: dict[int, Shares], actor: str) -> None:
    """The entry that making or changing it by itself would leave."""
    shares = held.get(one.thing.id, []) if one.shares is None else one.shares
    after = _facts(kind, one.thing, shares)
    if one.result == CREATED:
        journal.record_created(session, kind.name, one.thing.id, after, actor)
    elif one.result == UPDATED:
        journal.record_changed(session, kind.name, one.thing.id, one.before, after, actor)


def _record_whole(
    session: Session, kind: Kind, body: bytes, done: Sequence[Done], actor: str
) -> None:
    digest = sha256(body)
    subject = ("import", int.from_bytes(digest.digest()[:_NAMED_BY]))
    detail = {"kind": kind.name, "sha256": digest.hexdigest(), **counts(done)}
    record(session, "import.done", subject, detail, actor)


def counts(done: Sequence[Done]) -> dict[str, int]:
    """How many rows there are of each result."""
    return {name: sum(one.result == name for one in done) for name in RESULTS}
