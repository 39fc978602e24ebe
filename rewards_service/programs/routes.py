"""/api/v1/programs and /api/v1/reward-rules."""

from collections.abc import Sequence
from typing import Any

from rewards_service.accounts.auth import current_actor
from rewards_service.kit.lists import ListQuery, page_answer, paging
from rewards_service.kit.web import Resource, current_session, path_key
from rewards_service.programs import queries, service
from rewards_service.programs.models import RewardRule, RewardRuleVersion
from rewards_service.programs.schemas import (
    ProgramPageSchema,
    ProgramSchema,
    RulePageSchema,
    RuleQuerySchema,
    RuleSchema,
)

programs = Resource("programs", "Sets of rules that partners are enrolled in")
rules = Resource("reward-rules", "How rewards are calculated")

READ, WRITE = "programs:read", "programs:write"


@programs.operation("GET", "/programs", scope=READ, query=ListQuery, answer=ProgramPageSchema)
def list_programs(query: dict[str, Any]) -> Any:
    """List the programmes."""
    page = queries.list_programs(current_session(), paging(query))
    return page_answer(query, page, [row[0] for row in page.rows])


@programs.operation(
    "POST", "/programs", scope=WRITE, body=ProgramSchema, answer=ProgramSchema, status=201
)
def create_program(body: dict[str, Any]) -> Any:
    """Make a programme."""
    return service.create_program(current_session(), body, current_actor())


@programs.operation("GET", "/programs/<program_id>", scope=READ, answer=ProgramSchema)
def get_program(program_id: str) -> Any:
    """Get one programme."""
    return service.get_program(current_session(), path_key("prg", program_id))


@programs.operation(
    "PATCH", "/programs/<program_id>", scope=WRITE, body=ProgramSchema(partial=True),
    answer=ProgramSchema,
)  # fmt: skip
def change_program(body: dict[str, Any], program_id: str) -> Any:
    """Change what is given."""
    key = path_key("prg", program_id)
    return service.change_program(current_session(), key, body, current_actor())


@rules.operation("GET", "/reward-rules", scope=READ, query=RuleQuerySchema, answer=RulePageSchema)
def list_rules(query: dict[str, Any]) -> Any:
    """List the rules, each by its newest version."""
    page = queries.list_rules(current_session(), paging(query), query.get("program_id"))
    return page_answer(query, page, _shown([row[0] for row in page.rows]))


@rules.operation(
    "POST", "/reward-rules", scope=WRITE, body=RuleSchema, answer=RuleSchema, status=201
)
def create_rule(body: dict[str, Any]) -> Any:
    """Make a rule with its version 1."""
    return _shown([service.create_rule(current_session(), body, current_actor())])[0]


@rules.operation("GET", "/reward-rules/<rule_id>", scope=READ, answer=RuleSchema)
def get_rule(rule_id: str) -> Any:
    """Get one rule with all its versions."""
    return _shown([service.get_rule(current_session(), path_key("rul", rule_id))])[0]


@rules.operation(
    "PATCH", "/reward-rules/<rule_id>", scope=WRITE,
    body=RuleSchema(partial=True, exclude=("program_id",)), answer=RuleSchema,
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
            "name": rule.name,
            "versions": [_terms(version) for version in versions[rule.id]],
            "created_at": rule.created_at,
        }
        for rule in found
    ]


def _terms(version: RewardRuleVersion) -> dict[str, Any]:
    names = ("version", "kind", "amounts", "base", "rounding", "hold_days", "effective_from")
    return {
        **{name: getattr(version, name) for name in names},
        "rate": version.rate_millionths,
        "created_at": version.created_at,
    }
