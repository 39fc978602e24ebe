"""All spellings one typing error away from a text (pure)."""

from collections.abc import Iterator

LONGEST = 100  # no address that people type is longer; the number of spellings grows with it
_ASCII = "abcdefghijklmnopqrstuvwxyz0123456789.-_+@"
_ACCENTED = "àáâãäåæçèéêëìíîïñòóôõöøùúûüýœ"


def neighbours(key: str) -> set[str]:
    """Every e-mail key at distance 1: a sign left out, added, replaced, or two swapped.

    Added are the signs of usual addresses, accented Latin letters before the "@" only. Empty for
    keys that are too long to have been typed.
    """
    if len(key) > LONGEST:
        return set()
    found = {*_shorter(key), *_swapped(key), *_with_sign(key)}
    found.discard(key)
    return found


def _shorter(key: str) -> Iterator[str]:
    for place in range(len(key)):
        yield key[:place] + key[place + 1 :]


def _swapped(key: str) -> Iterator[str]:
    for place in range(len(key) - 1):
        yield key[:place] + key[place + 1] + key[place] + key[place + 2 :]


def _with_sign(key: str) -> Iterator[str]:
    at = key.rfind("@")
    for place in range(len(key) + 1):
        for sign in _ASCII + _ACCENTED if place <= at else _ASCII:
            yield key[:place] + sign + key[place:]
            yield key[:place] + sign + key[place + 1 :]
