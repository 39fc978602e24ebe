"""A rule in the editor: its form, what the form makes of it, what that would have cost."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from flask import request
from marshmallow import ValidationError
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from rewards_service.admin.partners import reading, rule_reading, rule_words
from rewards_service.admin.partners.form_fields import options
from rewards_service.admin.partners.rule_forms import NOW, RuleForm
from rewards_service.admin.partners.rule_rows import compact, sized
from rewards_service.kit import ids
from rewards_service.kit.clock import utc_now
from rewards_service.kit.errors import Conflict, RewardsError
from rewards_service.kit.problems import walk
from rewards_service.programs import queries, service, terms
from rewards_service.programs.models import Program, RewardRule, RewardRuleVersion
from rewards_service.programs.rule_schemas import MAX_STEPS
from rewards_service.programs.schemas import RuleSchema
from rewards_service.rewards.preview import (
    MOST_INVOICES,
    Amounts,
    Preview,
    TooMuchToPreview,
    preview,
    preview_new,
)

LIVE_INVOICES = 1_000  # while somebody types
_PRESS = (
    f"More than {LIVE_INVOICES:,} invoices: that takes a while. Press Work out, or choose a "
    "shorter time."
)
_SHOWN = 8  # partners and payments of a preview
_SCHEMA = RuleSchema(exclude=("program_id", "level_id"))
Wanted = dict[str, Any]
_MEANWHILE = "Somebody published another version meanwhile. Look at it, then change it again."


class Subject(NamedTuple):
    """The rule that is edited, by its newest version; without them a new one of the programme."""

    program: Program
    rule: RewardRule | None = None
    newest: RewardRuleVersion | None = None

    @property
    def version(self) -> int:
        return self.newest.version if self.newest else 0


class Panel(NamedTuple):
    """A preview as the page shows it, or why there is none."""

    found: Preview | None
    totals: list[tuple[str, Amounts]]
    partners: list[tuple[int, str, str, Amounts]]  # key, name, currency
    invoices: list[tuple[str, int, str, str, Amounts]]  # Chargebee's id, then as above
    problems: list[str]
    too_much: bool = False


def subject_of(session: Session, rule_id: int) -> Subject:
    """Raises NotFound."""
    rule = service.get_rule(session, rule_id)
    program = service.get_program(session, rule.program_id)
    return Subject(program, rule, queries.versions_of(session, [rule.id])[rule.id][-1])


def opened(session: Session, subject: Subject, rule: Mapping[str, Any] | None) -> RuleForm:
    """The form as it is at first: of a new rule, or of the members of an old one."""
    counts = rule_reading.counts(rule) if rule else {}
    counts = {kind: counts.get(kind, 0) or least for kind, least in _ROOM.items()}
    given = rule_reading.values(rule) if rule else {}
    name = subject.rule.name if subject.rule else ""
    form = sized(counts)(formdata=None, data={**given, "name": name})
    form.base_version.data = str(subject.version)
    return _with_levels(session, form, subject)


_ROOM = {"tiers-steps": 2, "rate_steps": 2, "caps": 0}


def sent(session: Session, subject: Subject) -> tuple[RuleForm, MultiDict[str, str]]:
    """The form as it came, and what came, blank rows left out."""
    kept, counts = compact(request.form)
    rows = {kind: min(counts[kind], MAX_STEPS) for kind in counts}
    return _with_levels(session, sized(rows)(formdata=kept), subject), kept


def _with_levels(session: Session, form: RuleForm, subject: Subject) -> RuleForm:
    if subject.rule is not None:
        del form.level_id  # for whom a rule is never changes
        return form
    levels = options(
        (reading.public("program_level", level.id), f"Those at {level.name}")
        for level in reading.levels_of(session, subject.program.id)
    )
    form.level_id.choices = [*form.level_id.choices, *levels]
    return form


def wanted(form: RuleForm, subject: Subject, dated: bool = True) -> Wanted:
    """What `create_rule` or `change_rule` is asked for by a valid form.

    dated: with its `effective_from`. Raises marshmallow's ValidationError.
    """
    since = rule_reading.since(form) if dated else {}
    found: Wanted = _SCHEMA.load({**rule_reading.members(form), **since})
    if subject.rule is None:
        found["program_id"] = subject.program.id
        found["level_id"] = ids.decode("lvl", form.level_id.data or "")
        if dated and form.when.data == NOW:  # else a new rule would count since ever
            found["effective_from"] = utc_now()
    return found


def check(session: Session, subject: Subject, asked: Wanted) -> None:
    """Raises Unprocessable for what no rule can be; Conflict for what changes nothing, and where
    another version came meanwhile.
    """
    if request.form.get("base_version") != str(subject.version):
        raise Conflict(_MEANWHILE)
    if subject.rule is None or subject.newest is None:
        service.draft_rule(session, asked)
        return
    drafted = service.draft_version(session, subject.rule.id, asked)
    if drafted.id == subject.newest.id and asked["name"] == subject.rule.name:
        raise Conflict(f"This is what version {subject.version} says already.")


def publish(session: Session, subject: Subject, asked: Wanted, who: str) -> RewardRule:
    """Make the rule, or its next version. Raises as `check`, and as the service does."""
    if subject.rule is None:
        check(session, subject, asked)
        return service.create_rule(session, asked, who)
    service.get_rule(session, subject.rule.id, lock=True)
    check(session, subject_of(session, subject.rule.id), asked)
    return service.change_rule(session, subject.rule.id, asked, who)


def differences(subject: Subject, asked: Wanted) -> list[rule_words.Change]:
    """What the next version says otherwise than the newest."""
    if subject.newest is None or subject.rule is None:
        return []
    before = terms.members_of(subject.newest)
    found = rule_words.changes(before, terms.changed(before, asked))
    if asked["name"] != subject.rule.name:
        found.insert(0, rule_words.Change("Name", subject.rule.name, asked["name"]))
    return found


def members(subject: Subject, asked: Wanted) -> dict[str, Any]:
    """All members of the rule that a form asks for."""
    if subject.newest is None:
        return terms.complete(asked)
    return terms.changed(terms.members_of(subject.newest), asked)


def panel(session: Session, subject: Subject, form: RuleForm, most: int = MOST_INVOICES) -> Panel:
    """What the form's rule would have given for past payments, beside what counts now.

    most: how many invoices are worth waiting for.
    """
    if not form.validate():
        found = [f"{field.label.text}: {error}" for field in form for error in field.errors]
        return Panel(None, [], [], [], found)
    days = int(form.preview_days.data)
    first = utc_now().date() - timedelta(days=days)
    try:
        asked = wanted(form, subject, dated=False)
        if subject.rule is None:
            seen = preview_new(session, asked, from_on=first, most=most)
        else:
            seen = preview(session, subject.rule.id, asked, from_on=first, most=most)
    except ValidationError as error:
        told = [one["detail"] for one in walk(error.messages, "")]
        return Panel(None, [], [], [], told)
    except TooMuchToPreview as error:
        why = _PRESS if most == LIVE_INVOICES else error.detail
        return Panel(None, [], [], [], [why], too_much=True)
    except RewardsError as error:
        return Panel(None, [], [], [], [one["detail"] for one in error.errors] or [error.detail])
    return _shown(session, seen)


def _shown(session: Session, seen: Preview) -> Panel:
    largest = sorted(seen.partners.items(), key=lambda one: (-abs(one[1].difference_minor), one[0]))
    some, invoices = largest[:_SHOWN], seen.invoices[:_SHOWN]
    keys = {key for (key, _), _ in some} | {key for _, key, _, _ in invoices}
    names = reading.partner_names(session, keys)
    return Panel(
        seen,
        sorted(seen.totals.items()),
        [(key, names.get(key, ""), currency, of) for (key, currency), of in some],
        [(invoice, key, names.get(key, ""), currency, of)
         for (_, invoice), key, currency, of in invoices],
        [],
    )  # fmt: skip
