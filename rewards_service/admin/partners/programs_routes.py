"""Programmes: what they pay, their levels, who is in them."""

from typing import Any

from flask import flash, redirect, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from marshmallow import ValidationError
from sqlalchemy.orm import Session

from rewards_service.admin.activity import activity_of
from rewards_service.admin.cells import foreign
from rewards_service.admin.doing import attempt, carry_out
from rewards_service.admin.layout import moment
from rewards_service.admin.lists import Column, Empty, ListView
from rewards_service.admin.pages import Pages, actor, may, show
from rewards_service.admin.partners import reading
from rewards_service.admin.partners.program_forms import (
    APPROVED,
    INACTIVE,
    FirstRuleForm,
    LevelForm,
    ProgramForm,
    asked,
    shown,
    zones,
)
from rewards_service.kit.errors import NotFound
from rewards_service.kit.pages import Page, Paging
from rewards_service.kit.web import current_session, path_key
from rewards_service.partners import queries as partners
from rewards_service.programs import levels, queries, service
from rewards_service.programs.models import Program
from rewards_service.programs.schemas import LevelSchema, ProgramSchema, RuleSchema

blueprint = Pages("programs_pages")
_PARTNERS = 10


@blueprint.page("/programs", permission="programs:read")
def list_programs() -> ResponseReturnValue:
    """All programmes, the newest first."""
    return show("programs/list.html", **VIEW.values())


@blueprint.page("/programs/new", permission="programs:write")
def new_program() -> ResponseReturnValue:
    return _form(FirstRuleForm(formdata=None))


@blueprint.page("/programs/new", permission="programs:write", methods=("POST",))
def create_program() -> ResponseReturnValue:
    """Make a programme, with a first rule where a percentage is given."""
    form, session = FirstRuleForm(), current_session()

    def make() -> Program:
        program = service.create_program(session, ProgramSchema().load(asked(form)), actor())
        if form.rate.meaning is not None:
            first = {"kind": "percent", "rate": form.rate.meaning, "name": f"{form.rate.data} %"}
            said = RuleSchema(exclude=("program_id",)).load(first)
            service.create_rule(session, {**said, "program_id": program.id}, actor())
        return program

    program = carry_out(form, make)
    if program is None:
        return _form(form, None, 422)
    said = Markup("The programme {} is there. Now bring partners in.")
    flash(said.format(foreign(program.name)), "success")
    key = program.id
    session.commit()
    return redirect(address_of_program(key), 303)


@blueprint.page("/programs/<program_id>", permission="programs:read")
def show_program(program_id: str) -> ResponseReturnValue:
    """One programme."""
    return _page(_program(program_id), LevelForm(formdata=None))


@blueprint.page("/programs/<program_id>/edit", permission="programs:write")
def edit_program(program_id: str) -> ResponseReturnValue:
    program = _program(program_id)
    form = ProgramForm(formdata=None, data=shown(program))
    form.timezone.choices = zones(program.timezone)
    return _form(form, program)


@blueprint.page("/programs/<program_id>/edit", permission="programs:write", methods=("POST",))
def change_program(program_id: str) -> ResponseReturnValue:
    form, key = ProgramForm(), path_key("prg", program_id)
    form.timezone.choices = zones(_program(program_id).timezone)

    def change() -> Program:
        wanted = ProgramSchema().load(asked(form))
        return service.change_program(current_session(), key, wanted, actor())

    if carry_out(form, change) is None:
        return _form(form, _program(program_id), 422)
    flash("Saved.", "success")
    return redirect(address_of_program(key), 303)


@blueprint.page("/programs/<program_id>/levels", permission="programs:write", methods=("POST",))
def create_level(program_id: str) -> ResponseReturnValue:
    """Make a level."""
    form, program = LevelForm(), _program(program_id)
    key = program.id

    def make() -> Any:
        return levels.create_level(current_session(), key, _level_name(form), actor())

    if carry_out(form, make) is None:
        return _page(_program(program_id), form, 422)
    flash("The level is there. Give it a rule of its own, or bring partners to it.", "success")
    return redirect(address_of_program(key) + "#levels", 303)


@blueprint.page(
    "/programs/<program_id>/levels/<level_id>", permission="programs:write", methods=("POST",)
)  # fmt: skip
def change_level(program_id: str, level_id: str) -> ResponseReturnValue:
    """Give a level another name, or remove one that nothing stands at."""
    session, key = current_session(), path_key("lvl", level_id)
    program = path_key("prg", program_id)
    if levels.get_level(session, key).program_id != program:
        raise NotFound("The programme has no such level.")
    if request.form.get("step") == "remove":
        attempt(lambda: levels.delete_level(session, key, actor()), "Removed.")
        return redirect(address_of_program(program) + "#levels", 303)
    form = LevelForm()

    def rename() -> Any:
        return levels.rename_level(session, key, _level_name(form), actor())

    if carry_out(form, rename) is None:
        return _page(_program(program_id), form, 422, key)
    flash("Saved.", "success")
    return redirect(address_of_program(program) + "#levels", 303)


def _level_name(form: LevelForm) -> str:
    try:
        return str(LevelSchema().load({"name": form.level_name.data})["name"])
    except ValidationError as error:
        raise ValidationError({"level_name": error.messages_dict["name"]}) from error


def address_of_program(key: int) -> str:
    program_id = reading.public("program", key)
    return reading.address("programs_pages.show_program", program_id=program_id)


def _program(program_id: str) -> Program:
    return service.get_program(current_session(), path_key("prg", program_id))


def _form(
    form: ProgramForm, program: Program | None = None, status: int = 200
) -> ResponseReturnValue:
    """The form of a programme; `fixed`: its time zone cannot change any more."""
    fixed = program is not None and queries.has_rules(current_session(), program.id)
    back = address_of_program(program.id) if program else _list()
    return show("programs/form.html", status, form=form, program=program, fixed=fixed,
                back_url=back)  # fmt: skip


def _list() -> str:
    return reading.address("programs_pages.list_programs")


def _page(
    program: Program, form: LevelForm, status: int = 200, renamed: int | None = None
) -> ResponseReturnValue:
    """The page, with the form of a level as it stands: of a new one, or of that renamed."""
    session = current_session()
    paging = Paging(_PARTNERS, descending=True)
    enrolled = partners.list_partners(session, paging, {"program_id": program.id})
    return show(
        "programs/show.html", status, program=program, form=form, renamed=renamed,
        program_id=reading.public("program", program.id), public=reading.public, bdi=foreign,
        levels=reading.levels_of(session, program.id), approved=APPROVED, inactive=INACTIVE,
        rules=reading.rules_now(session, reading.rules_of(session, program.id)),
        partners=[row[0] for row in enrolled.rows], more=enrolled.last is not None,
        lines=activity_of(session, "program", program.id) if may("audit:read") else None,
    )  # fmt: skip


def _fetch(session: Session, paging: Paging, _chosen: dict[str, str]) -> Page:
    page = queries.list_programs(session, paging)
    programs = [row[0] for row in page.rows]
    rules: dict[int, list[str]] = {program.id: [] for program in programs}
    for now in reading.rules_now(session, reading.rules_of(session, None)):
        if now.rule.program_id in rules and now.status == reading.IN_FORCE:
            rules[now.rule.program_id].append(now.text)
    found: Any = [(program, rules[program.id]) for program in programs]
    return Page(found, page.last)


def _rules(row: Any) -> Any:
    if not row[1]:
        return "no rule yet: pays nothing"
    more = f" and {len(row[1]) - 1} more" if len(row[1]) > 1 else ""
    return Markup("{}{}").format(row[1][0].removesuffix("."), more)


VIEW = ListView(
    title="Programmes",
    lead="What partners earn, and under which rules.",
    columns=(
        Column("Name", lambda row: foreign(row[0].name)),
        Column("Pays", _rules),
        Column("Approval", lambda row: APPROVED[row[0].approval].partition(",")[0], priority=3),
        Column("Time zone", lambda row: row[0].timezone, priority=3),
        Column("Since", lambda row: moment(row[0].created_at), priority=2),
    ),
    fetch=_fetch,
    row=lambda row: row,
    link=lambda row: address_of_program(row[0].id),
    empty=Empty("stack-2", "No programme yet.",
                "A programme is a set of rules; partners earn by those they are in.",
                by_payments=True),
)  # fmt: skip
