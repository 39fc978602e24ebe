"""Rules of programmes, and who is enrolled in them, as values."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from functools import lru_cache

import orjson
from sqlalchemy import ColumnElement, Select, Text, and_, or_, select, type_coerce
from sqlalchemy.orm import Session

from rewards_service.kit.db import chunks
from rewards_service.kit.pages import Page, Paging, fetch
from rewards_service.partners.models import Enrolment
from rewards_service.programs.enrolled import NO_LEVEL, Enrolled
from rewards_service.programs.models import (
    Program,
    ProgramLevel,
    RewardRule,
    RewardRuleVersion,
)
from rewards_service.programs.rules import RuleVersion, Terms, read_terms

ACCRUE_HOLD = "accrue_hold"
_Version, _Rule = RewardRuleVersion, RewardRule
_VALUE = (
    _Version.id, _Version.rule_id, _Rule.program_id, _Version.version, _Rule.name, _Version.kind,
    _Version.rate_millionths, _Version.amounts, _Version.base, _Version.rounding,
    _Version.hold_days, _Version.effective_from, Program.timezone, _Version.created_at,
    _Rule.level_id, type_coerce(_Version.terms, Text), Program.inactive_partners,
)  # fmt: skip


def all_versions(session: Session) -> dict[int, RuleVersion]:
    """Every version of every rule, by its key. Rules are few: they fit a batch's memory."""
    query = (
        select(*_VALUE)
        .select_from(_Version)
        .join(_Rule, _Rule.id == _Version.rule_id)
        .join(Program, Program.id == _Rule.program_id)
    )
    return {
        plain[0]: RuleVersion._make(
            (*plain, level_id or NO_LEVEL, _terms(terms), inactive == ACCRUE_HOLD)
        )
        for *plain, level_id, terms, inactive in session.execute(query)
    }


def as_value(version: RewardRuleVersion, rule: RewardRule, program: Program) -> RuleVersion:
    """A version that may not be stored, as a value."""
    return RuleVersion(
        version.id, rule.id, program.id, version.version, rule.name, version.kind,
        version.rate_millionths, version.amounts, version.base, version.rounding,
        version.hold_days, version.effective_from, program.timezone, version.created_at,
        rule.level_id or NO_LEVEL, read_terms(version.terms),
        program.inactive_partners == ACCRUE_HOLD,
    )  # fmt: skip


@lru_cache(maxsize=10_000)
def _terms(stored: str) -> Terms:
    """Read once for each text: every batch asks for the terms of every version there is."""
    return read_terms(orjson.loads(stored))


def enrolments_of(session: Session, partner_ids: Collection[int]) -> dict[int, list[Enrolled]]:
    """Partner -> its times in programmes, as they were entered."""
    found: dict[int, list[Enrolled]] = defaultdict(list)
    for some in chunks(sorted(partner_ids)):
        query = (
            select(
                Enrolment.partner_id, Enrolment.program_id, Enrolment.level_id,
                Enrolment.from_at, Enrolment.until_at, Enrolment.created_at,
            )
            .where(Enrolment.partner_id.in_(some))
            .order_by(Enrolment.id)
        )  # fmt: skip
        for partner_id, program_id, level_id, *times in session.execute(query):
            found[partner_id].append(Enrolled(program_id, level_id or NO_LEVEL, *times))
    return found


def list_programs(session: Session, paging: Paging, own: int | None = None) -> Page:
    """A page of programmes; `own`: those that this partner is, was or will be in."""
    query = select(Program)
    if own is not None:
        query = query.where(Program.id.in_(_programs_of(own)))
    return fetch(session, query, Program.id, paging)


def list_levels(session: Session, paging: Paging, program_id: int, own: int | None = None) -> Page:
    """A page of a programme's levels; `own`: those that this partner stands, stood or will."""
    query = select(ProgramLevel).where(ProgramLevel.program_id == program_id)
    if own is not None:
        query = query.where(ProgramLevel.id.in_(_levels_of(own)))
    return fetch(session, query, ProgramLevel.id, paging)


def _programs_of(partner_id: int) -> Select[int]:
    return select(Enrolment.program_id).where(Enrolment.partner_id == partner_id)


def _levels_of(partner_id: int) -> Select[int | None]:
    query = select(Enrolment.level_id).where(Enrolment.partner_id == partner_id)
    return query.where(Enrolment.level_id.is_not(None))


def is_in(session: Session, partner_id: int, program_id: int) -> bool:
    """Whether a partner is, was or will be in a programme."""
    query = _programs_of(partner_id).where(Enrolment.program_id == program_id).limit(1)
    return session.scalar(query) is not None


def is_at(session: Session, partner_id: int, level_id: int) -> bool:
    """Whether a partner stands, stood or will stand at a level."""
    query = _levels_of(partner_id).where(Enrolment.level_id == level_id).limit(1)
    return session.scalar(query) is not None


def rules_for(session: Session, partner_id: int, rule_ids: Collection[int]) -> set[int]:
    """Those of `rule_ids` whose terms are, were or will be for a partner."""
    query = select(RewardRule.id).where(RewardRule.id.in_(sorted(rule_ids)), _is_for(partner_id))
    return set(session.scalars(query))


def _is_for(partner_id: int) -> ColumnElement[bool]:
    return and_(
        RewardRule.program_id.in_(_programs_of(partner_id)),
        or_(RewardRule.level_id.is_(None), RewardRule.level_id.in_(_levels_of(partner_id))),
    )


def is_level_used(session: Session, level_id: int) -> bool:
    """Whether a rule belongs to a level, or a partner is or was enrolled at it."""
    by_rule = select(RewardRule.id).where(RewardRule.level_id == level_id)
    by_partner = select(Enrolment.id).where(Enrolment.level_id == level_id)
    return any(session.scalar(query.limit(1)) is not None for query in (by_rule, by_partner))


def has_rules(session: Session, program_id: int) -> bool:
    query = select(RewardRule.id).where(RewardRule.program_id == program_id).limit(1)
    return session.scalar(query) is not None


def list_rules(
    session: Session, paging: Paging, program_id: int | None, own: int | None = None
) -> Page:
    """A page of rules, of a programme or of all; `own`: those that are for this partner."""
    query = select(RewardRule)
    if own is not None:
        query = query.where(_is_for(own))
    if program_id is not None:
        query = query.where(RewardRule.program_id == program_id)
    return fetch(session, query, RewardRule.id, paging)


def versions_of(session: Session, rule_ids: Sequence[int]) -> dict[int, list[RewardRuleVersion]]:
    """Rule -> its versions, oldest first."""
    found: dict[int, list[RewardRuleVersion]] = defaultdict(list)
    query = (
        select(RewardRuleVersion)
        .where(RewardRuleVersion.rule_id.in_(rule_ids))
        .order_by(RewardRuleVersion.rule_id, RewardRuleVersion.version)
    )
    for version in session.scalars(query):
        found[version.rule_id].append(version)
    return found
