"""Reports as people ask for them: a form in the address, the answer of the API, its call."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import urlencode

from flask import current_app, g, request
from marshmallow import ValidationError
from sqlalchemy.orm import Session

from rewards_service.admin.guard import NotForRole
from rewards_service.admin.lists import Column
from rewards_service.admin.numbers.charts import Chart
from rewards_service.admin.pages import may
from rewards_service.exports import subjects
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import db, snapshot
from rewards_service.kit.errors import NotFound, Unprocessable
from rewards_service.kit.problems import walk
from rewards_service.kit.web import V1, current_settings

Answer = dict[str, Any]
START_OF_DAY, END_OF_DAY = "00:00:00", "23:59:59"
_MANY = ("group_by",)  # several values in the form, one with commas in the API
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True)
class Field:
    """One field of a report's form, by the name of the API's parameter.

    kind: text, date, month, choice, many, partner or program. The last two offer what there is.
    at: of a date that the API takes as a time, the time of that day, in UTC.
    """

    name: str
    title: str
    kind: str = "text"
    choices: Mapping[str, str] | None = None
    hint: str = ""
    at: str = ""

    def shown(self, value: str) -> str:
        """The day alone, of a time that this field made."""
        return value.removesuffix(f"T{self.at}Z") if self.at else value

    def meant(self, value: str) -> str | None:
        """What the API is asked for; None: the end of a day that is not over is now."""
        if not self.at or not _DAY.fullmatch(value):
            return value
        is_today = value == utc_now().date().isoformat()
        return None if is_today and self.at == END_OF_DAY else f"{value}T{self.at}Z"


class Table(NamedTuple):
    """A table of the answer."""

    title: str
    columns: Sequence[Column]
    rows: Sequence[Any]


class View(NamedTuple):
    """What is shown of an answer."""

    charts: Sequence[Chart]
    tables: Sequence[Table]


@dataclass(frozen=True)
class Report:
    """A report of the API as a page. `path` is below /api/v1, with {partner_id} where it has one.

    `defaults` stands where the address says nothing; `view` draws the answer.
    """

    title: str
    lead: str
    icon: str
    path: str
    fields: Sequence[Field]
    view: Callable[[Session, Answer], View]
    defaults: Callable[[], Mapping[str, str]] = dict
    needs: Sequence[str] = ()  # parameters without which nothing is asked yet
    asks_by_itself: bool = True  # False: it reads much, and so waits for somebody to ask


class Asked(NamedTuple):
    """A report as it was asked for: what was given, what came of it, and how a program asks."""

    given: Mapping[str, str]
    hidden: Mapping[str, str]  # given, but by no field of the form
    errors: Mapping[str, str]  # field ("": none) -> why it was refused
    answer: Answer | None
    view: View | None
    call: str | None  # the path with its query
    curl: str | None
    file: str | None  # the address of the same as a file
    following: str | None  # the address of the next page

    @property
    def status(self) -> int:
        return 422 if self.errors else 200


def ask(report: Report) -> Asked:
    """What the address asks of a report, asked."""
    given = _given()
    waits = not given and not report.asks_by_itself
    given = given or dict(report.defaults())
    own = {field.name for field in report.fields}
    hidden = {name: value for name, value in given.items() if name not in own}
    if waits or any(name not in given for name in report.needs):
        return Asked(given, hidden, {}, None, None, None, None, None, None)
    path, query = _path(report, _meant(report, given))
    try:
        with _one_moment() as session:
            answer = _answer(path, query)
            view = report.view(session, answer)
    except NotFound as error:
        return Asked(given, hidden, {"partner_id": error.detail}, *[None] * 6)
    except ValidationError as error:
        return Asked(given, hidden, _placed(list(walk(error.messages, "")), own), *[None] * 6)
    except Unprocessable as error:
        return Asked(given, hidden, _placed(error.errors, own), *[None] * 6)
    asked = f"?{urlencode(query)}" if query else ""
    address = f"{current_settings().base_url}{V1}{path}{asked}"
    curl = f'curl -H "Authorization: Bearer $REWARDS_API_KEY" "{address}"'
    return Asked(
        given, hidden, {}, answer, view, f"{V1}{path}{asked}", curl, f"/files{path}{asked}",
        _following(answer),
    )  # fmt: skip


def _given() -> dict[str, str]:
    """The parameters of the address as the API has them; empty fields are not given."""
    found = {}
    for name in request.args:
        values = [value for value in request.args.getlist(name) if value]
        if values and name not in ("cursor", "format"):
            found[name] = ",".join(values) if name in _MANY else values[0]
    return found


def _meant(report: Report, given: Mapping[str, str]) -> dict[str, str]:
    """What was given, with the times that days stand for."""
    fields = {field.name: field for field in report.fields}
    found = {
        name: fields[name].meant(value) if name in fields else value
        for name, value in given.items()
    }
    return {name: value for name, value in found.items() if value is not None}


def _path(report: Report, given: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """The path with what belongs into it, and the parameters that are left."""
    inside = {name: given[name] for name in given if f"{{{name}}}" in report.path}
    path = report.path.format(**{name: value[:100] for name, value in inside.items()})
    return path, {name: value for name, value in given.items() if name not in inside}


def _answer(path: str, query: Mapping[str, str]) -> Answer:
    subject = subjects.find(path)
    if subject is None:
        raise NotFound("There is no such partner.")
    scope = vars(current_app.view_functions[subject.endpoint])["scope"]
    if not may(scope):
        raise NotForRole("Your role does not include this report.")
    cursor = {"cursor": request.args["cursor"]} if request.args.get("cursor") else {}
    return subject.table.answer(subject.table.load({**query, **cursor}), subject.ids)


def _placed(errors: Sequence[Mapping[str, str]], own: set[str]) -> dict[str, str]:
    """Field -> what is wrong with it; what belongs to no field stands under "", by its name."""
    found: dict[str, str] = {}
    for error in errors:
        name = error["pointer"].strip("/")
        said = error["detail"] if name in own else f"{name}: {error['detail']}"
        place = name if name in own else ""
        found[place] = " ".join(filter(None, (found.get(place), said)))
    return found


def _following(answer: Answer) -> str | None:
    cursor = answer.get("next_cursor")
    if not cursor:
        return None
    same = [pair for pair in request.args.items(multi=True) if pair[0] != "cursor"]
    return f"{request.path}?{urlencode([*same, ('cursor', cursor)])}"


@contextmanager
def _one_moment() -> Iterator[Session]:
    """A session whose reads see one state, in place of the request's: sums must agree."""
    own = g.session
    with snapshot(db.engine) as session:
        g.session = session
        try:
            yield session
        finally:
            g.session = own
