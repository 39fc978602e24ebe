"""Patterns of the texts the API takes, as its description tells them (pure).

They are read by validators of many languages: no look-around, no classes of Unicode by name.
"""

_CONTROL = r"\x00-\x1f\x7f-\x9f"
_CONTROL_BUT_LINES = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
_INVISIBLE = r"\u200b-\u200d\u2060\ufeff\u00ad"
_AROUND = rf"[\s\x1c-\x1f\x85{_INVISIBLE}]*"
_SEEN = rf"[^\s{_CONTROL}{_INVISIBLE}]"
_DATE = r"(19[7-9][0-9]|2[01][0-9]{2})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_TIME = (
    r"[Tt]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?"
    r"([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
)

EMAIL = rf"^{_AROUND}{_SEEN}([^{_CONTROL}]*{_SEEN})?{_AROUND}$"
DAY = f"^{_DATE}$"
INSTANT = f"^{_DATE}{_TIME}$"
INSTANT_OR_DAY = f"^{_DATE}({_TIME})?$"
RATE = r"^0?(0(\.[0-9]{1,6}0{0,14})?|1(\.0{1,20})?)$"
ID_OR_START = rf"^([^*{_CONTROL}]+\*|[^*{_CONTROL}]*[^*\s{_CONTROL}][^*{_CONTROL}]*)$"


def text(lines: bool, may_be_blank: bool) -> str:
    """The pattern of a text without control characters; `lines`: but line ends and tabs."""
    control = _CONTROL_BUT_LINES if lines else _CONTROL
    anything = f"[^{control}]*"
    return f"^{anything}$" if may_be_blank else rf"^{anything}[^\s{control}]{anything}$"


def public_id(prefix: str) -> str:
    """The pattern of the ids of one kind."""
    return f"^{prefix}_[0-7][0-9a-hjkmnp-tv-z]{{12}}$"
