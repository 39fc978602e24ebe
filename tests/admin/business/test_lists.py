"""Lists: what people type is found, and the address says it as the API does."""

import re
from html import unescape
from urllib.parse import unquote

from rewards_service.kit import ids
from tests.admin.business.books import Books
from tests.admin.visitor import Visitor
from tests.builders.world import World


def leads_to(person: Visitor, path: str, **typed: str) -> str:
    """Where a search goes: another address, or nowhere (""), when it is answered here."""
    answer = person.get(f"{path}?{_query(typed)}")
    return unquote(answer.headers.get("Location", ""))


def _query(typed: dict[str, str]) -> str:
    return "&".join(f"{name}={text}" for name, text in typed.items())


class TestShared:
    def test_a_deal_names_all_between_whom_it_is_split(
        self, owner: Visitor, company: Books
    ) -> None:
        shown = owner.get("/deals").text
        row = next(part for part in shown.split("<tr data-row>") if company.deal in part)

        assert f"/partners/{company.ann}" in row
        assert f"/partners/{company.bob}" in row


class TestSearch:
    def test_whatever_names_a_thing_finds_it(self, owner: Visitor, company: Books) -> None:
        found = owner.get("/leads?email=%20EVE@Buyer.EXAMPLE").text
        assert company.lead in found
        assert company.open_lead not in found
        assert leads_to(owner, "/leads", email=company.lead) == f"/leads/{company.lead}"
        assert leads_to(owner, "/leads", email="crm-1", status="lost") == (
            "/leads?status=lost&external_id=crm-1"
        )
        assert leads_to(owner, "/deals", partner_id="BOB@partner.example") == (
            f"/deals?partner_id={company.bob}"
        )
        assert company.open_deal in owner.get(f"/deals?partner_id={company.bob}").text
        assert leads_to(owner, "/customers", email="cb_eve") == (
            "/customers?chargebee_customer_id=cb_eve"
        )
        assert company.customer in owner.get("/customers?chargebee_customer_id=cb_eve").text

    def test_payments_by_any_id_of_chargebees_and_by_who_paid(
        self, owner: Visitor, company: Books
    ) -> None:
        name = "chargebee_transaction_id"
        assert company.earned in owner.get(f"/transactions?{name}=txn_a").text
        assert leads_to(owner, "/transactions", **{name: "inv_a"}) == (
            "/transactions?chargebee_invoice_id=inv_a"
        )
        assert leads_to(owner, "/transactions", **{name: "eve@buyer.example"}) == (
            f"/transactions?customer_id={company.customer}"
        )
        assert leads_to(owner, "/transactions", **{name: company.earned}) == (
            f"/transactions/{company.earned}"
        )
        late = owner.get("/transactions?occurred_at[gte]=2026-01-04").text
        assert company.nothing in late
        assert company.earned not in late
        assert "/files/transactions?occurred_at%5Bgte%5D=2026-01-04T00%3A00%3A00Z" in late

    def test_what_names_nothing_finds_nothing(self, owner: Visitor, company: Books) -> None:
        for path in (
            "/leads?partner_id=who", "/leads?email=a%00@b.c", "/leads?email=%E2%80%8B@",
            "/customers?email=x@y.example", "/transactions?occurred_at[lt]=yesterday",
            "/transactions?chargebee_transaction_id=x@y.example", "/transactions?customer_id=1",
        ):  # fmt: skip
            assert "Nothing fits these filters" in owner.get(path).text, path

    def test_long_lists_go_on_where_they_end(
        self, owner: Visitor, company: Books, world: World
    ) -> None:
        keys = [world.lead(f"n{number}@many.example") for number in range(60)]
        first = owner.get(f"/leads?partner_id={company.ann}").text
        assert first.count("<tr data-row>") == 2
        page = owner.get("/leads?status=accepted").text
        found = re.search(r'href="([^"]+)" rel="next"', page)
        assert found is not None
        second = owner.get(unescape(found.group(1))).text

        assert page.count("<tr data-row>") == 50
        assert second.count("<tr data-row>") == 11
        assert ids.encode("led", keys[0]) in second
        assert company.lead not in second  # converted
