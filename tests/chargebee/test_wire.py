from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewards_service.chargebee import wire
from rewards_service.chargebee.wire import BadPayload
from rewards_service.kit.money import MAX_AMOUNT

SURROGATE = "\udc00"
ODD = [
    None,
    True,
    False,
    0,
    -1,
    1.5,
    "",
    "text",
    "a\x00b",
    SURROGATE,
    [],
    [1],
    {},
    {"a": 1},
    10**30,
]


class TestRequiredAmount:
    @pytest.mark.parametrize("value", [0, 4_500, MAX_AMOUNT])
    def test_reads_integers(self, value: int) -> None:
        assert wire.required_amount({"amount": value}, "amount", "/at") == value

    @pytest.mark.parametrize("value", ["4500", -1, 45.0, True, False, None, 2**63, [1], {}])
    def test_coerces_nothing_and_names_the_member(self, value: object) -> None:
        """DOMAIN "Outcome of an event"."""
        with pytest.raises(BadPayload, match=r"^/at/amount: "):
            wire.required_amount({"amount": value}, "amount", "/at")

    def test_must_be_there(self) -> None:
        with pytest.raises(BadPayload):
            wire.required_amount({}, "amount", "")


class TestOptionalAmount:
    def test_is_nothing_when_missing_or_null(self) -> None:
        assert wire.optional_amount({}, "tax", "") == 0
        assert wire.optional_amount({"tax": None}, "tax", "") == 0

    @pytest.mark.parametrize("value", [False, "", 0.0, "0", -1])
    def test_is_no_less_strict_when_there(self, value: object) -> None:
        with pytest.raises(BadPayload):
            wire.optional_amount({"tax": value}, "tax", "")


class TestRequiredId:
    @pytest.mark.parametrize("value", ["1", "txn_demo1", "ü", "x" * wire.MAX_ID])
    def test_is_a_short_text(self, value: str) -> None:
        assert wire.required_id({"id": value}, "id", "") == value

    @pytest.mark.parametrize(
        "value", ["", "x" * (wire.MAX_ID + 1), "a\x00", "a\nb", SURROGATE, None, 1, True, ["a"]]
    )
    def test_is_nothing_else(self, value: object) -> None:
        with pytest.raises(BadPayload):
            wire.required_id({"id": value}, "id", "")

    @pytest.mark.parametrize("value", [None, ""])
    def test_an_optional_one_may_be_blank(self, value: object) -> None:
        assert wire.optional_id({"id": value}, "id", "") is None
        assert wire.optional_id({}, "id", "") is None

    @pytest.mark.parametrize("value", [0, False, [], {}, " \x00"])
    def test_an_optional_one_is_no_less_strict_when_there(self, value: object) -> None:
        with pytest.raises(BadPayload):
            wire.optional_id({"id": value}, "id", "")


class TestRequiredCurrency:
    def test_is_an_upper_case_code(self) -> None:
        assert wire.required_currency({"currency_code": "JPY"}, "currency_code", "") == "JPY"

    @pytest.mark.parametrize("value", ["ZZZ", "usd", "", None, 840, ["USD"], {"a": "USD"}])
    def test_is_nothing_else(self, value: object) -> None:
        """DOMAIN "Outcome of an event"."""
        with pytest.raises(BadPayload):
            wire.required_currency({"currency_code": value}, "currency_code", "")


class TestEpoch:
    def test_is_a_time_between_2000_and_2100(self) -> None:
        assert wire.epoch(946_684_800) == datetime(2000, 1, 1, tzinfo=UTC)
        assert wire.epoch(4_102_444_799) == datetime(2099, 12, 31, 23, 59, 59, tzinfo=UTC)

    @pytest.mark.parametrize(
        "value", [946_684_799, 4_102_444_800, -1, 0, True, 1.7e9, "1767225600", None, [], 10**30]
    )
    def test_is_nothing_else(self, value: object) -> None:
        assert wire.epoch(value) is None


class TestReaders:
    @pytest.mark.parametrize("value", ODD)
    @pytest.mark.parametrize(
        "read",
        [wire.required_object, wire.optional_object, wire.objects, wire.required_id,
         wire.optional_id, wire.required_amount, wire.optional_amount, wire.required_currency,
         wire.required_time, wire.optional_time, wire.required_word, wire.flag],
    )  # fmt: skip
    def test_any_value_is_read_or_refused(self, read: Any, value: object) -> None:
        """Never another error, whatever a payload holds."""
        try:
            read({"member": value}, "member", "/at")
        except BadPayload as problem:
            refusal = str(problem)
            assert refusal.startswith("/at/member: ")

    def test_a_list_of_objects_holds_objects_only(self) -> None:
        assert wire.objects({"lines": [{}, {"a": 1}]}, "lines", "") == [{}, {"a": 1}]
        assert wire.objects({"lines": None}, "lines", "") == []
        with pytest.raises(BadPayload):
            wire.objects({"lines": [{}, None]}, "lines", "")


class TestFreeText:
    @pytest.mark.parametrize(
        ("value", "text"),
        [(" Ada ", "Ada"), ("", None), (" ", None), (None, None), (5, None), (["a"], None),
         ("a\x00b", "a�b"), (SURROGATE, "�"), ("x" * 600, "x" * 500)],
    )  # fmt: skip
    def test_is_cleaned_rather_than_refused(self, value: object, text: str | None) -> None:
        assert wire.free_text(value) == text

    @given(st.text(max_size=700))
    def test_fits_any_column(self, value: str) -> None:
        text = wire.free_text(value)

        assert text is None or (wire.is_clean(text) and 1 <= len(text) <= wire.MAX_TEXT)
