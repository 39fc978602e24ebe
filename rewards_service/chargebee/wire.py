"""Reading members of a Chargebee payload without trusting any of them (pure).

Every reader raises BadPayload with a pointer to the member, so that a person who opens a
quarantined event sees at once what is wrong with it. Nothing is coerced: "4500" is no amount.
"""

import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rewards_service.kit.clock import YEAR_2000, YEAR_2100, from_epoch
from rewards_service.kit.money import MAX_AMOUNT, is_amount, is_currency

MAX_ID = 100
MAX_TEXT = 500

Payload = Mapping[str, Any]


class BadPayload(Exception):
    """A member that money needs is missing, null, or not what it must be."""

    def __init__(self, pointer: str, problem: str):
        super().__init__(f"{pointer}: {problem}")


def is_clean(text: str) -> bool:
    """Without control characters and lone surrogates, which no database column should hold."""
    return text.isprintable() or not any(unicodedata.category(c) in ("Cc", "Cs") for c in text)


def required_object(parent: Payload, name: str, at: str) -> Payload:
    value = parent.get(name)
    if not isinstance(value, dict):
        raise BadPayload(f"{at}/{name}", "must be an object")
    return value


def optional_object(parent: Payload, name: str, at: str) -> Payload | None:
    return None if parent.get(name) is None else required_object(parent, name, at)


def objects(parent: Payload, name: str, at: str) -> list[Payload]:
    """The objects of a list; none when the list is missing or null."""
    value = parent.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise BadPayload(f"{at}/{name}", "must be a list of objects")
    return value


def required_id(parent: Payload, name: str, at: str) -> str:
    value = parent.get(name)
    if not isinstance(value, str) or not 1 <= len(value) <= MAX_ID or not is_clean(value):
        raise BadPayload(f"{at}/{name}", f"must be a text of 1 to {MAX_ID} characters")
    return value


def optional_id(parent: Payload, name: str, at: str) -> str | None:
    return None if parent.get(name) in (None, "") else required_id(parent, name, at)


def required_amount(parent: Payload, name: str, at: str) -> int:
    value: int = parent.get(name)  # type: ignore[assignment]
    if not is_amount(value):
        raise BadPayload(f"{at}/{name}", f"must be an integer from 0 to {MAX_AMOUNT}")
    return value


def optional_amount(parent: Payload, name: str, at: str) -> int:
    return 0 if parent.get(name) is None else required_amount(parent, name, at)


def required_currency(parent: Payload, name: str, at: str) -> str:
    value = parent.get(name)
    if not is_currency(value):
        raise BadPayload(f"{at}/{name}", "must be an upper-case ISO 4217 code")
    return str(value)


def epoch(value: object) -> datetime | None:
    """A Chargebee time between 2000 and 2100; None for anything else."""
    if type(value) is not int or not YEAR_2000 <= value < YEAR_2100:
        return None
    return from_epoch(value)


def required_time(parent: Payload, name: str, at: str) -> datetime:
    value = epoch(parent.get(name))
    if value is None:
        raise BadPayload(f"{at}/{name}", "must be a time in seconds between 2000 and 2100")
    return value


def optional_time(parent: Payload, name: str, at: str) -> datetime | None:
    return None if parent.get(name) is None else required_time(parent, name, at)


def required_word(parent: Payload, name: str, at: str) -> str:
    """A status or type: a short text, whatever its value; new ones appear over the years."""
    return required_id(parent, name, at)


def free_text(value: object) -> str | None:
    """A text no money hangs on: cleaned and cut rather than refused."""
    if not isinstance(value, str):
        return None
    cut = value[:MAX_TEXT]
    if not is_clean(cut):
        cut = "".join("�" if unicodedata.category(c) in ("Cc", "Cs") else c for c in cut)
    return cut.strip() or None


def flag(parent: Payload, name: str, at: str) -> bool:
    value = parent.get(name)
    if value is None:
        return False
    if not isinstance(value, bool):
        raise BadPayload(f"{at}/{name}", "must be true or false")
    return value
