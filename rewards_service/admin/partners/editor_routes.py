"""The rule editor: what a rule says, what that would have cost, and its next version."""

from typing import Any

from flask import flash, redirect, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from rewards_service.admin.cells import foreign
from rewards_service.admin.doing import carry_out
from rewards_service.admin.pages import actor, show
from rewards_service.admin.partners import drafting, reading, rule_words
from rewards_service.admin.partners.drafting import Subject
from rewards_service.admin.partners.programs_routes import blueprint
from rewards_service.admin.partners.rule_forms import RuleForm
from rewards_service.admin.partners.rule_rows import rows
from rewards_service.kit.web import current_session, path_key
from rewards_service.programs import queries, service, terms

REVIEW, PUBLISH = "review", "publish"


@blueprint.page("/programs/<program_id>/rules/new", permission="programs:write")
def new_rule(program_id: str) -> ResponseReturnValue:
    """An empty editor."""
    subject = _of_program(program_id)
    return _editor(subject, drafting.opened(current_session(), subject, None))


@blueprint.page(
    "/programs/<program_id>/rules/new", permission="programs:write", methods=("POST",)
)  # fmt: skip
def create_rule(program_id: str) -> ResponseReturnValue:
    """Show what is about to be published; then make the rule."""
    return _step(_of_program(program_id))


@blueprint.page(
    "/programs/<program_id>/rules/preview", permission="programs:write", methods=("POST",)
)  # fmt: skip
def preview_new_rule(program_id: str) -> ResponseReturnValue:
    """What the rule in the editor would have given: a part of the page."""
    return _preview(_of_program(program_id))


@blueprint.page("/rules/<rule_id>/edit", permission="programs:write")
def edit_rule(rule_id: str) -> ResponseReturnValue:
    """The editor with the newest version, or the one that is asked for."""
    session, subject = current_session(), _of_rule(rule_id)
    versions = queries.versions_of(session, [path_key("rul", rule_id)]).popitem()[1]
    asked = request.args.get("version", "")
    chosen = next((one for one in versions if str(one.version) == asked), versions[-1])
    form = drafting.opened(session, subject, terms.members_of(chosen))
    return _editor(subject, form, again=None if chosen is versions[-1] else chosen.version)


@blueprint.page("/rules/<rule_id>/edit", permission="programs:write", methods=("POST",))
def change_rule(rule_id: str) -> ResponseReturnValue:
    """Show what is about to be published; then publish the next version."""
    return _step(_of_rule(rule_id))


@blueprint.page("/rules/<rule_id>/preview", permission="programs:write", methods=("POST",))
def preview_rule(rule_id: str) -> ResponseReturnValue:
    """What the rule in the editor would have given: a part of the page."""
    return _preview(_of_rule(rule_id))


def _of_program(program_id: str) -> Subject:
    return Subject(service.get_program(current_session(), path_key("prg", program_id)))


def _of_rule(rule_id: str) -> Subject:
    return drafting.subject_of(current_session(), path_key("rul", rule_id))


def _step(subject: Subject) -> ResponseReturnValue:
    """What the button that was pressed asks: a row more or less, numbers, a review, the version."""
    step = request.form.get("step", REVIEW)
    session = current_session() if step == PUBLISH else reading.reading_only()
    form, kept = drafting.sent(session, subject)
    if step == "preview":
        return _editor(subject, form, panel=drafting.panel(session, subject, form))
    if step not in (REVIEW, PUBLISH):
        return _editor(subject, form)
    if step == PUBLISH:
        return _publish(subject, form)

    def look() -> dict[str, Any]:
        asked = drafting.wanted(form, subject)
        drafting.check(session, subject, asked)
        return asked

    asked = carry_out(form, look)
    if asked is None:
        return _editor(_again(subject), form, 422)
    kept.poplist("csrf_token")
    kept.poplist("step")
    return show(
        "rules/review.html", subject=subject, sent=kept, since=asked.get("effective_from"),
        when=form.when.data, changes=drafting.differences(subject, asked),
        text=rule_words.headline(drafting.members(subject, asked)),
        groups=rule_words.terms(drafting.members(subject, asked)),
        name=asked["name"], panel=drafting.panel(session, subject, form), **_addresses(subject),
    )  # fmt: skip


def _publish(subject: Subject, form: RuleForm) -> ResponseReturnValue:
    session = current_session()
    rule = carry_out(
        form,
        lambda: drafting.publish(session, subject, drafting.wanted(form, subject), actor()),
    )
    if rule is None:
        return _editor(_again(subject), form, 422)
    number = drafting.subject_of(session, rule.id).version
    said = Markup("Published: {}, version {}.").format(foreign(rule.name), number)
    flash(said, "success")
    session.commit()
    return redirect(_rule_address(rule.id), 303)


def _again(subject: Subject) -> Subject:
    """The subject after what was tried with it was rolled back."""
    if subject.rule is None:
        return Subject(service.get_program(current_session(), subject.program.id))
    return drafting.subject_of(current_session(), subject.rule.id)


def _preview(subject: Subject) -> ResponseReturnValue:
    session = reading.reading_only()
    form, _ = drafting.sent(session, subject)
    panel = drafting.panel(session, subject, form, drafting.LIVE_INVOICES)
    return show("rules/preview.html", panel=panel, **_addresses(subject))


def _editor(
    subject: Subject, form: RuleForm, status: int = 200, **more: Any
) -> ResponseReturnValue:
    return show(
        "rules/edit.html", status, subject=subject, form=form,
        rows_of=lambda kind: rows(form, kind), **_addresses(subject), **more,
    )  # fmt: skip


def _addresses(subject: Subject) -> dict[str, Any]:
    """Where the editor's form goes, its preview, and where one comes back to."""
    program = reading.public("program", subject.program.id)
    to_program = reading.address("programs_pages.show_program", program_id=program)
    if subject.rule is None:
        here = {
            "edit_url": reading.address("programs_pages.create_rule", program_id=program),
            "preview_url": reading.address("programs_pages.preview_new_rule", program_id=program),
            "back_url": to_program,
        }  # fmt: skip
    else:
        rule = reading.public("reward_rule", subject.rule.id)
        here = {
            "edit_url": reading.address("programs_pages.change_rule", rule_id=rule),
            "preview_url": reading.address("programs_pages.preview_rule", rule_id=rule),
            "back_url": _rule_address(subject.rule.id),
        }  # fmt: skip
    return {**here, "program_url": to_program}


def _rule_address(rule_id: int) -> str:
    rule = reading.public("reward_rule", rule_id)
    return reading.address("programs_pages.show_rule", rule_id=rule)
