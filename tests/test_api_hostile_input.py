"""No input breaks the HTTP interface: whatever comes, it is accepted or refused in order."""

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any

import pytest
from flask import Flask

from tests.builders.api import PREFIX, PROBLEM, Caller, Json, operations, sample_bodies

HOSTILE: tuple[Any, ...] = (
    None, True, 0, -1, 2**63, 2**64, 10**400, 1.5, "", " ", "\x00", "a\x00b", "\ud800",
    "x" * 100_000, "\u202e", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-02-30",
    "par_", "1e5", "٠.٢", [], [[]], {}, {"a": 1}, {"\ud800": "\x00"}, ["\x00"], {"USD": -1},
    {"USD": True},
    [None],
)  # fmt: skip
BAD_QUERIES = (
    "\x00",
    "\ud800",
    "-1",
    "99999999999999999999",
    "a" * 10_000,
    "",
    "İ@ß.de",
    "%",
    "🎉",
)
IN_SUITE = 8  # hostile values of each member; `make fuzz` tries all of them
NOT_JSON = (b"", b"{", b"\xff", b'{"a": NaN}', b'{"a": 1, "a": 2}', b"[" * 100_000, b"1" * 5_000)


class TestHostileInput:
    def test_what_is_not_one_strict_json_value_is_refused(self, api: Caller) -> None:
        for path in sample_bodies(api):
            for body in NOT_JSON:
                answer = api.call("POST", path, data=body, content_type="application/json")

                assert (answer.status_code, answer.mimetype) == (400, PROBLEM), (path, body[:20])

    def test_no_member_of_any_body_breaks_the_service(self, api: Caller) -> None:
        create(api, IN_SUITE)

    def test_no_member_of_any_change_breaks_the_service(self, api: Caller) -> None:
        change(api, IN_SUITE)

    @pytest.mark.slow
    def test_no_value_of_any_member_of_a_body_does(self, api: Caller) -> None:
        create(api, len(HOSTILE))

    @pytest.mark.slow
    def test_no_value_of_any_member_of_a_change_does(self, api: Caller) -> None:
        change(api, len(HOSTILE))

    def test_a_body_that_is_no_object_is_refused(self, api: Caller) -> None:
        for path in sample_bodies(api):
            for body in ("null", "[]", '"text"', "1", "true"):
                answer = api.call("POST", path, data=body, content_type="application/json")

                assert answer.status_code == 422, (path, body)

    def test_members_nobody_asked_for_are_refused_by_name(self, api: Caller) -> None:
        for path, body in sample_bodies(api).items():
            assert api.pointers("POST", path, **body, id="x", surprise=1) == ["/id", "/surprise"]

    def test_no_query_breaks_the_service(self, app: Flask, api: Caller) -> None:
        document = api.client.get("/api/openapi.json").get_json()
        program = api.create("/programs", name="Partners")["id"]
        for path, item in document["paths"].items():
            names = [
                p["name"] for p in item.get("get", {}).get("parameters", ()) if p["in"] == "query"
            ]
            for name in names:
                for value in BAD_QUERIES:
                    query = {name: value.encode("utf-8", "surrogatepass")}
                    place = path.removeprefix(PREFIX).replace("{program_id}", program)
                    answer = api.call("GET", place, query_string=query)

                    # What is one of something may be not there, whatever is asked of it.
                    lawful = (200, 404, 422) if "{" in place else (200, 422)
                    assert answer.status_code in lawful, (path, name, value)

    def test_no_path_breaks_the_service(self, app: Flask, api: Caller) -> None:
        for method, path, _ in operations(app):
            for text in ("%00", "led_%ff", "%F0%9F%8E%89", "led_zzzzzzzzzzzzz", "x" * 5_000):
                answer = api.call(method, path.replace("none", text), json={})

                assert answer.status_code < 500, (method, path, text)


def create(api: Caller, values: int) -> None:
    some = in_turns(values)
    for path, body in sample_bodies(api).items():
        for changed in _mutations(body, some):
            answer = api.call("POST", path, json=changed)

            assert answer.status_code in (201, 409, 422), (path, str(changed)[:200])
            assert answer.status_code == 201 or answer.mimetype == PROBLEM


def change(api: Caller, values: int) -> None:
    some = in_turns(values)
    for path, body in sample_bodies(api).items():
        made = api.create(path, **body)
        for changed in _mutations(body, some):
            answer = api.call("PATCH", f"{path}/{made['id']}", json=changed)

            assert answer.status_code in (200, 405, 409, 422), (path, str(changed)[:200])


def in_turns(values: int) -> Iterator[Sequence[Any]]:
    """So many hostile values each time, in turns, so that all of them come up."""
    for number in count():
        start = number * values % len(HOSTILE)
        yield (HOSTILE[start:] + HOSTILE[:start])[:values]


def _mutations(body: Json, values: Iterator[Sequence[Any]]) -> Iterator[Json]:
    for name, value in body.items():
        yield {other: kept for other, kept in body.items() if other != name}
        for hostile in next(values):
            yield {**body, name: hostile}
        if isinstance(value, dict):
            for inner in _mutations(value, values):
                yield {**body, name: inner}
        if isinstance(value, list) and value and isinstance(value[0], dict):
            for inner in _mutations(value[0], values):
                yield {**body, name: [inner]}
