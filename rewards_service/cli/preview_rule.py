"""`rewards preview-rule`: what a change of a rule would have cost, with no limit of size."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import click
import orjson
from marshmallow import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.cli.answers import answer, as_json_option
from rewards_service.cli.databases import snapshot, start
from rewards_service.kit import ids
from rewards_service.kit.errors import NotFound
from rewards_service.kit.money import format_minor
from rewards_service.partners.models import Partner
from rewards_service.programs.schemas import RuleSchema
from rewards_service.rewards.preview import Preview, preview
from rewards_service.rewards.preview_routes import RulePreviewAnswerSchema, shown

DAY = click.DateTime(["%Y-%m-%d"])


@click.command("preview-rule")
@click.argument("rule")
@click.argument("changes", metavar="JSON")
@click.option("--from", "from_on", type=DAY, help="First day of payments; default: a year back.")
@click.option("--until", "until_on", type=DAY, help="Last day of payments; default: today.")
@as_json_option
def preview_rule(
    rule: str, changes: str, from_on: datetime | None, until_on: datetime | None, as_json: bool
) -> None:
    """Show what a change of RULE would have given for past payments. Nothing is changed.

    JSON is what PATCH /api/v1/reward-rules/{id} would take, such as '{"rate": "0.25"}'.
    """
    key = ids.decode("rul", rule)
    if key is None:
        raise NotFound(f"There is no rule {rule}: rules look like rul_....")
    wanted = _read(changes)
    with snapshot(start()) as session:
        found = preview(session, key, wanted, _day(from_on), _day(until_on), most=None)
        names = _names(session, found)
    rendered: dict[str, Any] = RulePreviewAnswerSchema().dump(shown(found))
    answer(as_json, rendered, _lines(found, names))


def _day(given: datetime | None) -> date | None:
    return given and given.date()


def _read(changes: str) -> dict[str, Any]:
    schema = RuleSchema(partial=True, exclude=("program_id", "level_id"))
    try:
        wanted: dict[str, Any] = schema.load(orjson.loads(changes))
    except orjson.JSONDecodeError as problem:
        raise click.BadParameter(f"Not JSON: {problem}.", param_hint="JSON") from problem
    except ValidationError as problem:
        raise click.BadParameter(str(problem.messages), param_hint="JSON") from problem
    return wanted


def _names(session: Session, found: Preview) -> dict[int, str]:
    partners = {partner for partner, _ in found.partners}
    query = select(Partner.id, Partner.name).where(Partner.id.in_(partners))
    return {row.id: row.name for row in session.execute(query)}


def _lines(found: Preview, names: dict[int, str]) -> Iterator[str]:
    rule = ids.encode("rul", found.rule_id)
    yield f"{rule}, version {found.version}, against the draft: payments of {found.from_on} to"
    yield f"{found.until_on}, {found.invoice_count} invoices, {found.changed_count} of them differ."
    yield f"  {'partner':<32} {'now':>18} {'draft':>18} {'difference in all':>18}"
    for (partner, currency), amounts in found.partners.items():
        yield _line(names.get(partner, ids.encode("par", partner)), currency, amounts)
    for currency, amounts in sorted(found.totals.items()):
        yield _line("all partners", currency, amounts)


def _line(name: str, currency: str, amounts: Any) -> str:
    shown_ = (
        format_minor(value, currency)
        for value in (amounts.current_minor, amounts.draft_minor, amounts.difference_minor)
    )
    return f"  {name:<32} " + " ".join(f"{text:>18}" for text in shown_)
