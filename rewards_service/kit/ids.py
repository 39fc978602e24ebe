"""Opaque public ids: `par_7m2kq0x4c8f1n` outside, a bigint key inside.

The mapping is a fixed permutation of 63-bit numbers. It hides counts and order from a reader; it
is no secret and protects nothing: what a caller may see is decided by scopes, never by an id.
"""

from functools import lru_cache

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_VALUE_OF = {letter: value for value, letter in enumerate(_ALPHABET)}
_SPACE = 1 << 63
_FACTOR = 5_755_386_391_297_366_709
_INVERSE = pow(_FACTOR, -1, _SPACE)
_LENGTH = 13
_REMEMBERED = 10_000  # 2 MB; lists name the same partners and rules, and are read again


@lru_cache(_REMEMBERED)
def encode(prefix: str, key: int) -> str:
    value = key * _FACTOR % _SPACE
    # Two letters at a time and no loop: a page of a list shows hundreds of ids.
    return (
        f"{prefix}_{_ALPHABET[value >> 60]}{_PAIRS[value >> 50 & 1023]}{_PAIRS[value >> 40 & 1023]}"
        f"{_PAIRS[value >> 30 & 1023]}{_PAIRS[value >> 20 & 1023]}{_PAIRS[value >> 10 & 1023]}"
        f"{_PAIRS[value & 1023]}"
    )


def decode(prefix: str, text: str) -> int | None:
    """The key behind a public id; None when the text is not an id of this kind."""
    head, separator, tail = text.partition("_")
    if head != prefix or not separator or len(tail) != _LENGTH:
        return None
    value = 0
    for letter in tail:
        digit = _VALUE_OF.get(letter)
        if digit is None:
            return None
        value = value * 32 + digit
    if value >= _SPACE:
        return None
    return value * _INVERSE % _SPACE
