"""Stored bodies without a person: of events, of differing repetitions, of the mirror's versions."""

from collections import Counter
from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Any

import orjson
from sqlalchemy import (
    ColumnElement,
    Engine,
    LargeBinary,
    delete,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from rewards_service.chargebee import resources
from rewards_service.chargebee.canonical import canonical_json
from rewards_service.inbox.models import OtherDelivery, ReceivedEvent
from rewards_service.kit.db import is_postgresql, table_of, transaction
from rewards_service.kit.strict_json import NotJson, parse_exact, write_exact
from rewards_service.mirror.kinds import MODELS
from rewards_service.mirror.models import ChargebeeVersion
from rewards_service.retention.person import Person, learn, needles_in_bytes
from rewards_service.retention.unguarded import unguarded

CHUNK = 200


def holds(session: Session, column: Any, needles: Collection[bytes]) -> ColumnElement[bool]:
    """Whether a column of bytes holds any of these."""
    if is_postgresql(session):
        places = (
            func.position(literal(one, LargeBinary).op("IN")(column)) for one in sorted(needles)
        )
    else:
        places = (func.instr(column, literal(one, LargeBinary)) for one in sorted(needles))
    return or_(*(place > 0 for place in places))


def learn_from_events(session: Session, person: Person) -> None:
    """What else is known of the person from events, also those that nobody has handled yet."""
    row = ReceivedEvent
    query = select(row.integration_id, row.body).where(
        holds(session, row.body, needles_in_bytes(person))
    )
    for site, body in session.execute(query.execution_options(yield_per=CHUNK)):
        with suppress(NotJson):
            learn(person, site, parse_exact(body))


def rewrite_events(engine: Engine, person: Person) -> int:
    """Take the person out of the bodies of events, some in a transaction. Safe to repeat."""
    return sum(_rewrite(engine, model, person) for model in (ReceivedEvent, OtherDelivery))


def _rewrite(engine: Engine, model: Any, person: Person) -> int:
    after, changed = 0, 0
    while True:
        with transaction(engine) as session:
            query = (
                select(model.id, model.body)
                .where(model.id > after, holds(session, model.body, needles_in_bytes(person)))
                .order_by(model.id)
                .limit(CHUNK)
            )
            rows = session.execute(query).all()
            if not rows:
                return changed
            after = rows[-1].id
            for key, body in rows:
                fresh = without(person, body)
                if fresh != body:
                    session.execute(update(model).where(model.id == key).values(body=fresh))
                    changed += 1


def without(person: Person, body: bytes) -> bytes:
    """A body without the person, its numbers digit for digit."""
    try:
        value = parse_exact(body)
    except NotJson:  # it was checked at the door; what is odd all the same goes whole
        return b"{}"
    fresh = person.scrub_value(value, is_about=True)
    return body if fresh == value else write_exact(fresh)


def rewrite_versions(session: Session, person: Person) -> int:
    """The same for versions of Chargebee's objects, and the mirror's rows that are made of them."""
    version = ChargebeeVersion
    found = session.scalars(
        select(version).where(holds(session, version.body, needles_in_bytes(person)))
    ).all()
    rows: dict[tuple[int, str, str], list[ChargebeeVersion]] = {}
    for one in found:
        rows.setdefault((one.integration_id, one.kind, one.external_id), []).append(one)
    session.expunge_all()
    counted: Counter[str] = Counter()
    with unguarded(session, table_of(version)):
        for key, some in rows.items():
            _rewrite_object(session, person, key, some, counted)
    return counted.total()


def _rewrite_object(
    session: Session, person: Person, key: tuple[int, str, str],
    some: Sequence[ChargebeeVersion], counted: Counter[str],
) -> None:  # fmt: skip
    site, kind, name = key
    version, model = table_of(ChargebeeVersion), table_of(MODELS[kind])
    own = (version.c.integration_id == site, version.c.kind == kind, version.c.external_id == name)
    for one in some:
        value = orjson.loads(one.body)
        fresh = person.scrub_value(value, is_about=True)
        if fresh == value:
            continue
        body = canonical_json(fresh)
        digest = resources.read(kind, fresh).body_sha256
        counted[kind] += 1
        this = (*own, version.c.body_sha256 == one.body_sha256)
        # Two versions that told nothing but the person apart are one now.
        taken = session.scalar(select(version.c.kind).where(*own, version.c.body_sha256 == digest))
        if taken is not None:
            session.execute(delete(version).where(*this))
        else:
            session.execute(update(version).where(*this).values(body=body, body_sha256=digest))
    row = (model.c.integration_id == site, model.c.external_id == name)
    held = session.execute(select(model).where(*row)).one_or_none()
    if held is None:
        return
    newest = session.execute(
        select(version)
        .where(*own)
        .order_by(version.c.resource_version.desc(), version.c.occurred_at.desc(),
                  version.c.body_sha256.desc())
        .limit(1)
    ).one()  # fmt: skip
    read = resources.read(kind, orjson.loads(newest.body), held.deleted)
    places = ("body_sha256", "resource_version", "occurred_at")
    said = {name: getattr(newest, name) for name in places if not held.deleted}
    wanted = {"body_sha256": newest.body_sha256, **said, **read.columns}
    session.execute(update(model).where(*row).values(wanted))
