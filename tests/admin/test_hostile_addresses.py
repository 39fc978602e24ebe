"""Whatever stands in an address: a page or a refusal, on both databases."""

import re

import pytest
from flask import Flask

from tests.admin.test_guard import addresses
from tests.admin.visitor import Visitor

# Lists that look in the address for what a person, or a program, may have meant.
SEARCHES = (
    "/leads?partner_id=", "/leads?email=", "/deals?contact_email=", "/customers?email=",
    "/transactions?chargebee_transaction_id=", "/transactions?partner_id=", "/rewards?search=",
    "/payouts?search=", "/partners?search=", "/events?search=", "/audit?actor=", "/search?q=",
    "/payouts/make?partner=", "/keys/new?partner_id=", "/settings/rates?new_from=",
)  # fmt: skip


class TestAddresses:
    def test_ids_of_nothing_are_not_found(self, app: Flask, owner: Visitor) -> None:
        wrong = []
        for method, rule, endpoint in addresses(app):
            if (
                method != "GET"
                or "<" not in rule
                or endpoint in ("admin.static", "setup.show_test")
            ):
                continue
            path = re.sub(r"<[^>]+>", "a%00b", rule)
            if (code := owner.get(path).status_code) not in (302, 404):
                wrong.append((path, code))

        assert wrong == []

    @pytest.mark.parametrize("text", ["a%00b", "%ED%A0%BD", "9" * 30])
    def test_texts_that_no_database_holds_are_not_looked_for(
        self, owner: Visitor, text: str
    ) -> None:
        wrong = [
            (path, code) for path in SEARCHES
            if (code := owner.get(path + text).status_code) not in (200, 302)
        ]  # fmt: skip

        assert wrong == []

    def test_a_partner_that_no_database_holds_is_refused_at_its_field(self, owner: Visitor) -> None:
        answer = owner.post("/payouts/make", partner="a\x00b", currency="EUR", cut_off="2026-01-31")

        assert answer.status_code == 422
