"""An event as endpoints of API version 1 get it: older names, no versions (pure)."""

from typing import Any

_RENAMED = {
    "invoice": {"total": "amount", "date": "start_date"},
    "linked_invoices": {"invoice_total": "invoice_amount"},
    "applied_credits": {},
}
_GONE = ("resource_version", "deleted", "updated_at")


def as_v1(event: dict[str, Any]) -> dict[str, Any]:
    """The event with `amount` where API v2 has `total`, and without v2's own members."""
    content = {name: _older(name, value) for name, value in event["content"].items()}
    return {**event, "api_version": "v1", "content": content}


def _older(name: str, value: Any) -> Any:
    if isinstance(value, list):
        return [_older(name, member) for member in value]
    if not isinstance(value, dict):
        return value
    names = _RENAMED.get(name, {})
    return {
        names.get(member, member): _older(member, inside)
        for member, inside in value.items()
        if member not in _GONE
    }
