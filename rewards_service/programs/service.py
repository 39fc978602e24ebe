"""Make programmes and rules. A rule changes by getting a new version; old ones never change."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.audit.service import record
from rewards_service.kit.clock import instant, rfc3339, utc_now
from rewards_service.kit.errors import Conflict, NotFound, Unprocessable
from rewards_service.kit.refusals import invalid_member
from rewards_service.programs import queries, terms
from rewards_service.programs.models import Program, ProgramLevel, RewardRule, RewardRuleVersion
from rewards_service.programs.rules import RuleVersion

_BEARING_ON_MONEY = ("timezone", "approval", "inactive_partners")


class TimezoneInUse(Conflict):
    code = "timezone_in_use"
    title = "The programme has rules whose days are counted in its time zone."


def create_program(session: Session, wanted: Mapping[str, Any], actor: str) -> Program:
    """A new programme.

    wanted: `name`, `timezone` (IANA name); optional `description`, `approval`,
    `inactive_partners`.
    """
    program = Program(**wanted)
    session.add(program)
    session.flush()
    detail = {"after": _settled(program)}
    record(session, "program.created", ("program", program.id), detail, actor)
    return program


def get_program(
    session: Session, program_id: int, lock: bool = False, own: int | None = None
) -> Program:
    """Raises NotFound; with `own` also for one that this partner never is in."""
    query = select(Program).where(Program.id == program_id)
    found = session.scalar(query.with_for_update() if lock else query)
    if found is None or (own is not None and not queries.is_in(session, own, program_id)):
        raise NotFound("There is no such programme.")
    return found


def change_program(
    session: Session, program_id: int, wanted: Mapping[str, Any], actor: str
) -> Program:
    """Change what is given. Raises NotFound, TimezoneInUse."""
    program = get_program(session, program_id, lock=True)
    before = _settled(program)
    moves = wanted.get("timezone", program.timezone) != program.timezone
    if moves and queries.has_rules(session, program.id):
        raise TimezoneInUse(
            f"Days of rules and rewards were counted in {program.timezone}: another time zone "
            "would change what was earned. Make another programme."
        )
    for name, value in wanted.items():
        setattr(program, name, value)
    session.flush()
    detail = {"members": sorted(wanted), "before": before, "after": _settled(program)}
    record(session, "program.changed", ("program", program.id), detail, actor)
    return program


def create_rule(session: Session, wanted: Mapping[str, Any], actor: str) -> RewardRule:
    """A new rule with its version 1.

    wanted: `program_id`, `name`, optional `level_id`, members of `terms.MEMBERS`, and
    `effective_from`, which is since ever when it is left out. Raises Unprocessable.
    """
    program = session.get(Program, wanted["program_id"], with_for_update=True)
    if program is None:
        raise invalid_member("program_id", "There is no such programme.")
    members = _checked(terms.complete(wanted))
    level_id = _level(session, program, wanted.get("level_id"))
    rule = RewardRule(program_id=program.id, level_id=level_id, name=wanted["name"])
    session.add(rule)
    session.flush()
    since = instant(wanted.get("effective_from"), program.timezone)
    _add_version(session, rule, _version(rule, 1, members, since), None, actor)
    return rule


def get_rule(
    session: Session, rule_id: int, lock: bool = False, own: int | None = None
) -> RewardRule:
    """Raises NotFound; with `own` also for one that is never for this partner."""
    query = select(RewardRule).where(RewardRule.id == rule_id)
    found = session.scalar(query.with_for_update() if lock else query)
    if found is None or (own is not None and not queries.rules_for(session, own, [rule_id])):
        raise NotFound("There is no such reward rule.")
    return found


def change_rule(
    session: Session, rule_id: int, wanted: Mapping[str, Any], actor: str
) -> RewardRule:
    """Rename a rule, or give it a new version that follows the newest in all that is left out.

    Without `effective_from` the new version governs payments from now on. What changes nothing
    makes no version. Raises NotFound, Unprocessable.
    """
    rule = get_rule(session, rule_id, lock=True)
    if wanted.get("name", rule.name) != rule.name:
        rule.name = wanted["name"]
        detail: dict[str, Any] = {"members": ["name"]}
        record(session, "reward_rule.renamed", ("reward_rule", rule.id), detail, actor)
    newest = queries.versions_of(session, [rule.id])[rule.id][-1]
    version = _next_version(session, rule, newest, wanted)
    if version is not None:
        _add_version(session, rule, version, newest, actor)
    session.flush()
    return rule


def draft_version(session: Session, rule_id: int, wanted: Mapping[str, Any]) -> RuleVersion:
    """The version that a change of a rule would make, as a value with id 0; nothing is stored.

    A change that changes nothing gives the newest version. Raises NotFound, Unprocessable.
    """
    rule = get_rule(session, rule_id)
    newest = queries.versions_of(session, [rule.id])[rule.id][-1]
    drafted = _next_version(session, rule, newest, wanted)
    if drafted is None:
        return queries.all_versions(session)[newest.id]
    drafted.id, drafted.created_at = 0, utc_now()
    return queries.as_value(drafted, rule, get_program(session, rule.program_id))


def draft_rule(session: Session, wanted: Mapping[str, Any]) -> RuleVersion:
    """The version 1 that a new rule would have, as a value whose ids are 0; nothing is stored.

    wanted: as `create_rule` takes it. Raises NotFound, Unprocessable.
    """
    program = get_program(session, wanted["program_id"])
    members = _checked(terms.complete(wanted))
    rule = RewardRule(
        id=0, program_id=program.id, level_id=wanted.get("level_id"), name=wanted["name"]
    )
    drafted = _version(rule, 1, members, instant(wanted.get("effective_from"), program.timezone))
    drafted.id, drafted.created_at = 0, utc_now()
    return queries.as_value(drafted, rule, program)


def _next_version(
    session: Session, rule: RewardRule, newest: RewardRuleVersion, wanted: Mapping[str, Any]
) -> RewardRuleVersion | None:
    """The version that a change makes, not added yet; None when it changes nothing."""
    before = terms.members_of(newest)
    members = _checked(terms.changed(before, wanted))
    since = newest.effective_from
    if "effective_from" in wanted:
        timezone = get_program(session, rule.program_id).timezone
        since = instant(wanted["effective_from"], timezone)
    if (members, since) == (before, newest.effective_from):
        return None
    since = since if "effective_from" in wanted else utc_now()
    return _version(rule, newest.version + 1, members, since)


def _version(
    rule: RewardRule, number: int, members: terms.Rule, since: datetime | None
) -> RewardRuleVersion:
    return RewardRuleVersion(
        rule_id=rule.id,
        version=number,
        **{name: members[name] for name in ("kind", "amounts", "base", "rounding", "hold_days")},
        rate_millionths=terms.kept_rate(members),
        terms=terms.stored(members),
        effective_from=since,
    )


def _add_version(
    session: Session,
    rule: RewardRule,
    version: RewardRuleVersion,
    before: RewardRuleVersion | None,
    actor: str,
) -> None:
    session.add(version)
    session.flush()
    detail = {
        "version": version.version,
        "before": None if before is None else _money_terms(before),
        "after": _money_terms(version) | {"program_id": rule.program_id, "level_id": rule.level_id},
    }
    record(session, "reward_rule.version_added", ("reward_rule", rule.id), detail, actor)


def _money_terms(version: RewardRuleVersion) -> dict[str, Any]:
    since = version.effective_from
    effective_from = None if since is None else rfc3339(since)
    return {**terms.members_of(version), "effective_from": effective_from}


def _settled(program: Program) -> dict[str, str]:
    return {name: getattr(program, name) for name in _BEARING_ON_MONEY}


def _checked(members: dict[str, Any]) -> dict[str, Any]:
    """The rule as given. Raises Unprocessable that names all that cannot stand together."""
    found = terms.problems(members)
    if found:
        errors = [{"pointer": f"/{one.member}", "detail": one.detail} for one in found]
        raise Unprocessable(found[0].detail, errors)
    return members


def _level(session: Session, program: Program, level_id: int | None) -> int | None:
    """Held until commit, so that nobody removes it meanwhile."""
    if level_id is None:
        return None
    level = session.get(ProgramLevel, level_id, with_for_update=True)
    if level is None or level.program_id != program.id:
        raise invalid_member("level_id", "The programme has no such level.")
    return level_id
