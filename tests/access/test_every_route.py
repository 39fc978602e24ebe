"""Every address that is served stands in one table of who may use it: a new one must be entered."""

from pathlib import Path

import pytest
from flask import Flask

from rewards_service.admin.pages import is_page
from tests.access.table import committed
from tests.builders.api import PREFIX

PAGES = Path(__file__).parents[1] / "admin" / "roles.txt"
# For machines and everybody: they read only, and tell nothing about anybody.
PUBLIC = {
    "/api/openapi.json", "/api/docs", "/api/docs/<name>", "/livez", "/readyz", "/metrics",
}  # fmt: skip


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
class TestEveryRoute:
    def test_it_is_in_one_table_and_the_tables_name_no_other(self, app: Flask) -> None:
        served = {
            (method, rule.rule)
            for rule in app.url_map.iter_rules()
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        }
        operations = {(one.method, PREFIX + one.path) for one in committed()}
        lines = [line.split() for line in PAGES.read_text().splitlines()]
        pages = {(method, rule) for method, rule, _permission in lines}
        public = {("GET", rule) for rule in PUBLIC}

        assert served == operations | pages | public
        assert len(served) == len(operations) + len(pages) + len(public)

    def test_what_is_for_everybody_is_asked_for_by_get_alone(self, app: Flask) -> None:
        for rule in app.url_map.iter_rules():
            if rule.rule in PUBLIC:
                assert rule.methods == {"GET", "HEAD", "OPTIONS"}
                assert not is_page(rule.rule)
