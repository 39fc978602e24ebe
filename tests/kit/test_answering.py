"""Answers in JSON, byte for byte as Flask writes them."""

import json
from typing import Any

import pytest
from flask import Flask, Response, jsonify
from marshmallow import Schema, fields

from rewards_service.kit.answering import answering, json_bytes

PLAIN: list[Any] = [
    {},
    [],
    None,
    True,
    2**63,
    -(2**70),
    '\xe9\x7f\u2028\0"\\/',
    "\U0001f600",
    "\ud800",
]


class TestJsonBytes:
    @pytest.mark.parametrize("value", PLAIN, ids=repr)
    def test_are_those_of_flask(self, value: Any) -> None:
        value = {"b": value, "a": [value, {"d": 1, "c": value}]}

        text = json.dumps(value, sort_keys=True, separators=(",", ":"))
        assert json_bytes(value) == f"{text}\n".encode()


class TestAnswering:
    class AnswerSchema(Schema):
        name = fields.String()
        share = fields.Raw()

    @pytest.mark.parametrize("shown", [{"name": "n"}, {"share": 1e16, "name": "n"}], ids=repr)
    def test_the_schema_says_what_is_answered(self, shown: dict[str, Any]) -> None:
        with Flask("one").test_request_context():
            view = answering(lambda: {**shown, "hidden": 1}, self.AnswerSchema, 201)
            answer, status, headers = view()

            assert (answer.data, status, headers) == (jsonify(shown).data, 201, None)
            assert answer.content_type == "application/json"

    def test_a_view_may_say_its_status_and_headers(self) -> None:
        with Flask("one").test_request_context():
            view = answering(lambda: ({"name": "n"}, 202, {"Link": "l"}), self.AnswerSchema(), 200)

            assert view()[1:] == (202, {"Link": "l"})

    def test_an_answer_that_is_made_is_left_as_it_is(self) -> None:
        made = Response("made")

        assert answering(lambda: made, self.AnswerSchema, 200)() == (made, None, None)

    def test_without_a_schema_nothing_is_done(self) -> None:
        def view() -> str:
            return "as it is"

        assert answering(view, None, 200) is view
