"""Reports: those of the API, each with a picture, its table, a file, and the call that gives it."""

from typing import Any

from flask import request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.admin.layout import address_of
from rewards_service.admin.numbers import asking
from rewards_service.admin.numbers.asking import Report
from rewards_service.admin.numbers.report_list import REPORTS
from rewards_service.admin.pages import Pages, show
from rewards_service.kit import ids
from rewards_service.kit.web import current_session
from rewards_service.partners.models import Partner
from rewards_service.programs.models import Program

blueprint = Pages("reports_pages", url_prefix="/reports")
MOST_OFFERED = 200  # of more partners one is asked for by its id


@blueprint.page("", permission="reports:read")
def list_reports() -> ResponseReturnValue:
    """All reports, and what each answers."""
    return show("reports/index.html", reports=[
        (report, address_of(f"reports_pages.show_{name}")) for name, report in REPORTS.items()
    ])  # fmt: skip


def _publish(name: str) -> None:
    """A page of its own for a report, whose endpoint is `show_NAME`."""

    def view() -> ResponseReturnValue:
        return _page(name)

    view.__name__, view.__doc__ = f"show_{name}", REPORTS[name].lead
    blueprint.page(f"/{name}", permission="reports:read")(view)


for _name in REPORTS:
    _publish(_name)


def _page(name: str) -> ResponseReturnValue:
    report = REPORTS[name]
    asked = asking.ask(report)
    return show(
        "reports/report.html", asked.status, report=report, asked=asked,
        choices=_choices(current_session(), report),
        tabs=[
            (other.title, address_of(f"reports_pages.show_{key}"), other is report)
            for key, other in REPORTS.items()
        ],
        first_url=request.path if "cursor" in request.args else None,
        rates=address_of("settings_pages.list_rates"),
    )  # fmt: skip


def _choices(session: Session, report: Report) -> dict[str, Any]:
    """Field -> what it offers; a field that is not here takes any text."""
    found: dict[str, Any] = {
        field.name: field.choices for field in report.fields if field.choices is not None
    }
    for field in report.fields:
        if field.kind in ("partner", "program"):
            model, prefix = (Partner, "par") if field.kind == "partner" else (Program, "prg")
            offered = _offered(session, model, prefix)
            if offered is not None:
                found[field.name] = offered
    return found


def _offered(session: Session, model: Any, prefix: str) -> dict[str, str] | None:
    """Id -> name, by name; None where there are too many to choose from."""
    query = select(model.id, model.name).order_by(model.id).limit(MOST_OFFERED + 1)
    rows = session.execute(query).all()
    if len(rows) > MOST_OFFERED:
        return None
    rows = sorted(rows, key=lambda row: row.name.casefold())
    return {ids.encode(prefix, row.id): row.name for row in rows}
