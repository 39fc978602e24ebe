"""Entity tags on everything, and changes that name what they change: over all routes."""

import re

import pytest
from flask import Flask

from tests.builders.api import PREFIX, PROBLEM, Caller, Json, operations, sample_bodies

CHANGES: dict[str, Json] = {
    "/leads": {"company": "Other"}, "/payout-schedules": {"day": 2},
    "/webhook-endpoints": {"description": "Other"},
}  # fmt: skip


def patched(app: Flask) -> set[str]:
    """The rules that can be changed, below /api/v1."""
    return {
        rule.rule.removeprefix(PREFIX)
        for rule in app.url_map.iter_rules()
        if "PATCH" in (rule.methods or ()) and rule.rule.startswith(PREFIX)
    }


def everything(api: Caller) -> dict[str, tuple[str, str, Json]]:
    """For each rule of a thing that can be made: where one is, its tag, and a change of it."""
    bodies = sample_bodies(api)
    levels = f"/programs/{bodies['/reward-rules']['program_id']}/levels"
    found = {}
    for collection, body in {**bodies, levels: {"name": "Bronze"}}.items():
        answer = api.call("POST", collection, json=body)
        path = answer.headers["Location"].removeprefix(PREFIX)
        change = CHANGES.get(collection, {"name": "Other"})
        found[_rule(api, path)] = (path, answer.headers["ETag"], change)
    return found


def _rule(api: Caller, path: str) -> str:
    urls = api.client.application.url_map.bind("localhost")
    return str(urls.match(PREFIX + path, return_rule=True)[0].rule.removeprefix(PREFIX))


class TestThings:
    def test_creation_says_where_the_thing_is_and_its_tag(self, api: Caller) -> None:
        for path, tag, _ in everything(api).values():
            answer = api.call("GET", path)

            assert answer.status_code == 200, path
            assert answer.headers["ETag"] == tag, path
            assert re.fullmatch(r'"[0-9a-f.]+"', tag)

    def test_what_can_be_changed_changes_only_for_who_knows_its_state(
        self, app: Flask, api: Caller
    ) -> None:
        things = everything(api)
        assert patched(app) - things.keys() == set()
        for rule in patched(app):
            path, tag, change = things[rule]
            blind = api.call("PATCH", path, json=change, headers={"If-Match": ""})
            assert (blind.status_code, blind.mimetype) == (428, PROBLEM), path
            assert blind.get_json()["code"] == "precondition_required"

            first = api.call("PATCH", path, json=change, headers={"If-Match": f'"x", {tag}'})
            assert first.status_code == 200, (path, first.text)
            assert first.headers["ETag"] != tag
            assert first.headers["ETag"] == api.call("GET", path).headers["ETag"], path

            late = api.call("PATCH", path, json=change, headers={"If-Match": tag})
            assert (late.status_code, late.mimetype) == (412, PROBLEM), path
            assert late.get_json()["code"] == "precondition_failed"
            assert (
                api.call("PATCH", path, json=change, headers={"If-Match": "*"}).status_code == 200
            )

    def test_what_is_not_there_is_not_found_whatever_is_known_of_it(
        self, app: Flask, api: Caller
    ) -> None:
        for rule, (_, _, change) in everything(api).items():
            path = re.sub(r"<[^>]+>", "none", rule)
            for known in ("*", '"x"') if rule in patched(app) else ():
                answer = api.call("PATCH", path, json=change, headers={"If-Match": known})

                assert answer.status_code == 404, (path, known)

    def test_a_deletion_may_name_the_state_it_means(self, app: Flask, api: Caller) -> None:
        things = everything(api)
        for rule in patched(app):
            path = things[rule][0]
            answer = api.call("DELETE", path, headers={"If-Match": '"x"'})

            assert answer.status_code in (405, 412), path
            assert api.call("GET", path).status_code == 200


class TestReads:
    def test_what_the_caller_has_is_not_sent_again(self, app: Flask, api: Caller) -> None:
        paths = {path for path, *_ in everything(api).values()}
        paths |= {path for method, path, _ in operations(app) if method == "GET"}
        seen = 0
        for path in sorted(paths):
            full = api.call("GET", path)
            head = api.call("HEAD", path)
            assert (head.status_code, head.data) == (full.status_code, b""), path
            if full.status_code != 200:
                continue
            tag, seen = full.headers["ETag"], seen + 1
            assert head.headers["ETag"] == tag
            assert head.headers["Content-Length"] == full.headers["Content-Length"]
            for known in (tag, f'W/{tag}, "x"'):
                again = api.call("GET", path, headers={"If-None-Match": known})
                assert (again.status_code, again.data) == (304, b""), path
                assert again.headers["ETag"] == tag
                assert "Content-Type" not in again.headers
            assert api.call("GET", path, headers={"If-None-Match": '"x"'}).data == full.data

        assert seen >= 25

    @pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
    def test_options_names_the_methods_of_every_address(self, app: Flask, api: Caller) -> None:
        for method, path, _ in operations(app):
            answer = api.call("OPTIONS", path)

            assert answer.status_code == 200, path
            assert {method, "OPTIONS"} <= (answer.allow.as_set(preserve_casing=True)), path
