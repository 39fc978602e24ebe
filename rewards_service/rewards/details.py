"""What only some rules look at: lines and countries. Loaded where a rule asks for it."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

import orjson
from sqlalchemy.orm import Session

from rewards_service.chargebee.details import country
from rewards_service.chargebee.resources import CUSTOMER, INVOICE
from rewards_service.mirror import queries as mirror
from rewards_service.mirror.queries import AnyRow, Key
from rewards_service.programs.rules import BY_LINE, PRORATE, Conditions, ItemFilter, RuleVersion
from rewards_service.rewards.credits import Credited


@dataclass(slots=True)
class Details:
    """Lines of invoices and notes, notes of refunds, countries of customers."""

    lines: dict[Key, list[AnyRow]] = field(default_factory=dict)
    note_lines: dict[Key, list[AnyRow]] = field(default_factory=dict)
    credit_notes: dict[Key, AnyRow] = field(default_factory=dict)
    notes_of: dict[Key, list[tuple[str, str | None, int]]] = field(default_factory=dict)
    first_seen: dict[Key, int] = field(default_factory=dict)  # invoice -> event, for what counts
    # Customer -> (since when, country), the oldest first.
    countries: dict[Key, list[tuple[datetime, str | None]]] = field(default_factory=dict)

    def country_of(self, customer: Key, at: datetime | None) -> str | None:
        """Where a customer was at a time: who moves later takes no reward along (A12, V10)."""
        known = self.countries.get(customer, [])
        then = [country for since, country in known if at is not None and since <= at]
        return then[-1] if then else next((country for _, country in known), None)

    credited: Credited = field(default_factory=Credited)


def load_details(
    session: Session,
    invoices: dict[Key, AnyRow],
    adjustments: dict[Key, list[AnyRow]],
    refund_notes: dict[Key, list[AnyRow]],
    credited: Credited,
    versions: Iterable[RuleVersion],
) -> Details:
    """What the rules there are may look at, and no more."""
    found = Details(credited=credited)
    terms = [version.terms for version in versions]
    by_line = any(one.refund_allocation == BY_LINE for one in terms)
    items = any(one.items != ItemFilter() for one in terms)
    if items or by_line or any(one.annual == PRORATE for one in terms):
        found.lines = mirror.lines_of(session, invoices.keys())
    if items or by_line:
        _load_notes(session, adjustments, refund_notes, by_line, found)
    if any(one.counts for one in terms):
        found.first_seen = mirror.first_events(session, INVOICE, invoices.keys())
    if any(one.conditions != Conditions() for one in terms):
        keys = {(site, row.customer_id) for (site, _), row in invoices.items() if not row.country}
        known = mirror.versions_of(session, CUSTOMER, keys)
        found.countries = {
            key: [(row.occurred_at, country(orjson.loads(row.body))) for row in rows]
            for key, rows in known.items()
        }
    return found


def _load_notes(
    session: Session,
    adjustments: dict[Key, list[AnyRow]],
    refund_notes: dict[Key, list[AnyRow]],
    by_line: bool,
    found: Details,
) -> None:
    wanted = {(n.integration_id, n.external_id) for some in adjustments.values() for n in some}
    if by_line:
        notes: dict[Key, list[tuple[str, str | None, int]]] = defaultdict(list)
        for key, rows in refund_notes.items():
            wanted |= {(key[0], row.note_id) for row in rows}
            notes[key] = [(row.note_id, row.invoice_id, row.applied_minor) for row in rows]
        found.notes_of = notes
        found.credit_notes = mirror.credit_notes(session, wanted)
    found.note_lines = mirror.note_lines(session, wanted)
