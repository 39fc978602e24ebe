"""Every link of the description is followed, in a business with some of everything."""

from pathlib import Path
from typing import Any

import pytest

from rewards_service.app import create_app
from rewards_service.openapi.operations import PREFIX, Operation, each
from tests.builders.api import Caller
from tests.builders.whole import settings_for
from tests.openapi.conformance import document
from tests.openapi.fuzzing import fill, prepared

OPERATIONS = {operation.name: operation for operation in each(document())}
NEEDED = {"month": "2026-01", "format": "csv"}  # what some want to be told besides
Json = dict[str, Any]


class Reader:
    """Asks for lists first, then for all that their links lead to, and on from there."""

    def __init__(self, api: Caller) -> None:
        self._api = api
        self.shown: dict[str, Json] = {}
        self.followed: set[tuple[str, str]] = set()
        self.refused: list[str] = []

    def show(self, operation: Operation, path: str, **query: str) -> None:
        wanted = {name: NEEDED[name] for name in _required(operation) & set(NEEDED)}
        answer = self._api.call("GET", path.removeprefix(PREFIX), query_string=query | wanted)
        if answer.status_code in (409, 502):
            return  # not in the state it is in, or nobody answers at Chargebee's address
        if answer.status_code != 200:
            self.refused.append(f"{operation.name} {path} {query}: {answer.text}")
        elif operation.name not in self.shown and answer.mimetype == "application/json":
            if answer.get_json().get("data") == []:
                return  # another way may lead to a list that is not empty
            self.shown[operation.name] = answer.get_json()
            for link in _links(operation):
                self._follow(operation, link)

    def _follow(self, source: Operation, link: Json) -> None:
        taker = OPERATIONS[link["operationId"]]
        ((parameter, expression),) = link["parameters"].items()
        found = _at(self.shown[source.name], expression.removeprefix("$response.body#"))
        if found is None or taker.method != "get":
            return
        self.followed.add((source.name, taker.name))
        in_query = parameter.startswith("query.")
        query = {parameter.removeprefix("query."): found} if in_query else {}
        self.show(taker, taker.path.replace(f"{{{parameter}}}", found), **query)


def _links(operation: Operation) -> list[Json]:
    return list(operation.success()[1].get("links", {}).values())


def _required(operation: Operation) -> set[str]:
    return {
        parameter["name"]
        for parameter in operation.spec.get("parameters", ())
        if parameter["in"] == "query" and parameter.get("required")
    }


def _at(shown: Any, pointer: str) -> Any:
    for part in pointer.split("/")[1:]:
        if isinstance(shown, list):
            shown = shown[int(part)] if int(part) < len(shown) else None
        elif shown is not None:
            shown = shown[part]
    return shown


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Reader:
    path = tmp_path_factory.mktemp("links") / "rewards.db"
    path.write_bytes(sqlite_template.read_bytes())
    settings = prepared(settings_for(f"sqlite:///{path}"))
    reader = Reader(fill(create_app(settings), settings))
    for operation in OPERATIONS.values():
        is_list = operation.method == "get" and not operation.path_names
        if is_list and _required(operation) <= set(NEEDED):
            reader.show(operation, operation.path)
    return reader


class TestLinks:
    def test_nothing_that_a_link_leads_to_is_refused(self, reader: Reader) -> None:
        assert reader.refused == []
        assert len(reader.followed) > 130

    def test_all_that_shows_one_thing_can_be_reached_by_them(self, reader: Reader) -> None:
        reached = {taker for _, taker in reader.followed}
        single = {
            operation.name
            for operation in OPERATIONS.values()
            if operation.method == "get" and len(operation.path_names) == 1
        }

        assert single - reached == set()
