"""What the description says of every operation, and that it is true of the service."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

import rewards_service
from rewards_service.accounts.service import SCOPES
from rewards_service.kit.web import ANY_KEY, V1
from rewards_service.openapi import refusals, texts
from rewards_service.openapi.answers import ERRORS
from rewards_service.openapi.operations import PREFIXES, Operation, each, resolved
from tests.openapi.conformance import compiled, document
from tests.test_docs import error_codes

OPERATIONS = {operation.name: operation for operation in each(document())}


def parameters(operation: Operation) -> Iterator[dict[str, Any]]:
    yield from operation.shared
    yield from operation.spec.get("parameters", ())


def contents(operation: Operation) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(part, media type, content) of the body and all answers."""
    answers = document()["components"]["responses"]
    parts = {"body": operation.spec.get("requestBody", {}), **operation.spec["responses"]}
    for name, part in parts.items():
        found = answers[name] if "$ref" in part else part
        for kind, content in found.get("content", {}).items():
            yield name, kind, content


class TestOperations:
    def test_each_has_a_name_of_its_own_and_says_what_it_does(self) -> None:
        specs = [operation.spec for operation in each(document())]

        assert len(OPERATIONS) == len(specs) > 90
        for spec in specs:
            assert re.fullmatch(r"[a-z]+(_[a-z]+)*", spec["operationId"])
            assert len(spec["summary"]) > 5
            assert spec["description"]
            assert set(spec["tags"]) <= set(texts.TAGS)

    def test_each_names_the_scope_it_needs(self) -> None:
        for operation in OPERATIONS.values():
            needed = [] if operation.scope == ANY_KEY else [operation.scope]

            assert operation.spec["security"] == [{"key": needed}]
            assert set(needed) <= set(SCOPES)

    def test_every_scope_is_described(self) -> None:
        assert list(texts.SCOPES) == list(SCOPES)

    def test_every_id_in_a_path_has_its_pattern(self) -> None:
        for operation in OPERATIONS.values():
            assert set(operation.path_names) <= set(PREFIXES), operation.path

    def test_what_takes_a_body_refuses_unknown_members(self) -> None:
        schemas = document()["components"]["schemas"]
        open_ones = [
            name
            for name, operation in OPERATIONS.items()
            if (body := operation.body()) and resolved(body, schemas)["additionalProperties"]
        ]

        assert open_ones == []


class TestExamples:
    def test_they_are_what_their_schemas_say(self) -> None:
        for name, operation in OPERATIONS.items():
            for one in parameters(operation):
                if "example" in one:
                    assert compiled(one["schema"]).is_valid(one["example"]), (name, one["name"])
            for part, kind, content in contents(operation):
                if kind.endswith("json"):
                    errors = compiled(content["schema"]).iter_errors(content["example"])
                    assert [error.message for error in errors] == [], (name, part)

    def test_the_service_takes_every_body(self, bare_app: Flask) -> None:
        ours = [rule.endpoint for rule in bare_app.url_map.iter_rules() if rule.rule.startswith(V1)]
        views = {name.rpartition(".")[2]: bare_app.view_functions[name] for name in ours}
        for name, operation in OPERATIONS.items():
            schema = getattr(views[name], "body", None)
            assert (schema is None) == (operation.body() is None), name
            if schema is not None:
                (example,) = [c["example"] for part, _, c in contents(operation) if part == "body"]
                (schema() if isinstance(schema, type) else schema).load(example)


class TestErrors:
    def test_their_codes_exist(self) -> None:
        for module in pkgutil.walk_packages(rewards_service.__path__, "rewards_service."):
            if module.name.endswith((".routes", ".service", "_routes")):
                importlib.import_module(module.name)
        known = {*error_codes(), "too_large", "not_json"}
        named = {code for codes in refusals.CONFLICTS.values() for code in codes}

        assert named | {code for error in ERRORS.values() for code in error.codes} <= known

    @pytest.mark.parametrize(
        "table",
        [
            refusals.CONFLICTS,
            refusals.LOOKS_UP,
            refusals.ASKS_CHARGEBEE,
            refusals.REHEARSED,
            refusals.COMES_LATER,
        ],
    )
    def test_the_operations_that_have_them_exist(self, table: Any) -> None:
        assert set(table) <= set(OPERATIONS)


class TestLinks:
    def test_what_was_made_leads_to_all_that_can_be_done_with_it(self) -> None:
        links = OPERATIONS["create_lead"].success()[1]["links"]

        assert links["change_lead"] == {
            "operationId": "change_lead", "parameters": {"lead_id": "$response.body#/id"},
        }  # fmt: skip
        assert set(links) == {"get_lead", "change_lead", "get_partner", "get_customer"}

    def test_nothing_leads_to_what_comes_later(self) -> None:
        made = OPERATIONS["create_integration"].success()[1]["links"]
        listed = OPERATIONS["list_integrations"].success()[1]["links"]

        assert "get_backfill" in listed
        assert not set(made) & set(refusals.COMES_LATER)

    def test_a_list_leads_to_its_first_one(self) -> None:
        links = OPERATIONS["list_rewards"].success()[1]["links"]

        assert links["explain_reward"]["parameters"] == {"reward_id": "$response.body#/data/0/id"}

    def test_a_thing_leads_to_what_it_names_and_to_lists_of_what_is_its_own(self) -> None:
        links = OPERATIONS["get_transaction"].success()[1]["links"]
        of_partner = OPERATIONS["get_partner"].success()[1]["links"]

        assert links["get_customer"]["parameters"] == {"customer_id": "$response.body#/customer_id"}
        assert of_partner["list_leads"] == {
            "operationId": "list_leads",
            "parameters": {"query.partner_id": "$response.body#/id"},
        }
