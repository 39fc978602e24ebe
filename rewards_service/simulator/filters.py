"""The conditions of a list call: `field[operator]=value` (pure).

A list of values is a text in brackets. The official Python client sends Python's own spelling,
`['a', 'b']`, other clients `["a","b"]` or `[a,b]`: all three are read.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from rewards_service.simulator.errors import wrong_value
from rewards_service.simulator.site import Row

Test = Callable[[Row], bool]
_DAY = 86_400
_QUOTED = re.compile(r"'([^']*)'|\"([^\"]*)\"|([^,\[\]'\"\s][^,\[\]'\"]*)")
# Parameters of lists that are no conditions.
PLAIN = {
    "limit", "offset", "include_deleted", "sort_by", "start_time", "end_time", "einvoice",
    "line_items_limit", "line_items_offset", "include_site_level_resources", "paid_on_after",
}  # fmt: skip


def values(text: str) -> list[str]:
    """The members of a bracketed list, whichever way they are quoted."""
    found = _QUOTED.findall(text.strip().removeprefix("[").removesuffix("]"))
    return [single or double or bare.strip() for single, double, bare in found]


def conditions(given: Mapping[str, Any], prefix: str = "") -> list[Test]:
    """One test for every condition; members of members too: `relationship[parent_id][is]=x`.

    Raises ApiError on an operator there is none of, or a value that does not fit it.
    """
    found: list[Test] = []
    for name, inside in given.items():
        if name in PLAIN and not prefix:
            continue
        path = f"{prefix}.{name}" if prefix else name
        if not isinstance(inside, Mapping):
            if prefix or not str(inside):
                continue
            raise wrong_value(name, "needs an operator, such as [is]")
        for operator, value in inside.items():
            if isinstance(value, Mapping):
                found += conditions({operator: value}, path)
            else:
                found.append(_test(path, operator, str(value)))
    return found


def _test(path: str, operator: str, text: str) -> Test:
    maker = _MAKERS.get(operator)
    if maker is None:
        raise wrong_value(path, f"has no operator [{operator}]")
    try:
        holds = maker(text)
    except ValueError as error:
        raise wrong_value(path, f"[{operator}] cannot be {text!r}") from error
    keys = path.split(".")
    return lambda row: holds(_member(row, keys))


def _member(row: Row, keys: list[str]) -> Any:
    value: Any = row
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _one_of(text: str) -> Callable[[Any], bool]:
    wanted = set(values(text))
    return lambda value: value is not None and _word(value) in wanted


def _within(low: int | None, high: int | None) -> Callable[[Any], bool]:
    """Between two numbers, both counted in; a record without the member never is."""
    return lambda value: (
        type(value) is int and (low is None or value >= low) and (high is None or value <= high)
    )


def _between(text: str) -> Callable[[Any], bool]:
    low, high = (int(value) for value in values(text))
    return _within(low, high)


def _on(text: str) -> Callable[[Any], bool]:
    start = int(text) // _DAY * _DAY
    return _within(start, start + _DAY - 1)


def _present(text: str) -> Callable[[Any], bool]:
    if text.lower() not in ("true", "false"):
        raise ValueError(text)
    return lambda value: (value not in (None, "")) == (text.lower() == "true")


_MAKERS: dict[str, Callable[[str], Callable[[Any], bool]]] = {
    "is": lambda text: lambda value: value is not None and _word(value) == text,
    "is_not": lambda text: lambda value: value is None or _word(value) != text,
    "starts_with": lambda text: lambda value: isinstance(value, str) and value.startswith(text),
    "in": _one_of,
    "not_in": lambda text: lambda value: not _one_of(text)(value),
    "is_present": _present,
    "after": lambda text: _within(int(text) + 1, None),
    "before": lambda text: _within(None, int(text) - 1),
    "on": _on,
    "between": _between,
    "gt": lambda text: _within(int(text) + 1, None),
    "lt": lambda text: _within(None, int(text) - 1),
    "gte": lambda text: _within(int(text), None),
    "lte": lambda text: _within(None, int(text)),
}
