"""Compare a site with what is held here, some seconds' worth of objects at a time.

Each step is kept with its findings: a run that ends in the middle goes on from where it stood.
Nothing is asked of Chargebee while the database is held.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from rewards_service.chargebee.errors import NotThere
from rewards_service.chargebee.forms import Filter, between, one_of
from rewards_service.chargebee.operations import Chargebee
from rewards_service.chargebee.resources import CREDIT_NOTE, TRANSACTION
from rewards_service.kit.db import insert_many, transaction
from rewards_service.reconciliation import queries, service, sides
from rewards_service.reconciliation.judging import Books, Finding, judge
from rewards_service.reconciliation.merging import Pair, Second, merge
from rewards_service.reconciliation.models import Reconciliation, ReconciliationRow
from rewards_service.reconciliation.reasons import EQUAL
from rewards_service.reconciliation.sides import SECTIONS, Side, Sums

STEP = 200  # pairs at least, if there are so many, before they are judged and kept
MOST_LOOKUPS = 1_000  # objects asked for one by one: missing altogether, each would be a request
MOST_ROWS = 10_000  # differences kept; more are counted
_SECOND = timedelta(seconds=1)


class Comparison:
    """A run under way. connected_at: payments before then may just not be posted yet."""

    def __init__(
        self,
        engine: Engine,
        site: Chargebee,
        run: Reconciliation,
        connected_at: datetime,
    ) -> None:
        self._engine = engine
        self._site = site
        self._run = run
        self._connected_at = connected_at
        self._lists = {TRANSACTION: site.transactions, CREDIT_NOTE: site.credit_notes}

    def go_on(self, until: float, clock: Callable[[], float] = time.monotonic) -> bool:
        """Compare until all is or `until` on the clock is over; whether all is."""
        while True:
            if not self._go_through(until, clock):
                return False
            following = SECTIONS.index(self._run.section) + 1
            if following == len(SECTIONS):
                return True
            self._run.section, self._run.position_at = SECTIONS[following], self._run.from_at

    def _go_through(self, until: float, clock: Callable[[], float]) -> bool:
        """The rest of the section."""
        run = self._run
        both = merge(
            self._there(),
            queries.held(
                self._engine, run.section, run.integration_id, run.position_at, run.before_at
            ),
        )
        while step := _step(both):
            self._keep([pair for second in step for pair in second.pairs], step[-1].dated_at)
            if clock() >= until:
                return False
        return True

    def _there(self) -> Iterator[Side]:
        """Chargebee's objects from the position on, deleted ones too, by date."""
        run = self._run
        if run.position_at >= run.before_at:
            return
        where: list[Filter] = [between("date", run.position_at, run.before_at - _SECOND)]
        if run.section == TRANSACTION:
            where.append(one_of("type", sides.KINDS))
        listed = self._lists[run.section]
        for payload in listed.each(where, oldest_first="date", include_deleted=True):
            side = sides.theirs(run.section, payload)
            if side is not None:
                yield side

    def _keep(self, pairs: list[Pair], last_at: datetime) -> None:
        """Judge some pairs; keep the findings, the sums, and where the run stands now."""
        run = self._run
        sums = Sums(run.sums)
        pairs = self._look_up(pairs, sums)
        with Session(queries.reading(self._engine)) as session:
            findings = self._judge(session, pairs)
        counts, notes = Counter(run.counts), Counter(run.notes)
        counts.update(finding.state for finding in findings)
        notes.update(one.reason for one in findings if one.state == EQUAL and one.reason)
        run.counts, run.notes, run.sums = dict(counts), dict(notes), sums.rows()
        run.position_at = last_at + _SECOND
        with transaction(self._engine) as session:
            rows = [_row(run.id, one) for one in findings if one.state != EQUAL]
            count = func.count()
            kept = session.scalar(
                select(count).where(ReconciliationRow.reconciliation_id == run.id)
            )
            insert_many(session, ReconciliationRow, rows[: max(MOST_ROWS - (kept or 0), 0)])
            service.keep(session, run)

    def _look_up(self, pairs: Sequence[Pair], sums: Sums) -> list[Pair]:
        """What only one side shows, looked for by its id; what Chargebee's list shows too old.

        Each side of what is dated within the period is added to the sums, once, at its own date.
        """
        run = self._run
        alone = [pair.there.external_id for pair in pairs if pair.there and pair.here is None]
        with Session(queries.reading(self._engine)) as session:
            here = queries.by_id(session, run.section, run.integration_id, alone)
        found = []
        for pair in pairs:
            if pair.there is not None and pair.here is None:
                sums.add(*pair)
                found.append(Pair(pair.there, here.get(pair.there.external_id)))
                continue
            there = pair.there
            if pair.here is not None and _is_behind(pair):
                there = self._retrieved(pair.here) or there
            is_elsewhere = there is not None and pair.here and there.dated_at != pair.here.dated_at
            sums.add(None if is_elsewhere else there, pair.here)
            if there is None or not is_elsewhere or not self._is_within(there):
                found.append(Pair(there, pair.here))  # else it is told of at its date there
        return found

    def _is_within(self, side: Side) -> bool:
        return self._run.from_at <= side.dated_at < self._run.before_at

    def _retrieved(self, here: Side) -> Side | None:
        """What Chargebee has under the id of what is held here."""
        run = self._run
        if run.lookups >= MOST_LOOKUPS:
            return None
        run.lookups += 1
        try:
            return sides.theirs(run.section, self._lists[run.section].retrieve(here.external_id))
        except NotThere:
            return None

    def _judge(self, session: Session, pairs: Sequence[Pair]) -> list[Finding]:
        run = self._run
        ids = [pair.there.external_id for pair in pairs if pair.there and pair.here]
        is_money = run.section == TRANSACTION
        books = queries.books_of(session, run.integration_id, ids) if is_money else {}
        unknown = [name for name in ids if name not in books] if is_money else []
        told_of = queries.told_of(session, run.integration_id, unknown)
        imported = set(unknown) - told_of
        found = []
        for pair in pairs:
            known = None
            if pair.there is not None:
                name = pair.there.external_id
                if name in imported and pair.there.dated_at < self._connected_at:
                    known = Books(wanted=False, has_email=False, imported=True)
                known = books.get(name, known)
            finding = judge(pair, known)
            if finding.reason == "not_in_chargebee" and run.lookups >= MOST_LOOKUPS:
                finding.reason = "not_looked_up"
            found.append(finding)
        return found


def _step(seconds: Iterator[Second]) -> list[Second]:
    found, count = [], 0
    for second in islice(seconds, STEP):
        found.append(second)
        count += len(second.pairs)
        if count >= STEP:
            break
    return found


def _is_behind(pair: Pair) -> bool:
    """Whether Chargebee's list shows less than is held here: lists are some minutes late."""
    return pair.there is None or (pair.here is not None and pair.there.version < pair.here.version)


def _row(run_id: int, finding: Finding) -> dict[str, Any]:
    there, here = finding.pair
    facts = finding.side.facts
    return {
        "reconciliation_id": run_id,
        "section": finding.side.section,
        "kind": facts.get("kind"),
        "external_id": finding.side.external_id,
        "dated_at": finding.side.dated_at,
        "changed_at": None if there is None else there.changed_at,
        "state": finding.state,
        "reason": finding.reason,
        "detail": finding.detail,
        "received_event_id": None,
        "currency": facts.get("currency"),
        "there_minor": None if there is None or there.problem else there.amount_minor,
        "here_minor": None if here is None else here.amount_minor,
        "differences": finding.differences,
    }
