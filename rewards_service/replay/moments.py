"""What happened, in the order in which it did: events, what people entered, what they decided."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Engine,
    Row,
    Select,
    Text,
    cast,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    tuple_,
    union_all,
    update,
)

from rewards_service.audit.models import AuditEntry
from rewards_service.audit.service import MACHINE
from rewards_service.crm.models import Customer, Deal, Lead
from rewards_service.inbox.models import DEAD, ReceivedEvent
from rewards_service.kit.db import Base
from rewards_service.partners.models import Partner
from rewards_service.programs.models import RewardRuleVersion
from rewards_service.replay.copying import CREATED, is_late
from rewards_service.replay.tables import MOMENTS, here
from rewards_service.rewards.models import BY_HAND, LedgerEntry, Reward, RewardStatusChange

# What comes first at the same time; each rank is one kind of moment.
EVENT, CUT, VERSION, PARTNER, CUSTOMER, LEAD, DEAL, DECISION, STATUS, ADJUSTMENT = range(10)
APPEARING: dict[int, type[Base]] = {PARTNER: Partner, CUSTOMER: Customer, LEAD: Lead, DEAL: Deal}
PAGE = 5_000
COVERED = "covered"  # to_status of decisions that another one does again
# Outcomes of events that touched nothing but themselves.
WITHOUT_EFFECT = (
    None, "observed", "bad_payload", "api_v1", "customer_mismatch", "verification_failed",
)  # fmt: skip

Moment = Row[Any]
_REWARD = (
    Reward.integration_id, Reward.invoice_id, Reward.rule_version_id, Reward.partner_id, Reward.seq,
)  # fmt: skip
_REWARD_NAMES = ("integration_id", "invoice_id", "rule_version_id", "partner_id", "seq")


def gather(connection: Connection) -> None:
    """Write all moments down, through a connection that reads the live tables."""
    _add_events(connection)
    _add_versions(connection)
    for rank, model in APPEARING.items():
        _add_late(connection, rank, model)
    _add_decisions(connection)
    _add_statuses(connection)
    _add_adjustments(connection)
    _add_cuts(connection)


def _add(connection: Connection, names: tuple[str, ...], query: Any) -> None:
    target = insert(here(MOMENTS.name))
    connection.execute(target.from_select(["at", "rank", "ref", *names], query))


def _add_events(connection: Connection) -> None:
    event = ReceivedEvent
    query = select(event.finished_at, literal(EVENT), event.id)
    # Of what was ignored when it came nothing followed, even if its type is followed since.
    ended = event.finished_at.is_not(None) & (event.state != DEAD) & (event.outcome != "ignored")
    _add(connection, (), query.where(ended))
    _place_repeated(connection)


def _place_repeated(connection: Connection) -> None:
    """An event that a person had handled again took effect the first time it did anything."""
    entry = AuditEntry
    first: dict[int, Any] = {}
    query = select(entry.subject_id, entry.at, entry.detail).order_by(entry.id)
    for key, at, detail in connection.execute(query.where(entry.action == "event.replayed")):
        if key in first:
            continue
        if detail.get("before") not in WITHOUT_EFFECT:
            first[key] = select(ReceivedEvent.received_at).where(ReceivedEvent.id == key)
        elif detail.get("after") not in WITHOUT_EFFECT:
            first[key] = literal(at, MOMENTS.c.at.type)
    table = here(MOMENTS.name)
    for key, at in first.items():
        value = at.scalar_subquery() if isinstance(at, Select) else at
        these = (table.c.rank == EVENT) & (table.c.ref == key)
        connection.execute(update(table).where(these).values(at=value))


def _add_versions(connection: Connection) -> None:
    version = RewardRuleVersion
    _add(connection, (), select(version.created_at, literal(VERSION), version.id))


def _add_late(connection: Connection, rank: int, model: Any) -> None:
    """What was entered after somebody had asked for it, with the key by which it is found."""
    query = select(model.created_at, literal(rank), model.id, model.email_key)
    _add(connection, ("reason",), query.where(is_late(model)))


def _add_decisions(connection: Connection) -> None:
    """What people did, by the audit log; moves of rewards and adjustments have rows of their own.

    All that the machine writes down follows from the rest. Of creations only those of customers
    tell something that the row does not.
    """
    entry = AuditEntry
    names = ("actor", "reason", "action", "subject_kind", "subject_id", "detail")
    query = select(
        entry.at, literal(DECISION), entry.id, entry.actor, entry.reason, entry.action,
        entry.subject_kind, entry.subject_id, cast(entry.detail, Text),
    )  # fmt: skip
    elsewhere = (
        "reward", "payout", "payout_schedule", "api_key", "integration", "exchange_rate", "import",
        "person",
    )  # fmt: skip
    is_change = entry.action.like("%.changed")
    matters = (
        entry.subject_kind.not_in(elsewhere)
        & or_(entry.actor != MACHINE, is_change)
        & or_(entry.action == CREATED, entry.action.not_like("%.created"))
    )
    for kind, model in (("lead", Lead), ("deal", Deal)):
        # One that nobody had asked for yet may as well have been entered as it is now.
        asked = exists().where(model.id == entry.subject_id, is_late(model, entry.at))
        readdressed = cast(entry.detail, Text).like('%"email_changed"%')
        matters &= or_(entry.subject_kind != kind, ~is_change, readdressed, asked)
    _add(connection, names, query.where(matters))
    _cover_companions(connection)


def _cover_companions(connection: Connection) -> None:
    """Resolving a conflict writes down what it did to customers too: that is not done twice."""
    table = here(MOMENTS.name)
    parts = (table.c.rank == DECISION) & table.c.detail.like('%"part_of"%')
    connection.execute(update(table).where(parts).values(to_status=COVERED))


def _add_cuts(connection: Connection) -> None:
    """Rewards that had come to nothing when somebody decided about them.

    Had their events been handled at one go, there would be no reward to decide about.
    """
    by_hand = LedgerEntry.kind.in_(BY_HAND)
    moved = select(RewardStatusChange.reward_id, RewardStatusChange.at).where(
        RewardStatusChange.actor != MACHINE
    )
    adjusted = select(LedgerEntry.reward_id, LedgerEntry.posted_at).where(
        by_hand, LedgerEntry.amount_minor != 0
    )
    decided = union_all(moved, adjusted).subquery()
    empty = (
        select(decided.c.reward_id)
        .join(LedgerEntry, LedgerEntry.reward_id == decided.c.reward_id)
        .where(LedgerEntry.posted_at < decided.c.at, ~by_hand)
        .group_by(decided.c.reward_id, decided.c.at)
        .having(func.sum(LedgerEntry.amount_minor) == 0)
    )
    query = (
        select(ReceivedEvent.finished_at, literal(CUT), ReceivedEvent.id)
        .join(LedgerEntry, LedgerEntry.cause_event_id == ReceivedEvent.id)
        .where(LedgerEntry.reward_id.in_(empty), ReceivedEvent.finished_at.is_not(None))
        .distinct()
    )
    _add(connection, (), query)


def _add_statuses(connection: Connection) -> None:
    change = RewardStatusChange
    query = (
        select(
            change.at, literal(STATUS), change.id, *_REWARD, change.to_status, change.actor,
            change.reason,
        )
        .join(Reward, Reward.id == change.reward_id)
        .where(change.actor != MACHINE)
    )  # fmt: skip
    _add(connection, (*_REWARD_NAMES, "to_status", "actor", "reason"), query)


def _add_adjustments(connection: Connection) -> None:
    """Not those of amount 0, by which a move of a reward carries its money."""
    entry = LedgerEntry
    query = (
        select(
            entry.posted_at, literal(ADJUSTMENT), entry.id, *_REWARD, entry.amount_minor,
            entry.actor, entry.reason,
        )
        .join(Reward, Reward.id == entry.reward_id)
        .where(entry.kind.in_(BY_HAND), entry.amount_minor != 0)
    )  # fmt: skip
    _add(connection, (*_REWARD_NAMES, "amount_minor", "actor", "reason"), query)


def in_order(engine: Engine) -> Iterator[Moment]:
    """Every moment, a few thousand at a time."""
    by = (MOMENTS.c.at, MOMENTS.c.rank, MOMENTS.c.ref)
    place = tuple_(*by)
    known = MOMENTS.c.action.is_distinct_from(CREATED)  # read only to undo what came after
    to_do = known & MOMENTS.c.to_status.is_distinct_from(COVERED)
    query = select(MOMENTS).where(to_do).order_by(*by).limit(PAGE)
    after: Any = None
    while True:
        with engine.connect() as connection:
            page = query if after is None else query.where(place > after)
            rows = connection.execute(page).all()
        yield from rows
        if len(rows) < PAGE:
            return
        last = rows[-1]
        after = tuple_(
            literal(last.at, MOMENTS.c.at.type), literal(last.rank), literal(last.ref, BigInteger)
        )
