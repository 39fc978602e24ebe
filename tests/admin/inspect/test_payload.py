"""Payloads are shown whole enough to read, and never act."""

import json

import pytest

from rewards_service.admin.inspect.payload import (
    DEEPEST,
    LONGEST,
    MOST_MEMBERS,
    MOST_NODES,
    Node,
    differences,
    odd_letters,
    read_tree,
    visible,
)
from tests.admin.inspect import stories


def walk(nodes: tuple[Node, ...]) -> list[Node]:
    return [found for node in nodes for found in (node, *walk(node.below))]


def depth(nodes: tuple[Node, ...]) -> int:
    return 1 + max((depth(node.below) for node in nodes), default=0) if nodes else 0


class TestVisible:
    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("<script>", "&lt;script&gt;"),
            ("a\u202eb", 'a<span class="odd" title="RIGHT-TO-LEFT OVERRIDE">U+202E</span>b'),
            ("a\u200bb", 'a<span class="odd" title="ZERO WIDTH SPACE">U+200B</span>b'),
            ("\ud800", '<span class="odd" title="a control character">U+D800</span>'),
            ("Zoë 漢", "Zoë 漢"),
        ],
    )
    def test_text_is_isolated_and_what_cannot_be_seen_is_spelled_out(
        self, text: str, shown: str
    ) -> None:
        assert visible(text) == f"<bdi>{shown}</bdi>"
        visible(text).encode()  # half of a character would break the answer

    def test_letters_that_look_like_others_are_named(self) -> None:
        assert odd_letters("\u0430da@one.example") == ["\u0430 cyrillic small letter a"]
        assert odd_letters("ada@one.example") == odd_letters(None) == []


class TestTree:
    def test_numbers_stand_digit_for_digit(self) -> None:
        tree = read_tree(b'{"a": 1.10, "b": 12345678901234567890, "c": [true, null]}')

        assert [str(node.value) for node in walk(tree.nodes)] == [
            "1.10", "12345678901234567890", "2", "true", "null",
        ]  # fmt: skip

    def test_card_data_is_masked_by_name_and_by_its_digits(self) -> None:
        body = {
            "card": {"iin": "411111"}, "cvv": "123", "note": f"with {stories.CARD}, thanks",
            "id": "4111111111111111", "order": "4111111111111112",
        }  # fmt: skip
        tree = read_tree(json.dumps(body).encode())
        shown = {str(node.name): str(node.value) for node in tree.nodes}

        assert shown["<bdi>card</bdi>"] == shown["<bdi>cvv</bdi>"] == "masked"
        assert shown["<bdi>note</bdi>"] == "<bdi>with ************1111, thanks</bdi>"
        assert "4111111111111111" in shown["<bdi>id</bdi>"]
        assert "4111111111111112" in shown["<bdi>order</bdi>"]

    def test_a_number_that_the_cut_would_split_is_masked_all_the_same(self) -> None:
        text = "x" * (LONGEST - 8) + " 4111111111111111"
        (node,) = read_tree(json.dumps({"note": text}).encode()).nodes

        assert "4111" not in str(node.value)

    def test_large_and_deep_ones_are_cut_and_say_so(self) -> None:
        nested: object = 1
        for _ in range(60):
            nested = [nested]
        wide = {f"m{n}": {f"k{m}": "v" * 400 for m in range(110)} for n in range(40)}
        tree = read_tree(json.dumps({"deep": nested, "wide": wide}).encode())

        assert len(walk(tree.nodes)) == MOST_NODES
        assert depth(tree.nodes) == DEEPEST
        notes = {node.note for node in walk(tree.nodes)}
        assert {"1 below, too deep to be shown here", "10 more not shown here",
                f"{400 - LONGEST} more letters not shown here"} <= notes  # fmt: skip
        assert all(len(node.below) <= MOST_MEMBERS for node in walk(tree.nodes))

    @pytest.mark.parametrize("body", [b"", b"\xff", b"[1]", b'{"a": NaN}', b'{"a":1,"a":2}'])
    def test_what_is_no_tree_says_why(self, body: bytes) -> None:
        assert read_tree(body).problem != ""


class TestDifferences:
    def test_places_that_differ_are_named(self) -> None:
        found = differences(b'{"a": {"b": 1}, "c": 2}', b'{"a": {"b": 2}, "d": "<b>"}')

        assert [(str(one.place), str(one.first), str(one.other)) for one in found] == [
            ("<bdi>a › b</bdi>", "<bdi>1</bdi>", "<bdi>2</bdi>"),
            ("<bdi>c</bdi>", "<bdi>2</bdi>", "-"),
            ("<bdi>d</bdi>", "-", "<bdi>&lt;b&gt;</bdi>"),
        ]
