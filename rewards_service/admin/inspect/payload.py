"""A payload as a tree that is safe to look at: bounded, card data masked, tricks made visible."""

import re
import unicodedata
from decimal import Decimal
from typing import Any, NamedTuple

from markupsafe import Markup, escape

from rewards_service.kit.strict_json import NotJson, parse_exact

MOST_NODES, MOST_MEMBERS, DEEPEST, LONGEST = 1_500, 100, 12, 300
OPEN_DEPTH = 2  # what is deeper is folded at first
MASKED = "masked"
_SECRET_NAMES = re.compile(r"^(card|cvv|cvc|card_?number|number|iban|account_number|bin|iin|pan)$")
_CARD_NUMBER = re.compile(r"(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)")
# Letters that only arrange others, and so may show a text as another one.
_ODD = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
_PLAIN_SPACE = "\n\t"


class Node(NamedTuple):
    """A member: its name, and its value or what is below it. `note` says what is left out."""

    name: Markup
    kind: str  # text, number, word, object, list, masked
    value: Markup | None
    below: tuple["Node", ...]
    note: str
    is_open: bool


class Tree(NamedTuple):
    """The root's members; `problem` says why there are none."""

    nodes: tuple[Node, ...]
    note: str
    problem: str = ""


def visible(text: Any) -> Markup:
    """Foreign text, isolated from its neighbours; letters that cannot be seen are spelled out."""
    told = str(text)
    if told.isprintable():
        return Markup("<bdi>{}</bdi>").format(told)
    return Markup("<bdi>{}</bdi>").format(Markup("").join(_spelled(sign) for sign in told))


def _spelled(sign: str) -> Markup:
    if (sign.isascii() and sign.isprintable()) or sign in _PLAIN_SPACE:
        return escape(sign)
    if unicodedata.category(sign) not in _ODD:
        return escape(sign)
    name = unicodedata.name(sign, "a control character")
    return Markup('<span class="odd" title="{}">U+{:04X}</span>').format(name, ord(sign))


def odd_letters(address: str | None) -> list[str]:
    """Letters of an e-mail address beyond a to z, by name: they may look like others."""
    found = sorted({sign for sign in address or "" if not sign.isascii()})
    return [
        f"{sign if sign.isprintable() else ''} {unicodedata.name(sign, 'without a name').lower()}"
        .strip()
        for sign in found[:10]
    ]  # fmt: skip


def read_tree(body: bytes) -> Tree:
    """The tree of a stored body, digit for digit, but not more of it than people can read."""
    if not body:
        return Tree((), "", "It was kept as long as RETAIN_BODIES_DAYS says; its hash stays.")
    try:
        value = parse_exact(body)
    except NotJson as problem:
        return Tree((), "", str(problem))
    if not isinstance(value, dict):
        return Tree((), "", "It is no object.")
    grower = _Grower()
    below, note = grower.members(value, 1)
    return Tree(below, note)


class _Grower:
    """Makes nodes until there are enough of them."""

    def __init__(self) -> None:
        self._left = MOST_NODES

    def members(self, value: Any, depth: int) -> tuple[tuple[Node, ...], str]:
        """The nodes of an object or list, and what of it is left out."""
        if depth > DEEPEST:
            return (), f"{len(value)} below, too deep to be shown here"
        pairs = list(value.items()) if isinstance(value, dict) else list(enumerate(value))
        nodes = []
        for name, member in pairs[:MOST_MEMBERS]:
            if self._left <= 0:
                break
            self._left -= 1
            nodes.append(self._node(name, member, depth))
        missing = len(pairs) - len(nodes)
        return tuple(nodes), f"{missing:,} more not shown here" if missing else ""

    def _node(self, name: str | int, value: Any, depth: int) -> Node:
        told = visible(str(name)[:LONGEST])
        if isinstance(name, str) and value and _SECRET_NAMES.match(name.lower()):
            return Node(told, MASKED, Markup("masked"), (), "", False)
        if isinstance(value, dict | list):
            kind = "object" if isinstance(value, dict) else "list"
            below, note = self.members(value, depth + 1)
            return Node(told, kind, escape(len(value)), below, note, depth < OPEN_DEPTH)
        if isinstance(value, str):
            return _text(told, value, may_be_card=not str(name).endswith("id"))
        if value is None or isinstance(value, bool):
            return Node(told, "word", escape("null" if value is None else str(value).lower()),
                        (), "", False)  # fmt: skip
        return Node(told, "number", escape(_digits(value)), (), "", False)


def _digits(value: int | Decimal) -> str:
    try:
        return str(value)[:LONGEST]
    except ValueError:  # more digits than Python spells out
        return "a number of thousands of digits"


def _text(name: Markup, value: str, may_be_card: bool = True) -> Node:
    cut = value[: LONGEST + 20]  # a number at the end is masked before it is cut
    if may_be_card:
        cut = _CARD_NUMBER.sub(_masked_number, cut)
    note = f"{len(value) - LONGEST:,} more letters not shown here" if len(value) > LONGEST else ""
    return Node(name, "text", visible(cut[:LONGEST]), (), note, False)


def _masked_number(found: re.Match[str]) -> str:
    digits = re.sub(r"\D", "", found.group())
    return f"************{digits[-4:]}" if _is_card(digits) else found.group()


def _is_card(digits: str) -> bool:
    """Whether digits end with the check digit of card numbers (Luhn)."""
    doubled = [int(d) * 2 for d in digits[-2::-2]]
    others = [int(d) for d in digits[-1::-2]]
    return (sum(others) + sum(d - 9 if d > 9 else d for d in doubled)) % 10 == 0


class Difference(NamedTuple):
    """A place where two deliveries of one event differ."""

    place: Markup
    first: Markup
    other: Markup


def differences(first: bytes, other: bytes, most: int = 20) -> list[Difference]:
    """Where two bodies differ, at most so many places."""
    try:
        pair = _flat(parse_exact(first)), _flat(parse_exact(other))
    except NotJson:
        return []
    places = [place for place in {**pair[0], **pair[1]} if pair[0].get(place) != pair[1].get(place)]
    return [
        Difference(visible(place), *(_told(place, side.get(place)) for side in pair))
        for place in places[:most]
    ]


def _told(place: str, node: Any) -> Markup:
    if node is None:
        return Markup("-")
    name = place.rpartition(" › ")[2]
    if _SECRET_NAMES.match(name.lower()):
        return Markup("masked")
    return _text(Markup(""), str(node)).value or Markup("")


def _flat(value: Any, place: str = "", left: list[int] | None = None) -> dict[str, Any]:
    """Place -> plain value, of the first some thousand."""
    left = [5_000] if left is None else left
    if not isinstance(value, dict | list):
        return {place or "all": str(value)}
    found: dict[str, Any] = {}
    for name, member in value.items() if isinstance(value, dict) else enumerate(value):
        left[0] -= 1
        if left[0] < 0:
            break
        found |= _flat(member, f"{place} › {name}" if place else str(name)[:LONGEST], left)
    return found
