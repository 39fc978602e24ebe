"""Deals from CSV: with money and shares."""

import pytest

from tests.builders.api import Caller
from tests.crm.importer import Importer, tally

DEALS = "/deals/import"
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def importer(api: Caller) -> Importer:
    return Importer(api)


class TestDeals:
    def test_shares_and_money_come_with_them(self, importer: Importer) -> None:
        text = (
            "name,contact_email,amount_minor,currency,stage,shares,external_id\n"
            f"One,a@b.example,125000,USD,won,ann-1:2500|{importer.bob}:7500,d-1\n"
            "Two,,,,,,d-2\n"
        )
        found = importer.done(DEALS, text)
        one, two = importer.api.get("/deals")["data"]

        assert tally(found) == (2, 0, 0)
        assert (one["amount_minor"], one["currency"], one["stage"]) == (125_000, "USD", "won")
        assert one["shares"] == [
            {"partner_id": importer.ann, "basis_points": 2_500},
            {"partner_id": importer.bob, "basis_points": 7_500},
        ]
        assert (two["amount_minor"], two["stage"], two["shares"]) == (None, "open", [])
        assert tally(importer.done(DEALS, text)) == (0, 0, 2)
        changed = importer.done(DEALS, "external_id,shares\nd-1,ann-1:10000\n")
        assert tally(changed) == (0, 1, 0)
        assert importer.api.get("/deals")["data"][0]["shares"] == [
            {"partner_id": importer.ann, "basis_points": 10_000}
        ]
        (log,) = importer.api.get("/audit-log", action="deal.changed")["data"]
        assert len(log["detail"]["before"]["shares"]) == 2

    @ON_SQLITE
    @pytest.mark.parametrize(
        ("amount", "currency", "column"),
        [("12.50", "USD", "amount_minor"), ("1e3", "USD", "amount_minor"),
         ("1'250", "USD", "amount_minor"), ("١٢", "USD", "amount_minor"),
         ("0x10", "USD", "amount_minor"), ("-1", "USD", "amount_minor"),
         ("9" * 19, "USD", "amount_minor"), ("9" * 5000, "USD", "amount_minor"),
         ("100", "", "currency"), ("", "USD", "amount_minor"), ("100", "usd", "currency"),
         ("100", "XXX$", "currency")],
    )  # fmt: skip
    def test_money_is_whole_minor_units_with_their_currency(
        self, importer: Importer, amount: str, currency: str, column: str
    ) -> None:
        text = f"name,amount_minor,currency\nD,{amount},{currency}\n"

        assert importer.flaws(DEALS, text) == [(2, column)]

    @ON_SQLITE
    @pytest.mark.parametrize(
        "shares", ["ann-1:9999", "ann-1:5000|ann-1:5000", "ann-1", "ann-1:50.5", "nobody:10000",
                   "ann-1:10000|", ":10000", "ann-1:-1|bob@partner.example:10001"],
    )  # fmt: skip
    def test_shares_sum_to_the_whole_among_different_partners(
        self, importer: Importer, shares: str
    ) -> None:
        """DOMAIN S7."""
        assert importer.flaws(DEALS, f"name,shares\nD,{shares}\n") == [(2, "shares")]
