"""The times of a partner in programmes: changed through a list of programmes, or as a whole."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from rewards_service.kit.clock import instant, rfc3339, utc_now
from rewards_service.kit.refusals import invalid_member
from rewards_service.partners import queries
from rewards_service.partners.models import Enrolment

_EVER = datetime.min.replace(tzinfo=UTC)
_NEVER = datetime.max.replace(tzinfo=UTC)


class Period(NamedTuple):
    """A time within [from_at, until_at) in a programme at a level, or at none."""

    program_id: int
    level_id: int | None
    from_at: datetime | None
    until_at: datetime | None

    @property
    def begin(self) -> datetime:
        return self.from_at or _EVER

    @property
    def end(self) -> datetime:
        return self.until_at or _NEVER


def enrol(session: Session, partner_id: int, program_ids: Sequence[int]) -> None:
    """Have a partner in these programmes now, and in no others.

    A programme that is new to the partner counts since ever, one that it had left from now on;
    those that are not named end now. Raises Unprocessable for an unknown programme.
    """
    wanted = set(program_ids)
    if wanted and queries.unknown_programs(session, sorted(wanted)):
        raise invalid_member("program_ids", "There is no such programme.")
    now = utc_now()
    rows = queries.enrolments_of_partners(session, [partner_id])[partner_id]
    open_rows = [row for row in rows if queries.is_open(row, now)]
    for row in open_rows:
        if row.program_id not in wanted:
            row.until_at = now
    for program_id in sorted(wanted - {row.program_id for row in open_rows}):
        others = [_period(row) for row in rows if row.program_id == program_id]
        session.add(Enrolment(partner_id=partner_id, **_around(program_id, others, now)._asdict()))
    session.flush()


def _around(program_id: int, others: Sequence[Period], now: datetime) -> Period:
    """A time that holds now and overlaps none of the others, which do not."""
    is_back = any(other.end <= now for other in others)
    later = [other.begin for other in others if other.begin > now]
    return Period(program_id, None, now if is_back else None, min(later) if later else None)


def replace_all(session: Session, partner_id: int, given: Sequence[Mapping[str, Any]]) -> None:
    """Give a partner exactly these times in programmes.

    given: `program_id`, optional `level_id`, `from_on` or `from_at`, `until_on` or `until_at`.
    Raises Unprocessable for unknown programmes and levels, and for times that overlap.
    """
    periods = _read(session, given)
    _refuse_overlaps(periods)
    rows = queries.enrolments_of_partners(session, [partner_id])[partner_id]
    kept = {_period(row): row for row in rows}
    for period, row in kept.items():
        if period not in periods:
            session.delete(row)
    for period in periods:
        if period not in kept:
            session.add(Enrolment(partner_id=partner_id, **period._asdict()))
    session.flush()


def as_detail(rows: Sequence[Enrolment]) -> list[dict[str, Any]]:
    """Enrolments for the audit log."""
    return [
        {
            "program_id": row.program_id,
            "level_id": row.level_id,
            "from_at": row.from_at and rfc3339(row.from_at),
            "until_at": row.until_at and rfc3339(row.until_at),
        }
        for row in rows
    ]


def _read(session: Session, given: Sequence[Mapping[str, Any]]) -> list[Period]:
    zones = queries.zones_of_programs(session, {one["program_id"] for one in given})
    named = {one["level_id"] for one in given if one.get("level_id") is not None}
    programs = queries.programs_of_levels(session, named)
    found = []
    for index, one in enumerate(given):
        program_id, level_id = one["program_id"], one.get("level_id")
        zone = zones.get(program_id)
        if zone is None:
            raise invalid_member(f"enrolments/{index}/program_id", "There is no such programme.")
        if level_id is not None and programs.get(level_id) != program_id:
            raise invalid_member(f"enrolments/{index}/level_id", "The programme has no such level.")
        begin = instant(one.get("from_on") or one.get("from_at"), zone)
        end = instant(one.get("until_on") or one.get("until_at"), zone)
        found.append(Period(program_id, level_id, begin, end))
    return found


def _refuse_overlaps(periods: Sequence[Period]) -> None:
    for index, period in enumerate(periods):
        if period.begin >= period.end:
            raise invalid_member(f"enrolments/{index}", "Ends before it begins, or at once.")
    ordered = sorted(enumerate(periods), key=lambda pair: (pair[1].program_id, pair[1].begin))
    for (_, first), (index, second) in pairwise(ordered):
        if first.program_id == second.program_id and second.begin < first.end:
            raise invalid_member(
                f"enrolments/{index}", "Overlaps another time in the same programme."
            )


def _period(row: Enrolment) -> Period:
    return Period(row.program_id, row.level_id, row.from_at, row.until_at)
