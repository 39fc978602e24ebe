"""Leads and deals from a CSV file: what would be made first, then all rows or none.

The file travels with the page that shows what would be made, sealed: what is confirmed is what
was looked at, by whom it was looked at, and nothing is kept on the way.
"""

import binascii
import zlib
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from marshmallow import ValidationError
from wtforms import FileField

from rewards_service.admin.business import columns, deal_routes, lead_routes
from rewards_service.admin.business.fields import ChangedMeanwhile
from rewards_service.admin.business.naming import Names
from rewards_service.admin.cells import foreign
from rewards_service.admin.doing import carry_out
from rewards_service.admin.pages import Pages, actor, show
from rewards_service.crm.import_rows import DEALS, LEADS, Kind
from rewards_service.crm.importing import MAX_BYTES, Done, counts, import_rows
from rewards_service.kit import crypto
from rewards_service.kit.db import rehearsal
from rewards_service.kit.errors import BadRequest, RewardsError
from rewards_service.kit.web import current_session, current_settings

BLUEPRINTS = (lead_routes.blueprint, deal_routes.blueprint)  # with the pages added here
WRITE = lead_routes.WRITE
MOST_SHOWN = 100  # rows or flaws
_SEAL = 32
# The file once, or packed and in base64; and what a form has beside it.
_MOST_SENT = 2 * MAX_BYTES


class StaleFile(BadRequest):
    code = "stale_file"
    title = "Choose the file again."


class Subject(NamedTuple):
    """One kind of rows, and where its pages are."""

    kind: Kind
    pages: Pages
    title: str
    sample: str


OF_LEADS = Subject(LEADS, lead_routes.blueprint, "Leads", "own/samples/leads.csv")
OF_DEALS = Subject(DEALS, deal_routes.blueprint, "Deals", "own/samples/deals.csv")


class FileForm(FlaskForm):  # type: ignore[misc]
    """The file."""

    file = FileField(
        "CSV file", render_kw={"accept": ".csv,text/csv"},
        description="In UTF-8, cells separated by comma, semicolon or tab. Up to 10,000 rows and "
        "5 MiB. The first line names the columns.",
    )  # fmt: skip


class Shown(NamedTuple):
    """What would become of a file."""

    sums: dict[str, int]
    rows: list[dict[str, Any]]
    more: int
    sealed: str


@lead_routes.blueprint.page("/import", permission=WRITE)
def import_leads() -> ResponseReturnValue:
    """What a file of leads looks like, and a place for it."""
    return _page(OF_LEADS, FileForm())


@deal_routes.blueprint.page("/import", permission=WRITE)
def import_deals() -> ResponseReturnValue:
    """What a file of deals looks like, and a place for it."""
    return _page(OF_DEALS, FileForm())


@lead_routes.blueprint.page("/import", permission=WRITE, methods=("POST",))
def take_leads() -> ResponseReturnValue:
    """Say what a file of leads would make; make it once that was confirmed."""
    return _take(OF_LEADS)


@deal_routes.blueprint.page("/import", permission=WRITE, methods=("POST",))
def take_deals() -> ResponseReturnValue:
    """Say what a file of deals would make; make it once that was confirmed."""
    return _take(OF_DEALS)


take_leads.max_body = take_deals.max_body = _MOST_SENT  # type: ignore[attr-defined]


def _take(subject: Subject) -> ResponseReturnValue:
    form = FileForm()
    flaws: list[dict[str, Any]] = []
    body = None
    if "sealed" in request.form:
        body, expected = _open(subject, request.form["sealed"])
        if _refusals(form, flaws, lambda: _import(subject, body, expected)) is not None:
            return redirect(url_for(f"{subject.pages.name}.list_{subject.title.lower()}"))
    wanted = body
    shown = _refusals(form, flaws, lambda: _rehearse(subject, wanted or _uploaded(form)))
    failed = shown is None or body is not None
    return _page(subject, form, shown, flaws, 422 if failed else 200)


def _refusals(form: FileForm, flaws: list[dict[str, Any]], action: Any) -> Any:
    """As `carry_out`; what is wrong with lines of the file goes to `flaws`."""

    def act() -> Any:
        try:
            return action()
        except RewardsError as error:
            lines = [one for one in error.errors if "line" in one]
            if not lines:
                raise
            flaws[:] = lines
            raise type(error)(error.detail) from error

    return carry_out(form, act)


def _uploaded(form: FileForm) -> bytes:
    # A form that was sent without `multipart/form-data` has the name of the file at best.
    if not getattr(form.file.data, "filename", ""):
        raise ValidationError({"file": ["Choose a file."]})
    body: bytes = form.file.data.read(MAX_BYTES + 1)
    if len(body) > MAX_BYTES:
        raise ValidationError({"file": ["The file is larger than 5 MiB: split it."]})
    return body


def _rehearse(subject: Subject, body: bytes) -> Shown:
    """What the file would make; nothing is made."""
    session = current_session()
    with rehearsal(session):
        done = import_rows(session, subject.kind, body, actor())
        sums = counts(done)
        names = Names(session, [one.thing.partner_id for one in done[:MOST_SHOWN]])
        rows = [_row(one, names) for one in done[:MOST_SHOWN]]
    return Shown(sums, rows, len(done) - len(rows), _seal(subject, body, sums))


def _row(one: Done, names: Names) -> dict[str, Any]:
    thing = one.thing
    is_lead = hasattr(thing, "company")
    return {
        "line": one.line,
        "result": one.result,
        "name": foreign(thing.email if is_lead else thing.name),
        "state": thing.status if is_lead else thing.stage,
        "partner": names.partner(thing.partner_id),
        # In whole units: who wrote 1250 for 1250.00 sees what it would be.
        "amount": None if is_lead else deal_routes.amount_of(thing),
        "external_id": foreign(thing.external_id) if thing.external_id else "-",
    }


def _import(subject: Subject, body: bytes, expected: Mapping[str, int]) -> Sequence[Done]:
    done = import_rows(current_session(), subject.kind, body, actor())
    made = counts(done)
    if made != expected:
        raise ChangedMeanwhile(
            "Somebody changed something meanwhile, so the file would do something else than was "
            "shown. Nothing was imported: look at what it would do now."
        )
    words = {"created": "registered", "updated": "changed", "unchanged": "as before"}
    said = ", ".join(f"{made[name]} {word}" for name, word in words.items())
    flash(f"Imported {len(done)} rows: {said}.", "success")
    return done


def _seal(subject: Subject, body: bytes, sums: Mapping[str, int]) -> str:
    """The file and what was shown of it, for the next request."""
    told = ",".join(str(sums[name]) for name in sorted(sums)).encode()
    raw = zlib.compress(told + b"\n" + body, level=1)
    return b64encode(_digest(subject, raw) + raw).decode()


def _open(subject: Subject, sealed: str) -> tuple[bytes, dict[str, int]]:
    """(file, counts that were shown). Raises StaleFile for what was not sealed here, for this."""
    try:
        opened = b64decode(sealed, validate=True)
    except (binascii.Error, ValueError):
        opened = b""
    seal, raw = opened[:_SEAL], opened[_SEAL:]
    if not crypto.same(seal, _digest(subject, raw)):
        raise StaleFile("It did not come back as it was shown to you. Nothing was imported.")
    told, _, body = zlib.decompress(raw).partition(b"\n")
    names = sorted(("created", "updated", "unchanged"))
    return body, {name: int(text) for name, text in zip(names, told.split(b","), strict=True)}


def _digest(subject: Subject, raw: bytes) -> bytes:
    """Only who looked at it may confirm it, and only as what it was."""
    purpose = f"import:{subject.kind.name}:{actor()}"
    return crypto.digest(current_settings().secret_key, purpose, raw)[:_SEAL]


def _page(
    subject: Subject, form: FileForm, shown: Shown | None = None,
    flaws: Sequence[dict[str, Any]] = (), code: int = 200,
) -> ResponseReturnValue:  # fmt: skip
    return show(
        "business/import.html", code, subject=subject, form=form, shown=shown,
        flaws=flaws[:MOST_SHOWN], more_flaws=max(len(flaws) - MOST_SHOWN, 0),
        columns=columns.OF[subject.kind.name], required=subject.kind.required,
        back=url_for(f"{subject.pages.name}.list_{subject.title.lower()}"), foreign=foreign,
    )  # fmt: skip
