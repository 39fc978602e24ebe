"""Make programmes and rules. A rule changes by getting a new version; old ones never change."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.audit.service import record
from rewards_service.kit.clock import rfc3339, utc_now
from rewards_service.kit.errors import NotFound
from rewards_service.kit.money import HALF_EVEN
from rewards_service.kit.refusals import invalid_member
from rewards_service.programs import queries
from rewards_service.programs.models import Program, RewardRule, RewardRuleVersion
from rewards_service.programs.rules import FLAT, NET, PERCENT

TERMS = ("kind", "rate", "amounts", "base", "rounding", "hold_days", "effective_from")
_DEFAULTS = {"base": NET, "rounding": HALF_EVEN, "hold_days": 0}


def create_program(session: Session, wanted: Mapping[str, Any], actor: str) -> Program:
    """A new programme. wanted: `name`, `timezone` (IANA name), optional `description`."""
    program = Program(
        name=wanted["name"], timezone=wanted["timezone"], description=wanted.get("description")
    )
    session.add(program)
    session.flush()
    detail = {"timezone": program.timezone}
    record(session, "program.created", ("program", program.id), detail, actor)
    return program


def get_program(session: Session, program_id: int) -> Program:
    """Raises NotFound."""
    found = session.get(Program, program_id)
    if found is None:
        raise NotFound("There is no such programme.")
    return found


def change_program(
    session: Session, program_id: int, wanted: Mapping[str, Any], actor: str
) -> Program:
    """Change what is given. Raises NotFound."""
    program = get_program(session, program_id)
    for name, value in wanted.items():
        setattr(program, name, value)
    session.flush()
    detail = {"timezone": program.timezone, "members": sorted(wanted)}
    record(session, "program.changed", ("program", program.id), detail, actor)
    return program


def create_rule(session: Session, wanted: Mapping[str, Any], actor: str) -> RewardRule:
    """A new rule with its version 1.

    wanted: `program_id`, `name`, `kind` with `rate` (millionths) or `amounts` (minor units by
    currency); optional `base`, `rounding`, `hold_days`, and `effective_from`, which is since ever
    when it is left out. Raises Unprocessable.
    """
    program = session.get(Program, wanted["program_id"])
    if program is None:
        raise invalid_member("program_id", "There is no such programme.")
    rule = RewardRule(program_id=program.id, name=wanted["name"])
    session.add(rule)
    session.flush()
    _add_version(session, rule, program, 1, {**_DEFAULTS, **wanted}, actor)
    return rule


def get_rule(session: Session, rule_id: int, lock: bool = False) -> RewardRule:
    """Raises NotFound."""
    query = select(RewardRule).where(RewardRule.id == rule_id)
    found = session.scalar(query.with_for_update() if lock else query)
    if found is None:
        raise NotFound("There is no such reward rule.")
    return found


def change_rule(
    session: Session, rule_id: int, wanted: Mapping[str, Any], actor: str
) -> RewardRule:
    """Rename a rule, or give it a new version that follows the newest in all that is left out.

    Without `effective_from` the new version governs payments from now on. Raises NotFound,
    Unprocessable.
    """
    rule = get_rule(session, rule_id, lock=True)
    if "name" in wanted:
        rule.name = wanted["name"]
    if any(name in wanted for name in TERMS):
        newest = queries.versions_of(session, [rule.id])[rule.id][-1]
        before = {
            "kind": newest.kind,
            "rate": newest.rate_millionths,
            "amounts": newest.amounts,
            "base": newest.base,
            "rounding": newest.rounding,
            "hold_days": newest.hold_days,
        }
        if wanted.get("kind", newest.kind) != newest.kind:
            before |= {"rate": None, "amounts": None}
        terms = {**before, "effective_from": utc_now(), **wanted}
        program = get_program(session, rule.program_id)
        _add_version(session, rule, program, newest.version + 1, terms, actor)
    session.flush()
    return rule


def _add_version(
    session: Session,
    rule: RewardRule,
    program: Program,
    number: int,
    terms: Mapping[str, Any],
    actor: str,
) -> None:
    rate, amounts = _checked_terms(terms)
    effective_from = _instant(terms.get("effective_from"), program.timezone)
    session.add(
        RewardRuleVersion(
            rule_id=rule.id,
            version=number,
            kind=terms["kind"],
            rate_millionths=rate,
            amounts=amounts,
            base=terms["base"],
            rounding=terms["rounding"],
            hold_days=terms["hold_days"],
            effective_from=effective_from,
        )
    )
    session.flush()
    detail = {name: terms.get(name) for name in TERMS} | {
        "version": number,
        "effective_from": None if effective_from is None else rfc3339(effective_from),
    }
    record(session, "reward_rule.version_added", ("reward_rule", rule.id), detail, actor)


def _checked_terms(terms: Mapping[str, Any]) -> tuple[int | None, dict[str, int] | None]:
    """The rate of a percent rule, the amounts of a flat one; never both, never neither."""
    rate, amounts = terms.get("rate"), terms.get("amounts")
    if terms["kind"] == PERCENT:
        if amounts is not None:
            raise invalid_member("amounts", "A percent rule has a rate and no amounts.")
        if rate is None:
            raise invalid_member("rate", 'A percent rule needs a rate, such as "0.20".')
    if terms["kind"] == FLAT:
        if rate is not None:
            raise invalid_member("rate", "A flat rule has amounts and no rate.")
        if amounts is None:
            raise invalid_member("amounts", 'A flat rule needs amounts, such as {"USD": 500}.')
    return rate, amounts


def _instant(value: date | datetime | None, timezone: str) -> datetime | None:
    """A day is its first moment in the programme's time zone."""
    if value is None or isinstance(value, datetime):
        return value
    return datetime.combine(value, time(), ZoneInfo(timezone)).astimezone(UTC)
