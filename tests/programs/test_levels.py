"""Levels of programmes over HTTP."""

import pytest

from rewards_service.kit import ids
from tests.builders.api import Caller, Json

RULE: Json = {"name": "20 %", "kind": "percent", "rate": "0.20"}
ANN = {"name": "Ann", "email": "ann@partner.example"}


@pytest.fixture
def program(api: Caller) -> str:
    return str(api.create("/programs", name="Partners")["id"])


class TestLevels:
    def test_a_level_is_made_found_renamed_and_removed(self, api: Caller, program: str) -> None:
        gold = api.create(f"/programs/{program}/levels", name="Gold")
        path = f"/program-levels/{gold['id']}"

        assert gold["program_id"] == program
        assert api.get(path) == gold
        assert api.get(f"/programs/{program}/levels")["data"] == [gold]
        assert api.change(path, name="Platinum") == {**gold, "name": "Platinum"}
        assert api.call("DELETE", path).status_code == 204
        assert api.get(f"/programs/{program}/levels")["data"] == []
        assert api.call("GET", path).status_code == 404

    def test_a_name_is_taken_once_in_a_programme(self, api: Caller, program: str) -> None:
        path = f"/programs/{program}/levels"
        api.create(path, name="Gold")
        silver = api.create(path, name="Silver")
        other = api.create("/programs", name="Others")["id"]

        assert api.refused("POST", path, 409, name="Gold")["code"] == "level_name_taken"
        renamed = api.refused("PATCH", f"/program-levels/{silver['id']}", 409, name="Gold")
        assert renamed["code"] == "level_name_taken"
        assert api.create(f"/programs/{other}/levels", name="Gold")["program_id"] == other

    def test_a_level_with_rules_stays(self, api: Caller, program: str) -> None:
        gold = api.create(f"/programs/{program}/levels", name="Gold")["id"]
        rule = api.create("/reward-rules", program_id=program, level_id=gold, **RULE)

        assert rule["level_id"] == gold
        assert api.refused("DELETE", f"/program-levels/{gold}", 409)["code"] == "level_in_use"

    def test_a_level_that_a_partner_once_had_stays(self, api: Caller, program: str) -> None:
        gold = api.create(f"/programs/{program}/levels", name="Gold")["id"]
        api.create("/partners", **ANN, enrolments=[
            {"program_id": program, "level_id": gold, "until_on": "2020-01-01"},
        ])  # fmt: skip

        assert api.refused("DELETE", f"/program-levels/{gold}", 409)["code"] == "level_in_use"

    def test_a_rule_takes_levels_of_its_own_programme_only(self, api: Caller, program: str) -> None:
        other = api.create("/programs", name="Others")["id"]
        theirs = api.create(f"/programs/{other}/levels", name="Gold")["id"]
        for level in (theirs, ids.encode("lvl", 1_000_000)):
            body = {**RULE, "program_id": program, "level_id": level}

            assert api.pointers("POST", "/reward-rules", **body) == ["/level_id"]

    @pytest.mark.parametrize("name", ["", " ", "\x00", None, 1, "x" * 201])
    def test_a_name_is_a_short_text(self, api: Caller, program: str, name: object) -> None:
        assert api.pointers("POST", f"/programs/{program}/levels", name=name) == ["/name"]

    def test_there_is_none_in_a_programme_that_does_not_exist(self, api: Caller) -> None:
        path = "/programs/prg_4zqsxdqv6b6nn/levels"

        assert api.refused("POST", path, 404, name="Gold")["code"] == "not_found"
        assert api.call("GET", path).status_code == 404
