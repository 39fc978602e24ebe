"""What is held here of a site, compared with what Chargebee has."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from markupsafe import Markup
from sqlalchemy.orm import Session
from wtforms import BooleanField, DateField
from wtforms.validators import Optional

from rewards_service.admin.activity import names_of
from rewards_service.admin.connect.frame import (
    ONE,
    READ,
    WRITE,
    address,
    back_to,
    blueprint,
    frame,
    key_of,
)
from rewards_service.admin.connect.wording import (
    COUNTED,
    LINES,
    REPAIRS,
    difference,
    named,
    note_words,
    outcome,
    period,
    status_badge,
)
from rewards_service.admin.doing import attempt, carry_out, read_as
from rewards_service.admin.layout import day, moment, money
from rewards_service.admin.lists import Column, Empty, ListView
from rewards_service.admin.pages import actor, show
from rewards_service.admin.places import link_to
from rewards_service.integrations.service import get_integration
from rewards_service.kit import bells, ids
from rewards_service.kit.errors import NotFound
from rewards_service.kit.pages import Page, Paging
from rewards_service.kit.queue import RECONCILIATIONS
from rewards_service.kit.web import current_session, path_key
from rewards_service.reconciliation import service
from rewards_service.reconciliation.models import (
    RUNNING,
    WAITING,
    Reconciliation,
    ReconciliationRow,
)
from rewards_service.reconciliation.reasons import REASONS, words
from rewards_service.reconciliation.schemas import ReconcileSchema
from rewards_service.reconciliation.service import NIGHTLY
from rewards_service.reconciliation.showing import show_runs

TAB = "list_reconciliations"
AT_WORK = (WAITING, RUNNING)
HERE = f"{ONE}/reconciliation"


class CompareForm(FlaskForm):  # type: ignore[misc]
    """Which period, and whether to mend. The fields have the names of the API's members."""

    from_ = DateField("From", [Optional()], name="from")
    to = DateField("To", [Optional()])
    repair = BooleanField(
        "Mend what is safe",
        description="Reads missing events again and retries those that failed. Nothing is written "
        "into the books directly.",
    )


@blueprint.page(HERE, permission=READ)
def list_reconciliations(integration_id: str) -> ResponseReturnValue:
    """The comparisons, those of the nights too."""
    return _list(integration_id, CompareForm(formdata=None))


@blueprint.page(HERE, permission=WRITE, methods=("POST",))
def compare(integration_id: str) -> ResponseReturnValue:
    """Have a worker compare the site with what is held here."""
    form, key = CompareForm(), key_of(integration_id)
    get_integration(current_session(), key)
    run = carry_out(form, lambda: _ask(key, form))
    if run is None:
        return _list(integration_id, form, 422)
    run_id = run.id
    current_session().commit()  # before a worker looks for it
    bells.ring(RECONCILIATIONS)
    return _to(integration_id, run_id)


def _ask(key: int, form: CompareForm) -> Reconciliation:
    fields = {"from": form.from_.data, "to": form.to.data}
    days = {name: day and day.isoformat() for name, day in fields.items()}
    wanted = read_as(ReconcileSchema(), {**days, "repair": form.repair.data})
    return service.ask(current_session(), key, actor(), **wanted)


def _to(integration_id: str, run_id: int) -> ResponseReturnValue:
    name = ids.encode("rec", run_id)
    return back_to("show_reconciliation", integration_id, reconciliation_id=name)


def _list(integration_id: str, form: CompareForm, status: int = 200) -> ResponseReturnValue:
    values, key = frame(integration_id, TAB), key_of(integration_id)
    view = ListView(
        title="Comparisons",
        columns=(
            Column("Asked", lambda one: _link(integration_id, one)),
            Column("Period (UTC)", period, priority=2),
            Column("State", lambda one: status_badge(one["state"])),
            Column("Result", outcome),
            Column("By", lambda one: one["by"], priority=3),
        ),
        fetch=lambda session, paging, _chosen: _told(session, paging, key),
        empty=Empty(
            "git-compare",
            "Nothing was compared yet.",
            "It is done every night once there is an API key.",
        ),
    )
    return show("connect/reconciliations.html", status, **values, **view.values(), form=form)


def _told(session: Session, paging: Paging, key: int) -> Page:
    page = service.list_runs(session, paging, key)
    rows: Any = [(one,) for one in _shown(session, [row[0] for row in page.rows])]
    return Page(rows, page.last)


def _shown(session: Session, runs: Sequence[Reconciliation]) -> list[dict[str, Any]]:
    """Comparisons with who asked, as people say it."""
    shown = show_runs(session, runs)
    names = names_of(session, {one["asked_by"] for one in shown} - {NIGHTLY})
    names[NIGHTLY] = "the nightly run"
    return [{**one, "by": names[one["asked_by"]]} for one in shown]


def _link(integration_id: str, one: Mapping[str, Any]) -> Markup:
    name = ids.encode("rec", one["id"])
    place = address("show_reconciliation", integration_id, reconciliation_id=name)
    return Markup('<a href="{}">{}</a>').format(place, moment(one["asked_at"]))


@blueprint.page(f"{HERE}/<reconciliation_id>", permission=READ)
def show_reconciliation(integration_id: str, reconciliation_id: str) -> ResponseReturnValue:
    """One comparison: both sides in sums, and each object in which they differ."""
    run = _run(integration_id, reconciliation_id)
    one = _shown(current_session(), [run])[0]
    view = ListView(
        title="Differences", columns=DIFFERENCES,
        fetch=lambda session, paging, _chosen: service.list_rows(session, run.id, paging),
        empty=Empty("circle-check", "No difference.") if one["state"] == "done"
        else Empty("hourglass", "It is still being compared."),
    )  # fmt: skip
    return show(
        "connect/reconciliation.html", **frame(integration_id, TAB), **view.values(),
        run=one, run_id=reconciliation_id, period=period(one), outcome=outcome(one),
        differing=[(name, one["counts"].get(name, 0)) for name in COUNTED],
        notes=[(note_words(name), count) for name, count in sorted(one["notes"].items())],
        lines=LINES, repaired=[(REPAIRS[k], n) for k, n in (one["repaired"] or {}).items()],
        at_work=one["state"] in AT_WORK,
    )  # fmt: skip


@blueprint.page(f"{HERE}/<reconciliation_id>/state", permission=READ)
def show_reconciliation_state(integration_id: str, reconciliation_id: str) -> ResponseReturnValue:
    """Where it is, as a part of the page, which asks again until it is done."""
    one = _shown(current_session(), [_run(integration_id, reconciliation_id)])[0]
    values = frame(integration_id, TAB)
    return show(
        "connect/reconciliation_state.html", **values, run=one, run_id=reconciliation_id,
        at_work=one["state"] in AT_WORK, just_ended=one["state"] not in AT_WORK,
    )  # fmt: skip


@blueprint.page(f"{HERE}/<reconciliation_id>/repair", permission=WRITE, methods=("POST",))
def repair(integration_id: str, reconciliation_id: str) -> ResponseReturnValue:
    """Compare the same period again, and mend what is safe."""
    run, session = _run(integration_id, reconciliation_id), current_session()
    asked: list[Reconciliation] = []

    def again() -> None:
        one = show_runs(session, [run])[0]
        last = one["before_at"] and one["before_at"].date() - timedelta(days=1)
        asked.append(service.ask(
            session, run.integration_id, actor(), repair=True, to_on=last,
            from_on=one["from_at"] and one["from_at"].date(),
        ))  # fmt: skip

    if not attempt(again, "The same period is compared once more, and mended where it is safe."):
        return back_to(TAB, integration_id)
    run_id = asked[0].id
    session.commit()
    bells.ring(RECONCILIATIONS)
    return _to(integration_id, run_id)


def _run(integration_id: str, reconciliation_id: str) -> Reconciliation:
    """A comparison of this site. Raises NotFound."""
    session, key = current_session(), key_of(integration_id)
    get_integration(session, key)
    run = service.get_run(session, path_key("rec", reconciliation_id))
    if run.integration_id != key:
        raise NotFound("This site has no such comparison.")
    return run


def _cause(row: ReconciliationRow) -> Markup:
    """Why they differ; with the event that is to blame, and the facts on both sides."""
    event = row.received_event_id
    said = Markup("{}").format(words(row.reason, "", row.detail).replace("  ", " "))
    if event is not None:
        said += Markup(" {}").format(link_to("event", event))
    facts = Markup("").join(map(difference, row.differences))
    if facts:
        said += Markup('<ul class="facts-small">{}</ul>').format(facts)
    return Markup("<div>{}</div>").format(said)


def _amount(minor: int | None, currency: str | None) -> str:
    return "-" if minor is None or currency is None else money(minor, currency)


DIFFERENCES = (
    Column("Object", lambda row: named(row.kind or row.section, row.external_id)),
    Column("Dated", lambda row: day(row.dated_at), priority=3),
    Column("Is", lambda row: status_badge(row.state)),
    Column("Chargebee", lambda row: _amount(row.there_minor, row.currency), align="end"),
    Column("Here", lambda row: _amount(row.here_minor, row.currency), align="end"),
    Column("Why", _cause),
    Column("Repair", lambda row: REPAIRS[REASONS[row.reason].repair], priority=2),
)
