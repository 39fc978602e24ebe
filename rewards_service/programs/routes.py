"""/api/v1/programs with their levels, and /api/v1/reward-rules."""

from collections.abc import Sequence
from typing import Any

from rewards_service.accounts.auth import current_actor
from rewards_service.kit import ids
from rewards_service.kit.lists import ListQuery, page_answer, paging
from rewards_service.kit.own import confined_to, own_partner
from rewards_service.kit.web import V1, Resource, current_session, path_key
from rewards_service.programs import levels, queries, service, terms
from rewards_service.programs.models import RewardRule, RewardRuleVersion
from rewards_service.programs.schemas import (
    LevelPageSchema,
    LevelSchema,
    ProgramPageSchema,
    ProgramSchema,
    RulePageSchema,
    RuleQuerySchema,
    RuleSchema,
)

programs = Resource("programs", "Sets of rules that partners are enrolled in")
rules = Resource("reward-rules", "How rewards are calculated")

READ, WRITE = "programs:read", "programs:write"
_NO_CUSTOMERS: dict[str, Any] = {"customer_ids": [], "excluded_customer_ids": []}


@programs.operation(
    "GET", "/programs", scope=READ, query=ListQuery, answer=ProgramPageSchema, for_partners=True
)
def list_programs(query: dict[str, Any]) -> Any:
    """List the programmes."""
    page = queries.list_programs(current_session(), paging(query), own_partner())
    return page_answer(query, page, [row[0] for row in page.rows])


@programs.operation(
    "POST", "/programs", scope=WRITE, body=ProgramSchema, answer=ProgramSchema, status=201
)
def create_program(body: dict[str, Any]) -> Any:
    """Make a programme."""
    return service.create_program(current_session(), body, current_actor())


@programs.operation(
    "GET", "/programs/<program_id>", scope=READ, answer=ProgramSchema, for_partners=True
)
def get_program(program_id: str) -> Any:
    """Get one programme."""
    key = path_key("prg", program_id)
    return service.get_program(current_session(), key, own=own_partner())


@programs.operation(
    "PATCH", "/programs/<program_id>", scope=WRITE, body=ProgramSchema(partial=True),
    answer=ProgramSchema,
)  # fmt: skip
def change_program(body: dict[str, Any], program_id: str) -> Any:
    """Change what is given."""
    key = path_key("prg", program_id)
    return service.change_program(current_session(), key, body, current_actor())


@programs.operation(
    "GET", "/programs/<program_id>/levels", scope=READ, query=ListQuery, answer=LevelPageSchema,
    for_partners=True,
)  # fmt: skip
def list_levels(query: dict[str, Any], program_id: str) -> Any:
    """List the levels of a programme."""
    session, own = current_session(), own_partner()
    program = service.get_program(session, path_key("prg", program_id), own=own)
    page = queries.list_levels(session, paging(query), program.id, own)
    return page_answer(query, page, [row[0] for row in page.rows])


@programs.operation(
    "POST", "/programs/<program_id>/levels", scope=WRITE, body=LevelSchema, answer=LevelSchema,
    status=201,
)  # fmt: skip
def create_level(body: dict[str, Any], program_id: str) -> Any:
    """Make a level of a programme."""
    program = service.get_program(current_session(), path_key("prg", program_id))
    level = levels.create_level(current_session(), program.id, body["name"], current_actor())
    return level, 201, {"Location": f"{V1}/program-levels/{ids.encode('lvl', level.id)}"}


@programs.operation(
    "GET", "/program-levels/<level_id>", scope=READ, answer=LevelSchema, for_partners=True
)
def get_level(level_id: str) -> Any:
    """Get one level."""
    return levels.get_level(current_session(), path_key("lvl", level_id), own=own_partner())


@programs.operation(
    "PATCH", "/program-levels/<level_id>", scope=WRITE, body=LevelSchema, answer=LevelSchema
)
def change_level(body: dict[str, Any], level_id: str) -> Any:
    """Give a level another name."""
    key = path_key("lvl", level_id)
    return levels.rename_level(current_session(), key, body["name"], current_actor())


@programs.operation("DELETE", "/program-levels/<level_id>", scope=WRITE, status=204)
def delete_level(level_id: str) -> None:
    """Remove a level that no rule belongs to and no partner ever stood at."""
    levels.delete_level(current_session(), path_key("lvl", level_id), current_actor())


@rules.operation(
    "GET", "/reward-rules", scope=READ, query=RuleQuerySchema, answer=RulePageSchema,
    for_partners=True,
)  # fmt: skip
def list_rules(query: dict[str, Any]) -> Any:
    """List the rules, each by its newest version."""
    program_id = query.get("program_id")
    page = queries.list_rules(current_session(), paging(query), program_id, own_partner())
    return page_answer(query, page, _shown([row[0] for row in page.rows]))


@rules.operation(
    "POST", "/reward-rules", scope=WRITE, body=RuleSchema, answer=RuleSchema, status=201
)
def create_rule(body: dict[str, Any]) -> Any:
    """Make a rule with its version 1."""
    return _shown([service.create_rule(current_session(), body, current_actor())])[0]


@rules.operation("GET", "/reward-rules/<rule_id>", scope=READ, answer=RuleSchema, for_partners=True)
def get_rule(rule_id: str) -> Any:
    """Get one rule with all its versions."""
    key = path_key("rul", rule_id)
    return _shown([service.get_rule(current_session(), key, own=own_partner())])[0]


@rules.operation(
    "PATCH", "/reward-rules/<rule_id>", scope=WRITE,
    body=RuleSchema(partial=True, exclude=("program_id", "level_id")), answer=RuleSchema,
)  # fmt: skip
def change_rule(body: dict[str, Any], rule_id: str) -> Any:
    """Give a rule a new version; versions before it stay as they are."""
    key = path_key("rul", rule_id)
    return _shown([service.change_rule(current_session(), key, body, current_actor())])[0]


def _shown(found: Sequence[RewardRule]) -> list[dict[str, Any]]:
    versions = queries.versions_of(current_session(), [rule.id for rule in found])
    return [
        {
            **_terms(versions[rule.id][-1]),
            "id": rule.id,
            "program_id": rule.program_id,
            "level_id": rule.level_id,
            "name": rule.name,
            "versions": [_terms(version) for version in versions[rule.id]],
            "created_at": rule.created_at,
        }
        for rule in found
    ]


def _terms(version: RewardRuleVersion) -> dict[str, Any]:
    members = terms.members_of(version)
    if confined_to() is not None and members.get("conditions"):  # they name others' customers
        members["conditions"] = {**members["conditions"], **_NO_CUSTOMERS}
    return {
        **members,
        "version": version.version,
        "effective_from": version.effective_from,
        "created_at": version.created_at,
    }
