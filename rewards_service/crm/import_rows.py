"""Rows of an uploaded file as what the API takes: each checked as a body would be."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from marshmallow import Schema, ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.crm.models import Deal, Lead
from rewards_service.crm.schemas import DealSchema, LeadSchema
from rewards_service.kit import ids
from rewards_service.kit.db import chunks, is_postgresql
from rewards_service.kit.uploads import Flaw, Record
from rewards_service.partners.finding import find_partners

SHARE_SIGN, POINTS_SIGN = "|", ":"
_WHOLE = re.compile(r"-?[0-9]{1,19}")
_NOT_WHOLE = "Not a whole number of minor units: 12.50 USD are 1250."
_NO_SHARES = "Not shares such as par_...:2500|par_...:7500, in basis points."

Partners = Mapping[str, int | str]  # as `find_partners` gives them


class Kind(NamedTuple):
    """Which rows a file has, and its columns; `required`: what a new one cannot do without."""

    name: str
    model: type[Lead] | type[Deal]
    schema: Schema
    columns: tuple[str, ...]
    required: str
    state: str


LEADS = Kind(
    "lead", Lead, LeadSchema(),
    ("email", "first_name", "last_name", "company", "status", "partner_id", "registered_at",
     "external_id"),
    "email", "status",
)  # fmt: skip
DEALS = Kind(
    "deal", Deal, DealSchema(),
    ("name", "contact_email", "amount_minor", "currency", "stage", "partner_id", "shares",
     "registered_at", "external_id"),
    "name", "stage",
)  # fmt: skip


class Row(NamedTuple):
    """A row understood: what it wants, of which lead or deal; None: of a new one."""

    line: int
    wanted: dict[str, Any]
    known: Any | None


def understand(
    session: Session, kind: Kind, records: Sequence[Record], flaws: list[Flaw]
) -> list[Row]:
    """What each row wants; what is wrong is added to `flaws`, and such rows are left out.

    Leads and deals that are known are locked until commit, and in no session. A few queries,
    however many rows.
    """
    partners = find_partners(session, {name for record in records for name in _named(record)})
    known = _known(session, kind, records)
    first_line: dict[str, int] = {}
    rows = []
    for record in records:
        external_id = record.cells.get("external_id")
        earlier = first_line.setdefault(external_id, record.line) if external_id else record.line
        if earlier != record.line:
            flaws.append(Flaw(record.line, "external_id", f"The same as in line {earlier}."))
            continue
        thing = known.get(external_id) if external_id else None
        wanted = _wanted(kind, record, thing, partners, flaws)
        if wanted is not None:
            rows.append(Row(record.line, wanted, thing))
    return rows


def _named(record: Record) -> Iterator[str]:
    if "partner_id" in record.cells:
        yield record.cells["partner_id"]
    for part in record.cells.get("shares", "").split(SHARE_SIGN):
        yield part.rpartition(POINTS_SIGN)[0].strip()


def _known(session: Session, kind: Kind, records: Sequence[Record]) -> dict[str | None, Any]:
    model: Any = kind.model
    wanted = sorted({one.cells["external_id"] for one in records if "external_id" in one.cells})
    found: dict[str | None, Any] = {}
    for some in chunks(wanted):
        query = select(model).where(model.external_id.in_(some)).order_by(model.id)
        if is_postgresql(session):
            query = query.with_for_update()
        for thing in session.scalars(query).all():
            session.expunge(thing)  # to be written with all others, or not at all
            found[thing.external_id] = thing
    return found


def _wanted(
    kind: Kind, record: Record, thing: Any | None, partners: Partners, flaws: list[Flaw]
) -> dict[str, Any] | None:
    body: dict[str, Any] = dict(record.cells)
    wrong = [Flaw(record.line, *flaw) for flaw in _typed(body, partners)]
    # What it is already, nobody has to be allowed to make it: `converted` above all.
    if thing is not None and body.get(kind.state) in _states(thing, kind):
        del body[kind.state]
    try:
        wanted: dict[str, Any] = kind.schema.load(body, partial=thing is not None)
    except ValidationError as problem:
        flawed = {flaw.column for flaw in wrong}
        wrong += [
            Flaw(record.line, name, _first(messages))
            for name, messages in problem.messages_dict.items()
            if name not in flawed
        ]
    flaws += wrong
    return None if wrong else wanted


def _states(thing: Any, kind: Kind) -> tuple[Any, ...]:
    """The status or stage something has; of a converted lead also the one it had before."""
    now = getattr(thing, kind.state)
    return (now, thing.status_before) if now == "converted" else (now,)


def _typed(body: dict[str, Any], partners: Partners) -> Iterator[tuple[str, str]]:
    """Put numbers and ids in place of texts; (column, what is wrong) where that cannot be."""
    if "amount_minor" in body:
        if _WHOLE.fullmatch(body["amount_minor"]):
            body["amount_minor"] = int(body["amount_minor"])
        else:
            yield "amount_minor", _NOT_WHOLE
    if "partner_id" in body:
        found = partners[body["partner_id"]]
        if isinstance(found, str):
            yield "partner_id", found
        else:
            body["partner_id"] = ids.encode("par", found)
    if "shares" in body:
        shares = [_share(part, partners) for part in body["shares"].split(SHARE_SIGN)]
        for share in shares:
            if isinstance(share, str):
                yield "shares", share
                break
        else:
            body["shares"] = shares


def _share(part: str, partners: Partners) -> dict[str, Any] | str:
    name, _, points = (text.strip() for text in part.rpartition(POINTS_SIGN))
    if not name or not _WHOLE.fullmatch(points):
        return _NO_SHARES
    found = partners[name]
    if isinstance(found, str):
        return f"{name[:100]}: {found}"
    return {"partner_id": ids.encode("par", found), "basis_points": int(points)}


def _first(messages: Any) -> str:
    """The first text among what a schema found wrong with a member."""
    while not isinstance(messages, str):
        messages = next(iter(messages.values() if isinstance(messages, dict) else messages))
    return messages
