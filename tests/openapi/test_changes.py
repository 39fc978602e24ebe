"""Which changes of the description break callers, and which of them were announced."""

from copy import deepcopy
from typing import Any

import pytest

from tools.openapi_changes import Change, breaking, unannounced

Json = dict[str, Any]
OLD: Json = {
    "paths": {
        "/leads/{id}": {
            "parameters": [{"in": "path", "name": "id", "required": True,
                            "schema": {"type": "string"}}],
            "patch": {
                "operationId": "change_lead", "x-scope": "crm:write",
                "parameters": [{"in": "query", "name": "dry", "schema": {"type": "boolean"}}],
                "requestBody": {"required": True, "content": {"application/json": {
                    "schema": {"$ref": "#/components/schemas/LeadInput"}}}},
                "responses": {
                    "200": {"headers": {"Link": {}}, "content": {"application/json": {
                        "schema": {"$ref": "#/components/schemas/Lead"}}}},
                    "404": {},
                },
            },
        }
    },
    "components": {"schemas": {
        "LeadInput": {
            "type": "object", "required": ["email"], "properties": {
                "email": {"type": "string", "maxLength": 100},
                "status": {"enum": ["open", "lost"]},
                "score": {"type": ["integer", "null"], "minimum": 0},
                "partner": {"anyOf": [{"$ref": "#/components/schemas/Partner"}, {"type": "null"}]},
            },
        },
        "Partner": {"type": "object", "properties": {"tags": {
            "type": "array", "maxItems": 9, "items": {"type": "string"}}}},
        "Lead": {
            "type": "object", "required": ["id", "email"], "properties": {
                "id": {"type": "string"}, "email": {"type": "string"},
                "parent": {"$ref": "#/components/schemas/Lead"},
            },
        },
    }},
}  # fmt: skip
OPERATION = "/paths/~/leads/{id}~/patch"
SENT, SHOWN = "/components/schemas/LeadInput", "/components/schemas/Lead"


def changed(place: str, value: Any) -> Json:
    """OLD with another value at a place; None removes. `~` stands around a key with slashes."""
    document = deepcopy(OLD)
    head, *rest = place.split("~")
    keys = head.strip("/").split("/")
    if rest:
        keys += [rest[0], *rest[1].strip("/").split("/")]
    part: Any = document
    for key in keys[:-1]:
        part = part[int(key)] if isinstance(part, list) else part[key]
    if value is None:
        del part[keys[-1]]
    else:
        part[keys[-1]] = value
    return document


class TestBreaking:
    @pytest.mark.parametrize(
        ("place", "value", "what"),
        [
            ("/paths", {}, "is gone"),
            (OPERATION, None, "is gone"),
            (f"{OPERATION}/operationId", "patch_lead", "another name"),
            (f"{OPERATION}/x-scope", "admin", "another scope"),
            (f"{OPERATION}/parameters", [], "lacks the parameter dry"),
            (f"{OPERATION}/parameters/0/required", True, "needs the parameter dry"),
            (f"{OPERATION}/parameters/0/schema", {"type": "string"}, "dry takes no boolean"),
            (f"{OPERATION}/requestBody", None, "takes no body"),
            (f"{OPERATION}/requestBody/content", {"text/csv": {}}, "takes no application/json"),
            (f"{OPERATION}/responses", {"202": {}}, "does not answer 200"),
            (f"{OPERATION}/responses/200/headers", {}, "without the header Link"),
            (f"{OPERATION}/responses/200/content", {}, "not answer with application/json"),
            (f"{SENT}/required", ["email", "status"], "body needs status"),
            (f"{SENT}/properties/email", None, "body lacks email"),
            (f"{SENT}/properties/email/maxLength", 99, "lower maxLength"),
            (f"{SENT}/properties/email/minLength", 1, "higher minLength"),
            (f"{SENT}/properties/email/pattern", "@", "another pattern"),
            (f"{SENT}/properties/email/enum", ["a"], "takes some values only"),
            (f"{SENT}/properties/status/enum", ["open"], "body.status is never lost"),
            (f"{SENT}/properties/score/type", "integer", "body.score takes no null"),
            (f"{SENT}/properties/partner", {"$ref": "#/components/schemas/Partner"}, "no null"),
            ("/components/schemas/Partner/properties/tags/maxItems", 8, "lower maxItems"),
            ("/components/schemas/Partner/properties/tags/items/type", "integer", "tags[] takes"),
            (f"{SHOWN}/properties/email", None, "200 lacks email"),
            (f"{SHOWN}/required", ["id"], "200 may lack email"),
            (f"{SHOWN}/properties/id/type", ["string", "null"], "200.id may be null"),
        ],
    )
    def test_what_a_caller_relied_on_is_missed(self, place: str, value: Any, what: str) -> None:
        found = breaking(OLD, changed(place, value))

        assert [change.operation for change in found][:1] == ["PATCH /leads/{id}"]
        assert any(what in change.what for change in found), found

    @pytest.mark.parametrize(
        ("place", "value"),
        [
            ("/paths/new", {"get": {"responses": {}}}),
            (f"{OPERATION}/responses/409", {}),
            (f"{SENT}/required", []),
            (f"{SENT}/properties/more", {"type": "string"}),
            (f"{SENT}/properties/email/maxLength", 101),
            (f"{SENT}/properties/status/enum", ["open", "lost", "won"]),
            (f"{SENT}/properties/score/minimum", -1),
            (f"{SHOWN}/properties/more", {"type": "string"}),
            (f"{SHOWN}/required", ["id", "email", "parent"]),
            (f"{SHOWN}/properties/email/maxLength", 10),
        ],
    )
    def test_what_is_only_more_breaks_nothing(self, place: str, value: Any) -> None:
        assert breaking(OLD, changed(place, value)) == []

    def test_the_same_breaks_nothing(self) -> None:
        assert breaking(OLD, OLD) == []


class TestUnannounced:
    GONE = Change("GET /leads", "is gone")

    @pytest.mark.parametrize(
        ("changelog", "left"),
        [
            ("# C\n\n## [Unreleased]\n\n### Breaking\n- `GET /leads` is gone.\n", 0),
            ("# C\n\n## [Unreleased]\n\n### Breaking\n- `GET /deals` is gone.\n", 1),
            ("# C\n\n## [Unreleased]\n\n### Changed\n- `GET /leads` is gone.\n", 1),
            ("# C\n\n## [Unreleased]\n\n## [1.0.0]\n\n### Breaking\n- `GET /leads` goes.\n", 1),
        ],
    )
    def test_only_the_newest_breaking_section_counts(self, changelog: str, left: int) -> None:
        assert len(unannounced([self.GONE], changelog)) == left
