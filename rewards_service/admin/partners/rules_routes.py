"""A reward rule: what counts now, all its versions with their differences, and its end."""

from itertools import pairwise
from typing import Any

from flask import flash, redirect
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import DateField
from wtforms.validators import InputRequired

from rewards_service.admin.activity import activity_of
from rewards_service.admin.cells import foreign
from rewards_service.admin.doing import carry_out
from rewards_service.admin.pages import actor, may, show
from rewards_service.admin.partners import reading, rule_words
from rewards_service.admin.partners.programs_routes import address_of_program, blueprint
from rewards_service.kit.clock import utc_now
from rewards_service.kit.web import current_session, path_key
from rewards_service.programs import queries, service, terms
from rewards_service.programs.levels import get_level
from rewards_service.programs.models import RewardRule, RewardRuleVersion
from rewards_service.programs.rules import FLAT
from rewards_service.programs.schemas import RuleSchema

_SCHEMA = RuleSchema(partial=True, only=("effective_from",))


class EndForm(FlaskForm):  # type: ignore[misc]
    """From which day a rule gives nothing any more."""

    effective_from = DateField(
        "It gives nothing for payments from this day on",
        [InputRequired("Say which day.")],
        description="The day begins in the programme's time zone.",
    )


@blueprint.page("/rules/<rule_id>", permission="programs:read")
def show_rule(rule_id: str) -> ResponseReturnValue:
    """One rule."""
    return _page(_rule(rule_id), EndForm(formdata=None, data={"effective_from": utc_now().date()}))


@blueprint.page("/rules/<rule_id>/end", permission="programs:write", methods=("POST",))
def end_rule(rule_id: str) -> ResponseReturnValue:
    """Publish a version that gives nothing, from a day on."""
    form, session, key = EndForm(), current_session(), path_key("rul", rule_id)

    def end() -> RewardRule:
        since = _SCHEMA.load({"effective_from": form.effective_from.data.isoformat()})
        rule = service.get_rule(session, key, lock=True)
        newest = queries.versions_of(session, [rule.id])[rule.id][-1]
        return service.change_rule(session, key, {**nothing(newest), **since}, actor())

    if carry_out(form, end) is None:
        return _page(_rule(rule_id), form, 422)
    flash(f"Ended: nothing for payments from {form.effective_from.data} on.", "success")
    return redirect(reading.address("programs_pages.show_rule", rule_id=rule_id), 303)


def nothing(newest: RewardRuleVersion) -> dict[str, Any]:
    """The changes by which a rule gives nothing, and takes nothing from others of its group."""
    alone = {"stack_group": None, "priority": 0}
    if newest.kind == FLAT:
        return {**alone, "amounts": dict.fromkeys(newest.amounts or {}, 0)}
    return {**alone, "rate": 0, "tiers": None, "rate_steps": []}


def _rule(rule_id: str) -> RewardRule:
    return service.get_rule(current_session(), path_key("rul", rule_id))


def _page(rule: RewardRule, form: EndForm, status: int = 200) -> ResponseReturnValue:
    session = current_session()
    versions = queries.versions_of(session, [rule.id])[rule.id]
    (now,) = reading.rules_now(session, [rule])
    program = service.get_program(session, rule.program_id)
    level = None if rule.level_id is None else get_level(session, rule.level_id)
    return show(
        "rules/show.html", status, rule=rule, program=program, level=level, now=now, form=form,
        rule_id=reading.public("reward_rule", rule.id), public=reading.public, bdi=foreign,
        program_url=address_of_program(program.id), history=_history(versions),
        groups=rule_words.terms(terms.members_of(now.version or now.newest)),
        scheduled=[one for one in versions if _is_to_come(one)],
        lines=activity_of(session, "reward_rule", rule.id) if may("audit:read") else None,
    )  # fmt: skip


def _is_to_come(version: RewardRuleVersion) -> bool:
    return version.effective_from is not None and version.effective_from > utc_now()


def _history(versions: list[RewardRuleVersion]) -> list[dict[str, Any]]:
    """Versions, the newest first, each with what it said otherwise than the one before."""
    members = {one.version: terms.members_of(one) for one in versions}
    changes = {
        later.version: rule_words.changes(members[earlier.version], members[later.version])
        for earlier, later in pairwise(versions)
    }
    stands = reading.statuses(versions, utc_now())
    return [
        {
            "version": one, "status": stands[one.version], "changes": changes.get(one.version),
            "text": rule_words.headline(members[one.version]),
        }
        for one in reversed(versions)
    ]  # fmt: skip
