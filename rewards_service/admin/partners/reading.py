"""What several of these pages show beside their subject: names, levels, rules in force."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from flask import url_for
from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.admin.partners.rule_words import headline, is_ended
from rewards_service.audit import subjects
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import READ_ONLY
from rewards_service.kit.pages import Paging
from rewards_service.kit.web import current_session
from rewards_service.partners.models import Partner
from rewards_service.programs import queries, terms
from rewards_service.programs.models import Program, ProgramLevel, RewardRule, RewardRuleVersion

MANY = 500  # programmes, and levels and rules of one: chosen from lists, so they are few
IN_FORCE, SCHEDULED, REPLACED, ENDED = "active", "scheduled", "replaced", "ended"


class RuleNow(NamedTuple):
    """A rule as it counts now: `version` None while its first version is still to come."""

    rule: RewardRule
    version: RewardRuleVersion | None
    newest: RewardRuleVersion
    text: str
    status: str


def public(kind: str, key: int) -> str:
    """The id of a thing in addresses."""
    return subjects.public_id(kind, key)


def address(endpoint: str, **values: Any) -> str:
    found: str = url_for(endpoint, **values)
    return found


def reading_only() -> Session:
    """The session of a request that asks by POST, but changes nothing: it takes no lock."""
    session = current_session()
    session.rollback()
    session.connection(execution_options={READ_ONLY: True})
    return session


def partner_names(session: Session, keys: Collection[int]) -> dict[int, str]:
    """Partner -> its name."""
    query = select(Partner.id, Partner.name).where(Partner.id.in_(sorted(keys)))
    return {key: name for key, name in session.execute(query)}  # noqa: C416


def all_programs(session: Session) -> list[Program]:
    """The newest first."""
    page = queries.list_programs(session, Paging(MANY, descending=True))
    return [row[0] for row in page.rows]


def levels_of(session: Session, program_id: int) -> list[ProgramLevel]:
    """In the order in which they were made."""
    return [row[0] for row in queries.list_levels(session, Paging(MANY), program_id).rows]


def rules_of(session: Session, program_id: int | None) -> list[RewardRule]:
    """The rules of a programme, or all, in the order in which they were made."""
    return [row[0] for row in queries.list_rules(session, Paging(MANY), program_id).rows]


def rules_now(session: Session, rules: Sequence[RewardRule]) -> list[RuleNow]:
    """Rules, each with what it says of payments of this moment."""
    versions = queries.versions_of(session, [rule.id for rule in rules])
    now = utc_now()
    return [_now(rule, versions[rule.id], now) for rule in rules]


def _now(rule: RewardRule, versions: Sequence[RewardRuleVersion], now: datetime) -> RuleNow:
    current, newest = in_force(versions, now), versions[-1]
    members = terms.members_of(current or newest)
    ended = current is not None and is_ended(members)
    status = SCHEDULED if current is None else ENDED if ended else IN_FORCE
    return RuleNow(rule, current, newest, headline(members), status)


def in_force(versions: Iterable[RewardRuleVersion], at: datetime) -> RewardRuleVersion | None:
    """The newest version that counts for payments of a time (DOMAIN A12)."""
    found = None
    for version in versions:
        if version.effective_from is None or version.effective_from <= at:
            found = version
    return found


def statuses(versions: Sequence[RewardRuleVersion], now: datetime) -> Mapping[int, str]:
    """Version -> whether it counts now, will, or gave way to a later one."""
    current = in_force(versions, now)
    found = {}
    for version in versions:
        if current is not None and version.id == current.id:
            found[version.version] = ENDED if is_ended(terms.members_of(version)) else IN_FORCE
        else:
            later = version.effective_from is not None and version.effective_from > now
            newer = current is None or version.version > current.version
            found[version.version] = SCHEDULED if later and newer else REPLACED
    return found
