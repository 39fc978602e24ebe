"""What goes wrong on purpose: shares of calls and webhooks, fixed by the seed (pure)."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from rewards_service.simulator.errors import wrong_value


@dataclass(frozen=True, slots=True)
class Faults:
    """Every knob; shares are from 0 to 1 of all calls, times in seconds, 0 is off.

    Webhooks: `duplicate` sends twice, `drop` says succeeded and sends nothing, `reorder` holds a
    webhook back for up to `reorder_s`, `delay_s` holds all back, `wrong_password` sends other
    credentials, `webhook_slow_s` sends the body in two parts with a pause between.
    API: `limited` answers 429 (with Retry-After when `retry_after_s` is not 0), `locked` 429
    lock_timeout, `unavailable` 503, `unavailable_html` the 503 page, `failed` 500, `redirect` 302,
    `cut` ends in mid-answer, `garbage` is no JSON, `slow` waits `slow_s` before the answer.
    `lag_s`: how old a change must be before lists show it.
    """

    duplicate: float = 0.0
    drop: float = 0.0
    reorder: float = 0.0
    reorder_s: int = 600
    delay_s: int = 0
    wrong_password: float = 0.0
    webhook_slow_s: float = 0.0
    limited: float = 0.0
    retry_after_s: int = 0
    locked: float = 0.0
    unavailable: float = 0.0
    unavailable_html: float = 0.0
    failed: float = 0.0
    redirect: float = 0.0
    cut: float = 0.0
    garbage: float = 0.0
    slow: float = 0.0
    slow_s: float = 1.0
    lag_s: int = 0

    def changed(self, given: Mapping[str, Any]) -> "Faults":
        """With other values. Raises ApiError on a knob there is none of or a value off its range.

        A knob is a share unless its name ends in `_s`.
        """
        kinds = {field.name: field.type for field in fields(self)}
        for name, value in given.items():
            if name not in kinds:
                raise wrong_value(name, f"is no knob; there are {', '.join(kinds)}")
            most = 86_400 if name.endswith("_s") else 1
            numbers = int if kinds[name] in ("int", int) else (int, float)
            if isinstance(value, bool) or not isinstance(value, numbers) or not 0 <= value <= most:
                raise wrong_value(name, f"must be a number from 0 to {most}")
        return replace(self, **given)

    def knobs(self) -> dict[str, Any]:
        return asdict(self)


# Answers in place of the real one, in the order in which they are tried.
ANSWERS = (
    "limited", "locked", "unavailable", "unavailable_html", "failed", "redirect", "cut", "garbage",
)  # fmt: skip
