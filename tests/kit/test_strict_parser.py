"""How bodies and queries are read; what they may hold is told by the tests of the conventions."""

from marshmallow import Schema

from rewards_service.kit.strict_parser import StrictParser


class TestStrictParser:
    def test_a_schema_is_made_once_for_all_requests(self) -> None:
        class BodySchema(Schema):
            """Made by whoever asks first."""

        parser, given = StrictParser(), BodySchema()

        first = parser._get_schema(BodySchema, None)
        assert isinstance(first, BodySchema)
        assert parser._get_schema(BodySchema, None) is first
        assert parser._get_schema(given, None) is given
