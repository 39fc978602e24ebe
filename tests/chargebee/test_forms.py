import json
import re
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewards_service.chargebee.forms import (
    Filter,
    between,
    encode_filters,
    encode_form,
    one_of,
    text_of,
)

DAY = datetime(2026, 3, 10, tzinfo=UTC)
NAMES = st.from_regex(r"[a-z_]{1,8}", fullmatch=True).filter(
    lambda name: name not in {"meta_data", "metadata", "exemption_details"}
)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=20),
    st.decimals(allow_nan=False, allow_infinity=False, places=4),
)  # fmt: skip
OBJECTS = st.dictionaries(NAMES, SCALARS, min_size=1, max_size=4)
ROWS = st.lists(OBJECTS, min_size=1, max_size=3)
FORMS = st.dictionaries(
    NAMES, st.one_of(SCALARS, OBJECTS, st.lists(SCALARS, min_size=1, max_size=4), ROWS), max_size=5
)


def decoded(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """The nested object that brackets describe; indexes stay keys."""
    found: dict[str, Any] = {}
    for name, text in pairs:
        *outer, last = re.findall(r"[^\[\]]+", name)
        place = found
        for part in outer:
            place = place.setdefault(part, {})
        assert last not in place
        place[last] = text
    return found


def described(value: Any) -> Any:
    """What the brackets of a value say: lists as {index: text}, their objects turned over."""
    if isinstance(value, dict):
        return {name: described(below) for name, below in value.items()}
    if isinstance(value, list) and all(isinstance(item, dict) for item in value):
        turned: dict[str, dict[str, str]] = {}
        for position, row in enumerate(value):
            for name, below in row.items():
                turned.setdefault(name, {})[str(position)] = text_of(below)
        return turned
    if isinstance(value, list):
        return {str(position): text_of(item) for position, item in enumerate(value)}
    return text_of(value)


class TestEncodeForm:
    @given(FORMS)
    def test_the_brackets_say_the_same_as_the_object(self, fields: dict[str, Any]) -> None:
        assert decoded(encode_form(fields)) == described(fields)

    def test_it_is_spelled_as_chargebee_wants_it(self) -> None:
        fields = {
            "id": "cus 1",
            "billing_address": {"city": "Köln"},
            "subscription_items": [
                {"item_price_id": "a", "quantity": 2},
                {"item_price_id": "b"},
            ],
            "enabled_events": ["payment_succeeded", "payment_refunded"],
            "net_term_days": None,
            "auto": True,
        }

        assert encode_form(fields) == [
            ("id", "cus 1"),
            ("billing_address[city]", "Köln"),
            ("subscription_items[item_price_id][0]", "a"),
            ("subscription_items[quantity][0]", "2"),
            ("subscription_items[item_price_id][1]", "b"),
            ("enabled_events[0]", "payment_succeeded"),
            ("enabled_events[1]", "payment_refunded"),
            ("net_term_days", ""),
            ("auto", "true"),
        ]

    @pytest.mark.parametrize("name", ["meta_data", "metadata", "exemption_details"])
    def test_free_objects_are_one_json_text(self, name: str) -> None:
        value = {"partner": {"id": "par_1"}, "tags": []}

        ((spelled, text),) = encode_form({name: value})
        assert (spelled, json.loads(text)) == (name, value)

    def test_free_objects_of_rows_keep_their_place(self) -> None:
        pairs = encode_form({"items": [{"id": "a"}, {"id": "b", "meta_data": {"k": 1}}]})

        assert pairs[-1] == ("items[meta_data][1]", '{"k": 1}')

    @pytest.mark.parametrize(
        "value", [{}, [], {"a": {}}, [[1]], [{"a": [1]}], [{"a": {"b": 1}}], {"a": [[1]]}]
    )
    def test_what_a_form_cannot_say_is_refused(self, value: Any) -> None:
        with pytest.raises(ValueError, match="form can"):
            encode_form({"x": value})


class TestTextOf:
    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (10**18, "1000000000000000000"),
            (Decimal("1.10"), "1.10"),
            (Decimal("1E-7"), "0.0000001"),
            (Decimal("1E+3"), "1000"),
            (False, "false"),
            (datetime(2026, 3, 10, 12, tzinfo=UTC), "1773144000"),
            (datetime(2026, 3, 10, 14, tzinfo=timezone(timedelta(hours=2))), "1773144000"),
            (datetime(2026, 3, 10, 12, 0, 0, 999_999, tzinfo=UTC), "1773144000"),
        ],
    )
    def test_it_is_exact(self, value: Any, text: str) -> None:
        assert text_of(value) == text

    @pytest.mark.parametrize(
        "value",
        [0.1, Decimal("NaN"), Decimal("Infinity"), datetime(2026, 3, 10), date(2026, 3, 10), b"x"],  # noqa: DTZ001
    )
    def test_what_has_no_exact_text_is_refused(self, value: Any) -> None:
        with pytest.raises(TypeError, match="no exact text"):
            text_of(value)
        with pytest.raises(TypeError, match="no exact text"):
            encode_form({"rows": [{"x": value}]})


class TestEncodeFilters:
    def test_lists_stand_in_brackets(self) -> None:
        filters = [
            between("occurred_at", DAY, DAY + timedelta(days=1)),
            one_of("event_type", ["payment_succeeded", 'odd"] one']),
            Filter("status", "is", "paid"),
            Filter("total", "gt", 100),
            Filter("cancelled_at", "is_present", False),
        ]

        assert encode_filters(filters) == [
            ("occurred_at[between]", "[1773100800,1773187200]"),
            ("event_type[in]", '["payment_succeeded","odd\\"] one"]'),
            ("status[is]", "paid"),
            ("total[gt]", "100"),
            ("cancelled_at[is_present]", "false"),
        ]

    @pytest.mark.parametrize(
        "wrong",
        [
            Filter("a", "like", "x"),
            Filter("a", "in", "x"),
            Filter("a", "is", ["x"]),
            Filter("a", "in", []),
            Filter("a", "between", [1]),
            Filter("a", "between", [1, 2, 3]),
        ],
    )
    def test_a_filter_that_would_mean_something_else_is_refused(self, wrong: Filter) -> None:
        with pytest.raises(ValueError, match="filter"):
            encode_filters([wrong])
