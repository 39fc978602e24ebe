"""Load and keep what rules that count have counted (DOMAIN A9-A11, V10)."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from functools import partial
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rewards_service.kit.bulk import among
from rewards_service.kit.db import chunks, fetch_rows, insert_many, table_of, upsert
from rewards_service.mirror.queries import select_by
from rewards_service.programs.rules import CUSTOMER, PARTNER, RuleVersion
from rewards_service.rewards.counting import (
    Claim,
    Days,
    Key,
    Measured,
    Place,
    Scope,
    Slot,
    Tally,
)
from rewards_service.rewards.models import MetricEntry, RewardCount
from rewards_service.rewards.verdicts import Verdict

_KEYS = ("invoice_id", "integration_id", "rule_id", "partner_id")


def load_tally(
    session: Session, versions: Mapping[int, RuleVersion], verdicts: Iterable[Verdict]
) -> Tally:
    """What was counted for these invoices, for their customers, and for their partners."""
    counting = {version.rule_id for version in versions.values() if version.terms.counts}
    tally = empty_tally(versions)
    if not counting:
        return tally
    tally.load = partial(_given, session)
    some = list(verdicts)
    _load_places(session, {verdict.key for verdict in some}, tally)
    offers = [(verdict, offer) for verdict in some for offer in verdict.offers]
    counted = [(verdict, offer) for verdict, offer in offers if offer.version.terms.counts]
    _load_members(session, {v.owner_id for v, _ in counted if v.owner_id}, counting, tally)
    metered = {offer.slot for _, offer in counted if offer.version.terms.tiers}
    metered |= {slot[1:] for slot in tally.sources}
    _load_metrics(session, metered, tally)
    return tally


def empty_tally(versions: Mapping[int, RuleVersion]) -> Tally:
    """Nothing counted yet: for a rule that is tried out on past payments."""
    kinds: dict[int, set[str]] = defaultdict(set)
    for version in versions.values():
        kinds[version.rule_id] |= {cap.scope for cap in version.terms.caps}
    return Tally(kinds=kinds)


def _load_places(session: Session, keys: Collection[Key], tally: Tally) -> None:
    row = RewardCount
    query = select(table_of(row))
    for found in select_by(session, query, row.integration_id, row.invoice_id, keys):
        slot = _slot(found)
        tally.places[slot] = _place(found)
        tally.claims[slot] = Claim(found.wanted_minor, found.given_minor, found.counted_on)
    entry = MetricEntry
    total = func.sum(entry.amount_minor)
    by = (
        entry.integration_id, entry.invoice_id, entry.rule_id, entry.partner_id, entry.source_id,
        entry.counted_on,
    )  # fmt: skip
    sums = select(*by, total.label("amount")).group_by(*by)
    for found in select_by(session, sums, entry.integration_id, entry.invoice_id, keys):
        tally.sources[_slot(found)][found.source_id][found.counted_on] = int(found.amount)


def _load_members(
    session: Session, customers: Collection[int], rules: Collection[int], tally: Tally
) -> None:
    row = RewardCount
    for some in chunks(sorted(customers)):
        query = select(table_of(row)).where(
            row.rule_id.in_(sorted(rules)), among(session, row.customer_id, some)
        )
        for found in fetch_rows(session, query):
            slot = _slot(found)
            tally.members[(found.rule_id, found.customer_id)][slot] = found.invoice_on
            tally.places.setdefault(slot, _place(found))


def _load_metrics(session: Session, slots: Collection[tuple[int, int]], tally: Tally) -> None:
    entry = MetricEntry
    for rule_id, partner_id in sorted(slots):
        query = (
            select(entry.currency, entry.counted_on, func.sum(entry.amount_minor))
            .where(entry.rule_id == rule_id, entry.partner_id == partner_id)
            .group_by(entry.currency, entry.counted_on)
        )
        for currency, day, amount in session.execute(query):
            tally.metrics[(rule_id, partner_id, currency)][day] = int(amount)


def _given(session: Session, scope: Scope) -> Days:
    """What invoices were given within a scope of caps, by day."""
    row = RewardCount
    query = (
        select(row.counted_on, func.sum(row.given_minor))
        .where(*_within(scope))
        .group_by(row.counted_on)
    )
    return {day: int(amount) for day, amount in session.execute(query)}


def _within(scope: Scope) -> list[Any]:
    rule_id, currency, kind, member = scope
    row = RewardCount
    found = [row.rule_id == rule_id, row.currency == currency]
    if kind == CUSTOMER:
        found.append(row.customer_id == member)
    if kind == PARTNER:
        found.append(row.partner_id == member)
    return found


def _slot(row: Any) -> Slot:
    return (row.integration_id, row.invoice_id), row.rule_id, row.partner_id


def _place(row: Any) -> Place:
    return Place(
        row.log_id, row.customer_id, row.counted_on, row.invoice_on, row.window_from_on,
        row.ordinal, row.position,
    )  # fmt: skip


def keep_tally(session: Session, tally: Tally, verdicts: Mapping[Key, Verdict]) -> None:
    """Write what changed since `load_tally`."""
    rows = []
    for slot in sorted(tally.changed):
        place = tally.places[slot]
        claim = tally.claims.get(slot, Claim(0, 0, place.counted_on))
        rows.append(
            {
                "integration_id": slot[0][0], "invoice_id": slot[0][1], "rule_id": slot[1],
                "partner_id": slot[2], "currency": verdicts[slot[0]].currency,
                **place._asdict(), "wanted_minor": claim.wanted_minor,
                "given_minor": claim.given_minor,
            }
        )  # fmt: skip
    upsert(session, RewardCount, rows, _KEYS)
    insert_many(session, MetricEntry, [_entry(measured) for measured in tally.entries])


def _entry(measured: Measured) -> dict[str, Any]:
    (integration_id, invoice_id), rule_id, partner_id = measured.slot
    return {
        "rule_id": rule_id, "partner_id": partner_id, "currency": measured.currency,
        "integration_id": integration_id, "invoice_id": invoice_id,
        "source_id": measured.source, "log_id": measured.log_id, "counted_on": measured.day,
        "amount_minor": measured.amount,
    }  # fmt: skip


def to_look_at_again(session: Session, tally: Tally) -> set[Key]:
    """Invoices that a cap may give more now, and those that a restating tier rates anew."""
    found: set[Key] = set()
    row = RewardCount
    query = select(row.integration_id, row.invoice_id)
    for scope in sorted(tally.freed):
        capped = query.where(*_within(scope), row.given_minor < row.wanted_minor)
        found |= {(site, invoice) for site, invoice in session.execute(capped)}
    for rule_id, partner_id, period in sorted(tally.restated):
        rated = query.where(
            row.rule_id == rule_id,
            row.partner_id == partner_id,
            *_between(period.first, period.last),
        )
        found |= {(site, invoice) for site, invoice in session.execute(rated)}
    return found


def _between(first: date, last: date) -> list[Any]:
    column = RewardCount.counted_on
    bounds = [column >= first] if first > date.min else []
    return [*bounds, column <= last] if last < date.max else bounds
