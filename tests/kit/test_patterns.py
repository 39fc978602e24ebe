"""What the description says of a text is what the service takes: neither more nor less."""

import re
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import ValidationError, fields

from rewards_service.integrations.schemas import Site
from rewards_service.kit.fields import Email, Instant, PublicId, Rate, Text
from rewards_service.payouts.fields import Base64
from rewards_service.programs.rule_schemas import Pattern

ODD = "\t\n\r\x00\x1c\x1f\x7f\x85\u00a0\u00ad\u200b\u2028\u3000\ufeff*@-_.+:TZz019aé "
FIELDS: dict[str, fields.Field[Any]] = {
    "text": Text(),
    "lines": Text(lines=True),
    "maybe blank": Text(shortest=0),
    "email": Email(),
    "id": PublicId("led"),
    "rate": Rate(),
    "site": Site(),
    "prices": Pattern(),
    "base64": Base64(),
}


def takes(field: fields.Field[Any], text: str) -> bool:
    try:
        field.deserialize(text)
    except ValidationError:
        return False
    return True


def describes(field: Any, text: str) -> bool:
    return jsonschema_rs.Draft202012Validator({"type": "string", **field.described}).is_valid(text)


class TestPatterns:
    @pytest.mark.parametrize("name", FIELDS)
    @given(data=st.data())
    @settings(max_examples=40)
    def test_they_describe_what_is_taken(self, name: str, data: st.DataObject) -> None:
        field = FIELDS[name]
        pattern = re.compile(str(field.described["pattern"]))  # type: ignore[attr-defined]
        close = st.from_regex(pattern, alphabet=st.characters(codec="utf-8"))
        text = data.draw(close | st.text(st.sampled_from(ODD), max_size=8) | st.text(max_size=8))

        assert takes(field, text) == describes(field, text)

    @pytest.mark.parametrize(
        ("text", "taken"),
        [
            ("2026-01-31T08:30:00Z", True), ("1970-01-01t00:00:00.123456+05:30", True),
            ("2026-01-31", False), ("2026-01-31T24:00:00Z", False), ("2200-01-01T00:00:00Z", False),
            ("2026-13-01T00:00:00Z", False), ("2026-01-31T08:30:00", False),
        ],
    )  # fmt: skip
    def test_times_are_described(self, text: str, taken: bool) -> None:
        assert describes(Instant(), text) is taken
