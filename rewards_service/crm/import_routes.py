"""/api/v1/leads/import and /api/v1/deals/import."""

from collections.abc import Callable
from typing import Any

from flask import request
from marshmallow import Schema, fields, validate
from werkzeug.exceptions import RequestEntityTooLarge

from rewards_service.accounts.auth import current_actor
from rewards_service.crm.deal_routes import blueprint as deals
from rewards_service.crm.import_rows import DEALS, LEADS, Kind
from rewards_service.crm.importing import MAX_BYTES, RESULTS, Done, counts, import_rows
from rewards_service.crm.lead_routes import WRITE
from rewards_service.crm.lead_routes import blueprint as leads
from rewards_service.kit.db import rehearsal
from rewards_service.kit.errors import RewardsError
from rewards_service.kit.fields import Choice, PublicId, StrictSchema
from rewards_service.kit.web import current_session, max_body

BLUEPRINTS = (leads, deals)  # with the operations added here


class NotCsv(RewardsError):
    status = 415
    code = "not_csv"
    title = "The body must be CSV."


class ImportQuerySchema(StrictSchema):
    dry_run = fields.String(load_default="false", validate=validate.OneOf(("true", "false")))


def _report(name: str, prefix: str) -> type[Schema]:
    row = {
        "line": fields.Integer(),
        "result": Choice(RESULTS),
        "id": PublicId(prefix, allow_none=True),
        "external_id": fields.String(allow_none=True),
    }
    rows = fields.List(fields.Nested(type(f"{name}ImportedSchema", (Schema,), row)))
    members = {"dry_run": fields.Boolean(), "rows": fields.Integer(), "results": rows}
    members |= {result: fields.Integer() for result in RESULTS}
    return type(f"{name}ImportSchema", (Schema,), members)


@leads.operation(
    "POST", "/leads/import", scope=WRITE, query=ImportQuerySchema, csv_bytes=MAX_BYTES,
    answer=_report("Lead", "led"),
)  # fmt: skip
def import_leads(query: dict[str, Any]) -> Any:
    """Register or change leads from a CSV file, all or none; `dry_run` only says what would be."""
    return _imported(LEADS, query)


@deals.operation(
    "POST", "/deals/import", scope=WRITE, query=ImportQuerySchema, csv_bytes=MAX_BYTES,
    answer=_report("Deal", "dea"),
)  # fmt: skip
def import_deals(query: dict[str, Any]) -> Any:
    """Register or change deals from a CSV file, all or none; `dry_run` only says what would be."""
    return _imported(DEALS, query)


def _imported(kind: Kind, query: dict[str, Any]) -> dict[str, Any]:
    body, session = _csv(), current_session()
    if query["dry_run"] == "false":
        return _shown(import_rows(session, kind, body, current_actor()), lambda key: key)
    with rehearsal(session):
        done = import_rows(session, kind, body, current_actor())
        known = {one.thing.id for one in done if one.result != RESULTS[0]}
        shown = _shown(done, lambda key: key if key in known else None)
    return {**shown, "dry_run": True}


def _csv() -> bytes:
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if request.mimetype != "text/csv" or charset not in ("utf-8", "utf8", "us-ascii"):
        raise NotCsv("Send the file as the body, in UTF-8, with Content-Type: text/csv.")
    body = request.get_data()
    if request.content_length is None and len(body) >= max_body():  # chunked, and cut off there
        raise RequestEntityTooLarge
    return body


def _shown(done: list[Done], shown_id: Callable[[int], int | None]) -> dict[str, Any]:
    results = [
        {
            "line": one.line,
            "result": one.result,
            "id": shown_id(one.thing.id),
            "external_id": one.thing.external_id,
        }
        for one in done
    ]
    return {"dry_run": False, "rows": len(done), "results": results, **counts(done)}
