import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewards_service.kit.strict_json import MAX_DEPTH
from rewards_service.webhooks import strict_json
from rewards_service.webhooks.strict_json import NotJson

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda some: st.lists(some, max_size=4) | st.dictionaries(st.text(), some, max_size=4),
    max_leaves=20,
)  # fmt: skip
CARD = {"card": {"number": "4111", "cvv": "123"}}


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


class TestParse:
    @given(values)
    def test_reads_what_any_json_writer_writes(self, value: object) -> None:
        assert strict_json.parse(json.dumps(value).encode()) == value

    @pytest.mark.parametrize(
        "body",
        [b"", b" ", b"{", b"{}{}", b"{'a': 1}", b"[1,]", b"NaN", b'{"a": NaN}', b"[Infinity]",
         b"[-Infinity]", b"[1e999]", b"[-1e999]", b'{"a": 1, "a": 1}', b'{"x": {"a": 1, "a": 2}}',
         b'["\x00"]', b'["\xe9"]', b"[01]", b"[.5]", b"[0x10]", b"undefined", b"\xff\xfe{\x00",
         b"\xef\xbb\xbf\xef\xbb\xbf{}", b"[" + b"9" * 5_000 + b"]", nested(101), nested(900),
         nested(100_000), b'{"a":' * 20_000 + b"1" + b"}" * 20_000],
    )  # fmt: skip
    def test_refuses_what_two_parsers_could_read_differently(self, body: bytes) -> None:
        """Source: bad input 11, 19, 20, 23, 30, 31, 32."""
        with pytest.raises(NotJson):
            strict_json.parse(body)

    def test_names_a_member_once_more_only_when_it_is_the_same_text(self) -> None:
        assert strict_json.parse(b'{"a": 1, "A": 2}') == {"a": 1, "A": 2}
        with pytest.raises(NotJson):
            strict_json.parse(b'{"a": 1, "\\u0061": 2}')

    @pytest.mark.parametrize(
        ("body", "value"),
        [(b"\xef\xbb\xbf{}", {}), (b'["\\ud800"]', ["\ud800"]), (b'["\\u0000"]', ["\x00"]),
         (b"[9007199254740993]", [2**53 + 1]), (b"[" + b"1" * 31 + b"]", [int("1" * 31)])],
    )  # fmt: skip
    def test_accepts_a_byte_order_mark_escapes_and_exact_integers(
        self, body: bytes, value: object
    ) -> None:
        """Source: bad input 12, 22, 33."""
        assert strict_json.parse(body) == value

    def test_accepts_what_every_later_step_can_walk(self) -> None:
        assert strict_json.parse(nested(MAX_DEPTH)) is not None
        assert strict_json.parse(json.dumps("[{" * 1_000).encode()) == "[{" * 1_000
        assert len(strict_json.parse(json.dumps([{}] * 1_000).encode())) == 1_000

    @given(st.binary(max_size=50))
    def test_any_bytes_are_read_or_refused(self, body: bytes) -> None:
        with suppress(NotJson):
            strict_json.parse(body)


class TestCardFree:
    def kept(self, value: dict[str, object]) -> bytes:
        body = json.dumps(value).encode()
        return strict_json.card_free(body, strict_json.parse(body))

    def test_a_body_without_a_card_is_kept_byte_for_byte(self) -> None:
        body = b' {"content" : {"customer": {"id": "1"} } }\n'

        assert strict_json.card_free(body, strict_json.parse(body)) is body

    @pytest.mark.parametrize("content", [None, [], "card", {"cards": 1}])
    def test_content_of_any_kind_is_left_alone(self, content: object) -> None:
        body = json.dumps({"content": content}).encode()

        assert strict_json.card_free(body, strict_json.parse(body)) == body

    def test_nothing_of_the_card_stays(self) -> None:
        kept = self.kept({"id": "ev", "content": {**CARD, "customer": {"id": "ü"}}})

        assert json.loads(kept) == {"id": "ev", "content": {"customer": {"id": "ü"}}}
        assert b"4111" not in kept

    @pytest.mark.parametrize("odd", [10**30, "\ud800", "\x00", 2**64, -(2**63)])
    def test_what_other_members_hold_stays_exact(self, odd: object) -> None:
        kept = self.kept({"content": {**CARD, "odd": odd}})

        assert strict_json.parse(kept) == {"content": {"odd": odd}}

    def test_the_deepest_body_that_is_accepted_can_be_written(self) -> None:
        deep = strict_json.parse(nested(MAX_DEPTH - 2))

        assert strict_json.parse(self.kept({"content": {**CARD, "deep": deep}})) == {
            "content": {"deep": deep}
        }
