"""Rules of programmes, as values."""

from collections import defaultdict
from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.kit.db import chunks
from rewards_service.kit.pages import Page, Paging, fetch
from rewards_service.partners.models import PartnerProgram
from rewards_service.programs.models import Program, RewardRule, RewardRuleVersion
from rewards_service.programs.rules import RuleVersion


def all_versions(session: Session) -> dict[int, RuleVersion]:
    """Every version of every rule, by its key. Rules are few: they fit a batch's memory."""
    query = (
        select(RewardRuleVersion, RewardRule, Program)
        .join(RewardRule, RewardRule.id == RewardRuleVersion.rule_id)
        .join(Program, Program.id == RewardRule.program_id)
    )
    return {
        version.id: RuleVersion(
            version.id, rule.id, rule.program_id, version.version, rule.name, version.kind,
            version.rate_millionths, version.amounts, version.base, version.rounding,
            version.hold_days, version.effective_from, program.timezone,
            version.created_at,
        )
        for version, rule, program in session.execute(query)
    }  # fmt: skip


def programs_of(session: Session, partner_ids: Collection[int]) -> dict[int, set[int]]:
    """Partner -> programmes it is enrolled in."""
    found: dict[int, set[int]] = defaultdict(set)
    for some in chunks(sorted(partner_ids)):
        query = select(PartnerProgram.partner_id, PartnerProgram.program_id).where(
            PartnerProgram.partner_id.in_(some)
        )
        for partner_id, program_id in session.execute(query):
            found[partner_id].add(program_id)
    return found


def list_programs(session: Session, paging: Paging) -> Page:
    return fetch(session, select(Program), Program.id, paging)


def list_rules(session: Session, paging: Paging, program_id: int | None) -> Page:
    query = select(RewardRule)
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
