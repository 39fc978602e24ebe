"""Answers come out as marshmallow would give them."""

import json
from collections.abc import Callable
from datetime import UTC, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from marshmallow import Schema, fields, post_dump

from rewards_service.app import create_app
from rewards_service.kit.answering import json_bytes
from rewards_service.kit.dumping import writer_of
from rewards_service.kit.fields import Instant, InstantOrDay, PublicId, Rate
from rewards_service.reports.fields import Month
from rewards_service.rewards.schemas import RewardPageSchema, RewardSchema
from rewards_service.settings import load_settings

Values = st.SearchStrategy[Any]

zones = st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=45))])
moments = st.datetimes(timezones=zones)
whole = st.integers(-(2**63), 2**63 - 1)
anything = st.recursive(
    st.none() | st.booleans() | whole | st.text(max_size=5) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)
# The first that fits, so that kinds come before what they are made of.
KINDS: tuple[tuple[type[fields.Field[Any]], Values], ...] = (
    (PublicId, st.integers(0, 2**63 - 1)),
    (Rate, st.integers(0, 10**8)),
    (Month, st.dates()),
    (InstantOrDay, moments),
    (Instant, moments),
    (fields.Date, st.dates()),
    (fields.String, st.text(max_size=5) | whole | st.just(b"bytes")),
    (fields.Integer, whole | st.booleans() | st.just("17") | st.decimals(-9, 9)),
    (fields.Boolean, st.booleans()),
    (fields.Raw, anything),
)


def values_of(field: Any) -> Values:
    """Values that views give a field, or might."""
    if isinstance(field, fields.List):
        return st.none() | st.lists(values_of(field.inner), max_size=2)
    if isinstance(field, fields.Nested):
        return st.none() | objects_of(field.schema)
    if isinstance(field, fields.Dict):
        held = anything if field.value_field is None else values_of(field.value_field)
        return st.none() | st.dictionaries(st.text(max_size=5), held, max_size=2)
    return st.none() | next(values for kind, values in KINDS if isinstance(field, kind))


def objects_of(schema: Schema) -> Values:
    """Rows as dictionaries and as objects, with any of their members."""
    members = {
        name if field.attribute is None else field.attribute: values_of(field)
        for name, field in schema.dump_fields.items()
    }
    rows = st.fixed_dictionaries({}, optional=members)
    return rows | rows.map(lambda row: SimpleNamespace(**row))


def written_alike(schema: Schema, examples: int) -> Callable[[], None]:
    """A test that a schema's answers are given out as marshmallow does and as Flask writes them."""
    writer = writer_of(schema)

    @settings(max_examples=examples, suppress_health_check=list(HealthCheck), deadline=None)
    @given(objects_of(schema))
    def check(row: Any) -> None:
        ours, theirs = writer.write(row), schema.dump(row)

        assert repr(ours) == repr(theirs)  # equality takes True for 1
        if writer.is_plain:
            text = json.dumps(theirs, sort_keys=True, separators=(",", ":"))
            assert json_bytes(ours) == f"{text}\n".encode()

    return check


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> list[Schema]:
    """The schemas of all answers that the interface gives."""
    app = create_app(load_settings({"VAR_DIR": str(tmp_path_factory.mktemp("bare"))}))
    found = {getattr(view, "answer", None) for view in app.view_functions.values()}
    return [one() if isinstance(one, type) else one for one in found if one is not None]


class TestWriterOf:
    def test_every_answer_of_the_interface_is_as_marshmallow_gives_it(
        self, answers: list[Schema]
    ) -> None:
        assert len(answers) > 70
        for schema in answers:
            written_alike(schema, 12)()

    def test_no_answer_of_the_interface_is_left_to_marshmallow(self, answers: list[Schema]) -> None:
        assert [one for one in answers if writer_of(one).write == one.dump] == []

    def test_rewards_hold_nothing_but_what_is_written_in_one_way(self) -> None:
        written_alike(RewardSchema(), 60)()

        assert writer_of(RewardPageSchema()).is_plain

    def test_names_defaults_and_what_only_comes_in_are_as_the_schema_says(self) -> None:
        class OneSchema(Schema):
            inner = fields.Integer(data_key="outer", attribute="within")
            given = fields.String(dump_default="default")
            made = fields.String(dump_default=lambda: "made")
            secret = fields.String(load_only=True)

        schema = OneSchema()

        assert writer_of(schema).write({"within": "7", "secret": "s"}) == {
            "outer": 7, "given": "default", "made": "made",
        }  # fmt: skip
        written_alike(schema, 50)()
        assert writer_of(OneSchema(many=True)).write([{"given": None}]) == [
            {"given": None, "made": "made"}
        ]

    def test_numbers_that_are_not_whole_are_the_affair_of_their_field(self) -> None:
        class OneSchema(Schema):
            fraction = fields.Float()
            exact = fields.Decimal()
            text = fields.Integer(as_string=True)

        schema, row = OneSchema(), {"fraction": 1, "exact": "1.50", "text": 7}

        assert repr(writer_of(schema).write(row)) == repr(schema.dump(row))
        assert not writer_of(schema).is_plain

    @pytest.mark.parametrize("own", ["hook", "reading", "whole"])
    def test_a_schema_that_does_more_is_left_to_marshmallow(self, own: str) -> None:
        class HookedSchema(Schema):
            name = fields.String()

            @post_dump
            def more(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
                return {**data, "more": True}

        class ReadingSchema(Schema):
            name = fields.String()

            def get_attribute(self, obj: Any, attr: str, default: Any) -> Any:
                return f"{super().get_attribute(obj, attr, default)} and more"

        class WholeSchema(Schema):
            name = fields.Function(repr)

        kinds: dict[str, type[Schema]] = {
            "hook": HookedSchema, "reading": ReadingSchema, "whole": WholeSchema,
        }  # fmt: skip
        schema, row = kinds[own](), {"name": "n"}

        assert writer_of(schema).write(row) == schema.dump(row) != row
        nested = Schema.from_dict({"inner": fields.Nested(schema)})()
        assert writer_of(nested).write({"inner": row}) == nested.dump({"inner": row})
        assert not writer_of(nested).is_plain
