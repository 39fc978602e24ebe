"""Lists as files, for those who are signed in."""

import csv
from io import BytesIO, StringIO

from flask import Flask
from openpyxl import load_workbook

from rewards_service.accounts.permissions import OF_ROLE
from rewards_service.admin.numbers.files_routes import permission_of
from rewards_service.exports.subjects import Subject
from tests.admin.conftest import Enter
from tests.admin.visitor import Visitor
from tests.builders.api import Caller
from tests.builders.chargebee import paid
from tests.builders.world import World
from tests.test_api_files import lists


class TestFiles:
    def test_it_is_what_the_api_gives_with_the_same_filters(
        self, owner: Visitor, api: Caller, world: World
    ) -> None:
        for name in ("Ann", "=1+1", "@Cy"):
            world.partner(name)
        for path in ("/partners", "/partners?status=active", "/partners?sort=-id", "/rewards"):
            theirs = api.call("GET", path, headers={"Accept": "text/csv"})
            ours = owner.get("/files" + path)

            assert ours.get_data() == theirs.get_data()
            disposition = ours.headers["Content-Disposition"]
            assert disposition == theirs.headers["Content-Disposition"]
        names = [row["name"] for row in csv.DictReader(StringIO(owner.get("/files/partners").text))]
        assert names == ["Ann", "'=1+1", "'@Cy"]

    def test_a_workbook_and_a_report_too(self, owner: Visitor, world: World) -> None:
        world.lead("eve@buyer.example", world.partner())
        world.receive(paid("1", "cb1", "eve@buyer.example", 10_000))
        book = load_workbook(BytesIO(owner.get("/files/rewards?format=xlsx").get_data()))
        report = owner.get("/files/reports/rewards?group_by=partner&currency=").text
        offered = owner.get("/rewards?currency=USD").text

        assert len(list(book.active.rows)) == 2
        for address in (
            "/files/rewards?currency=USD",
            "/files/rewards?currency=USD&amp;format=xlsx",
        ):
            assert f'href="{address}"' in offered
        assert [row["amount_minor"] for row in csv.DictReader(StringIO(report))] == ["2000"]

    def test_what_gives_out_no_rows_is_not_there(self, owner: Visitor) -> None:
        for name in ("me", "exports", "nothing", "rewards/rew_1", "../admin", "api/v1/rewards"):
            assert owner.get(f"/files/{name}").status_code == 404

    def test_filters_that_the_list_does_not_take_are_named(self, owner: Visitor) -> None:
        wrong = owner.get("/files/rewards?status=made-up&colour=red&format=csv")

        assert wrong.status_code == 422
        assert "colour: Unknown field." in wrong.text
        assert owner.get("/files/rewards?format=json").status_code == 422

    def test_each_role_gets_the_lists_it_may_see_and_no_others(
        self, app: Flask, enter: Enter
    ) -> None:
        with app.app_context():
            wanted = {
                path: permission_of(Subject(view, table, {}))
                for path, table in lists(app)
                if "<" not in path and path != "/exports"
                for view in [view_of(app, path)]
            }
        for role in ("viewer", "finance"):
            person = enter(role)
            wrong = [
                path for path, permission in wanted.items()
                if (person.get("/files" + path).status_code == 403) == (permission in OF_ROLE[role])
            ]  # fmt: skip

            assert wrong == []
        assert {"keys:read", "audit:read", "webhooks:read", "rewards:read"} <= set(wanted.values())


def view_of(app: Flask, path: str) -> str:
    found: str = app.url_map.bind("").match("/api/v1" + path, method="GET")[0]
    return found
