"""The parts of the rule editor's form whose names have hyphens: members of members, and rows."""

from collections.abc import Mapping
from typing import Any

from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, SelectField

from rewards_service.admin.partners.form_fields import (
    AmountsField,
    ChecksField,
    LinesField,
    PercentField,
    ThresholdField,
    WholeNumberField,
    options,
)
from rewards_service.admin.partners.rule_forms import DECIMAL, SUMS, WHOLE, RuleForm
from rewards_service.programs import rules as r
from rewards_service.programs.rule_schemas import ENTITY_TYPES, MAX_STEPS

TIERS, STEPS, CAPS = "tiers-steps", "rate_steps", "caps"
# Rows by the names of their fields; those that are chosen from a list always say something.
ROWS = {
    TIERS: ("up_to", "rate"), STEPS: ("payments", "rate"), CAPS: ("scope", "window", "amounts"),
}  # fmt: skip
_TYPED = {TIERS: ("up_to", "rate"), STEPS: ("payments", "rate"), CAPS: ("amounts",)}
_WINDOWS = [
    (r.LIFETIME, "over all time"), (r.MONTH, "per calendar month"),
    (r.ROLLING, "in any 12 months"),
]  # fmt: skip
_LINES = {"rows": "3", "spellcheck": "false"}

_NESTED: Mapping[str, Any] = {
    "tiers-mode": SelectField(
        "Once a step is reached",
        choices=options([(r.SLAB, "its rate counts for the whole amount"),
                 (r.GRADUATED, "its rate counts for the part above it")]),
    ),
    "tiers-metric": SelectField(
        "What is counted",
        choices=options([(r.BASE_AMOUNT, "amounts that the partner brought"),
                 (r.NEW_CUSTOMERS, "new customers that the partner brought")]),
    ),
    "tiers-window": SelectField("Counted", choices=options(_WINDOWS)),
    "tiers-restate": BooleanField(
        "Rate earlier invoices of the window again when a step is reached"
    ),
    "item_filter-include": LinesField(
        "Only these items", render_kw=_LINES,
        description="Chargebee's ids of items or prices, one a line; pro-* means all that begin "
        "with pro-.",
    ),
    "item_filter-exclude": LinesField("Not these items",
                                     render_kw=_LINES),
    "item_filter-entity_types": ChecksField(
        "Only these kinds of lines",
        choices=options([(name, name.replace("_", " ")) for name in ENTITY_TYPES]),
    ),
    "conditions-countries": LinesField(
        "Only customers from", render_kw=_LINES,
        description="Country codes such as DE, AT, CH.",
    ),
    "conditions-excluded_countries": LinesField(
        "Not customers from", render_kw=_LINES
    ),
    "conditions-customer_ids": LinesField(
        "Only these customers", render_kw=_LINES,
        description="Chargebee customer ids.",
    ),
    "conditions-excluded_customer_ids": LinesField(
        "Not these customers", render_kw=_LINES
    ),
}  # fmt: skip
_OF_ROW: Mapping[str, Mapping[str, Any]] = {
    TIERS: {
        "up_to": ThresholdField("Up to", render_kw={"autocomplete": "off"}),
        "rate": PercentField("Percentage", render_kw=DECIMAL),
    },
    STEPS: {
        "payments": WholeNumberField("Payments", render_kw=WHOLE),
        "rate": PercentField("Percentage", render_kw=DECIMAL),
    },
    CAPS: {
        "scope": SelectField("For each", choices=options([
            (r.CUSTOMER, "customer"), (r.PARTNER, "partner"), (r.PROGRAM, "programme as a whole"),
        ])),
        "window": SelectField("Counted", choices=options(_WINDOWS)),
        "amounts": AmountsField("At most", render_kw=SUMS),
    },
}  # fmt: skip


def sized(counts: Mapping[str, int]) -> type[RuleForm]:
    """The form with so many rows of each kind."""
    rows = {
        f"{kind}-{index}-{name}": field
        for kind, fields in _OF_ROW.items()
        for index in range(min(counts.get(kind, 0), MAX_STEPS))
        for name, field in fields.items()
    }
    return type("SizedRuleForm", (RuleForm,), {**_NESTED, **rows})


def rows(form: RuleForm, kind: str) -> list[dict[str, Any]]:
    """The fields of the rows of a kind, by their short names."""
    found: list[dict[str, Any]] = []
    while f"{kind}-{len(found)}-{ROWS[kind][0]}" in form:
        found.append({name: form[f"{kind}-{len(found)}-{name}"] for name in ROWS[kind]})
    return found


def compact(sent: MultiDict[str, str]) -> tuple[MultiDict[str, str], dict[str, int]]:
    """What was sent with its rows numbered anew, blank ones left out; and how many are left.

    A `step` of "remove:caps:1" leaves out that row, "add:caps" makes room for another.
    """
    action, _, target = sent.get("step", "").partition(":")
    kept, counts = MultiDict[str, str](), {}
    for key, values in sent.lists():
        if not key.startswith(tuple(f"{kind}-" for kind in ROWS)):
            kept.setlist(key, values)
    for kind, names in ROWS.items():
        rows = [_row(sent, kind, index, names) for index in range(MAX_STEPS)]
        rows = [
            row for index, row in enumerate(rows)
            if any(row[name].strip() for name in _TYPED[kind])
            and (action, target) != ("remove", f"{kind}:{index}")
        ]  # fmt: skip
        for index, row in enumerate(rows):
            kept.update({f"{kind}-{index}-{name}": value for name, value in row.items()})
        counts[kind] = len(rows) + (action == "add" and target == kind)
    return kept, counts


def _row(sent: MultiDict[str, str], kind: str, index: int, names: tuple[str, ...]) -> Any:
    return {name: sent.get(f"{kind}-{index}-{name}", "") for name in names}
