"""Between the rule editor's form and the members of a rule, as the API names and writes them."""

from collections.abc import Mapping
from typing import Any

from rewards_service.admin.partners.form_fields import show_amounts, show_percent
from rewards_service.admin.partners.rule_forms import (
    BY_STEPS,
    BY_TIERS,
    DAY,
    EVER,
    FLAT,
    PERCENT,
    RuleForm,
)
from rewards_service.admin.partners.rule_rows import CAPS, STEPS, TIERS, rows
from rewards_service.programs import rules as r

_CHOSEN = ("base", "annual", "trigger", "rate_lock", "refund_allocation", "rounding")
_MEANT = (
    "first_months", "first_payments", "max_reward_minor", "min_amount_minor", "priority",
    "hold_days",
)  # fmt: skip
_FILTER = ("include", "exclude", "entity_types")
_CONDITIONS = ("countries", "excluded_countries", "customer_ids", "excluded_customer_ids")


def members(form: RuleForm) -> dict[str, Any]:
    """All that a valid form says, as a body of the API; null for what it says nothing of.

    Without `program_id`, `level_id` and `effective_from`.
    """
    kind = form.kind.data
    flat = kind == FLAT
    threshold = flat and form.flat_refund.data == r.THRESHOLD
    return {
        "name": form.name.data,
        "kind": r.FLAT if flat else r.PERCENT,
        "rate": form.rate.meaning if kind == PERCENT else None,
        "amounts": form.amounts.meaning if flat else None,
        "tiers": _tiers(form) if kind == BY_TIERS else None,
        "rate_steps": _values(form, STEPS) if kind == BY_STEPS else [],
        "caps": _values(form, CAPS),
        **{name: form[name].data for name in _CHOSEN},
        **{name: _meant(form[name]) for name in _MEANT},
        "stack_group": (form.stack_group.data or "").strip() or None,
        "item_filter": _named(form, "item_filter", _FILTER),
        "conditions": _named(form, "conditions", _CONDITIONS),
        "flat_refund": form.flat_refund.data if flat else None,
        "flat_refund_threshold": form.flat_refund_threshold.meaning if threshold else None,
    }


def since(form: RuleForm) -> dict[str, Any]:
    """`effective_from` as the API takes it; empty for from now on."""
    if form.when.data == DAY:
        return {"effective_from": form.effective_from.data.isoformat()}
    return {"effective_from": None} if form.when.data == EVER else {}


def _meant(field: Any) -> Any:
    """Of a blank number that has a default, that."""
    return 0 if field.meaning is None and field.default == "0" else field.meaning


def _tiers(form: RuleForm) -> dict[str, Any]:
    chosen = {name: form[f"tiers-{name}"].data for name in ("mode", "metric", "window", "restate")}
    return {**chosen, "steps": _values(form, TIERS)}


def _values(form: RuleForm, kind: str) -> list[dict[str, Any]]:
    return [
        {name: field.meaning if hasattr(field, "meaning") else field.data
         for name, field in row.items()}
        for row in rows(form, kind)
    ]  # fmt: skip


def _named(form: RuleForm, member: str, names: tuple[str, ...]) -> dict[str, Any] | None:
    found = {name: form[f"{member}-{name}"].meaning for name in names}
    return {name: value for name, value in found.items() if value} or None


def counts(rule: Mapping[str, Any]) -> dict[str, int]:
    """How many rows of each kind the form needs for a rule."""
    tiers = rule["tiers"]["steps"] if rule["tiers"] else []
    return {TIERS: len(tiers), STEPS: len(rule["rate_steps"]), CAPS: len(rule["caps"])}


def values(rule: Mapping[str, Any]) -> dict[str, Any]:
    """What the form shows of a rule, as `programs.terms` has its members."""
    found: dict[str, Any] = {
        "kind": _kind(rule),
        "rate": show_percent(rule["rate"]),
        **{name: show_amounts(rule[name])
           for name in ("amounts", "max_reward_minor", "min_amount_minor")},
        **{name: rule[name] for name in _CHOSEN},
        **{name: _text(rule[name])
           for name in ("first_months", "first_payments", "priority", "hold_days", "stack_group")},
        "flat_refund": rule["flat_refund"] or r.AT_ZERO,
        "flat_refund_threshold": show_percent(rule["flat_refund_threshold_millionths"]),
    }  # fmt: skip
    for member, names in (("item_filter", _FILTER), ("conditions", _CONDITIONS)):
        for name in names:
            listed = (rule[member] or {}).get(name) or []
            found[f"{member}-{name}"] = listed if name == "entity_types" else "\n".join(listed)
    return {**found, **_rows_of(rule)}


def _kind(rule: Mapping[str, Any]) -> str:
    if rule["kind"] == r.FLAT:
        return FLAT
    return BY_TIERS if rule["tiers"] else BY_STEPS if rule["rate_steps"] else PERCENT


def _rows_of(rule: Mapping[str, Any]) -> dict[str, Any]:
    tiers, found = rule["tiers"] or {"steps": []}, {}
    for name in ("mode", "metric", "window", "restate"):
        if name in tiers:
            found[f"tiers-{name}"] = tiers[name]
    for index, step in enumerate(tiers["steps"]):
        found[f"{TIERS}-{index}-up_to"] = _threshold(step.get("up_to"))
        found[f"{TIERS}-{index}-rate"] = show_percent(step["rate_millionths"])
    for index, step in enumerate(rule["rate_steps"]):
        found[f"{STEPS}-{index}-payments"] = _text(step.get("payments"))
        found[f"{STEPS}-{index}-rate"] = show_percent(step["rate_millionths"])
    for index, cap in enumerate(rule["caps"]):
        found[f"{CAPS}-{index}-scope"] = cap["scope"]
        found[f"{CAPS}-{index}-window"] = cap["window"]
        found[f"{CAPS}-{index}-amounts"] = show_amounts(cap["amounts"])
    return found


def _threshold(up_to: Any) -> str:
    return show_amounts(up_to) if isinstance(up_to, Mapping) else _text(up_to)


def _text(value: Any) -> str:
    return "" if value is None else str(value)
