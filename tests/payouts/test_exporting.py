"""Files of payouts: what stands in them, and that the same is handed out again."""

import csv
from dataclasses import replace
from datetime import UTC, date, datetime
from hashlib import sha256
from io import BytesIO, StringIO
from xml.etree import ElementTree

import pytest
from openpyxl import load_workbook
from sepaxml.validation import try_valid_xml

from rewards_service.kit.cells import decimal_text, harmless
from rewards_service.kit.db import transaction
from rewards_service.kit.errors import RewardsError, Unprocessable
from rewards_service.partners.models import Partner
from rewards_service.partners.payout_details import change_details
from rewards_service.payouts import export_csv, export_sepa, exporting, queries, service
from rewards_service.payouts.models import FORMATS
from rewards_service.payouts.rows import Payable
from rewards_service.payouts.service import PayoutWrongStatus, RateMissing
from tests.payouts.books import IBANS, Books, public

PAIN = {"p": f"urn:iso:std:iso:20022:tech:xsd:{export_sepa.SCHEMA}"}


@pytest.fixture
def books(books: Books) -> Books:
    books.settings = replace(
        books.settings, payer_name="Ünï GmbH", payer_iban="NL91ABNA0417164300", payer_bic=None
    )
    return books


def export(books: Books, kind: str, *payouts: int, part: int = 1) -> bytes:
    with transaction(books.engine) as session:
        made = exporting.export(session, books.settings, payouts, kind, part, "test")
        assert sha256(made.content).hexdigest() == made.sha256
        return bytes(made.content)


def cells(content: bytes) -> list[list[str]]:
    return list(csv.reader(StringIO(content.decode(), newline="")))


def ready(books: Books, partner: int, amount: int = 1_000, currency: str = "EUR") -> int:
    books.reward(partner, amount, currency=currency)
    payout = books.payout(partner, currency=currency)
    books.ready(payout)
    return payout


def everywhere(books: Books, name: str = "Ann") -> int:
    """A partner who can be paid in every way."""
    email = f"{name.lower()}@pay.example"
    return books.partner(name, iban=IBANS[name], paypal_email=email, wise_email=email)


class TestExport:
    def test_the_same_payout_gives_the_same_bytes(self, books: Books) -> None:
        """DOMAIN V6: file hash stored."""
        payout = ready(books, everywhere(books))
        for kind in FORMATS:
            assert export(books, kind, payout) == export(books, kind, payout)

        with transaction(books.engine) as session:
            kept = queries.exports_of(session, [payout])[payout]
        assert [one.format for one in kept] == list(FORMATS)

    def test_a_corrected_account_gives_another_file_until_it_is_paid(self, books: Books) -> None:
        ann = everywhere(books)
        payout = ready(books, ann)
        before = export(books, "sepa", payout)
        self._change_account(books, ann)
        after = export(books, "sepa", payout)
        assert (IBANS["Ann"] in before.decode(), IBANS["Bob"] in after.decode()) == (True, True)

        with transaction(books.engine) as session:
            service.mark_paid(session, payout, date(2026, 4, 2), None, "test")
        books.settings = replace(books.settings, payer_name="Another")
        assert export(books, "sepa", payout) == after

    def _change_account(self, books: Books, partner: int) -> None:
        with transaction(books.engine) as session:
            row = session.get_one(Partner, partner)
            change_details(session, books.settings, row, {"iban": IBANS["Bob"]}, "test")

    def test_files_that_move_money_hold_only_what_was_accepted(self, books: Books) -> None:
        books.reward(everywhere(books), 1_000, currency="EUR")
        payout = books.payout(currency="EUR")
        for kind in exporting.TO_PAY:
            with pytest.raises(PayoutWrongStatus, match="is draft"):
                export(books, kind, payout)
        assert export(books, "csv", payout)
        books.cancel(payout)
        for kind in FORMATS:
            with pytest.raises(PayoutWrongStatus, match="is cancelled"):
                export(books, kind, payout)

    def test_what_is_not_known_is_named(self, books: Books) -> None:
        ann = books.partner("Ann", bic="COBADEFFXXX")
        payout = ready(books, ann)
        lacking = {"paypal": "paypal_email", "wise": "iban or wise_email", "sepa": "iban"}
        for kind, member in lacking.items():
            with pytest.raises(exporting.PayoutDetailsMissing) as refusal:
                export(books, kind, payout)
            assert f"needs {member} in the payout_details of {public([ann], 'par')[0]}" in str(
                refusal.value
            )

    def test_without_payer_there_is_no_sepa_file(self, books: Books) -> None:
        payout = ready(books, everywhere(books))
        books.settings = replace(books.settings, payer_iban=None)
        with pytest.raises(exporting.PayerMissing, match="PAYER_IBAN"):
            export(books, "sepa", payout)

    def test_one_file_has_one_currency_where_the_provider_wants_it(self, books: Books) -> None:
        ann, bob = everywhere(books), everywhere(books, "Bob")
        payouts = ready(books, ann, currency="USD"), ready(books, bob, currency="EUR")
        for kind in ("paypal", "sepa"):
            with pytest.raises(exporting.MixedPayouts):
                export(books, kind, *payouts)
        with pytest.raises(exporting.MixedPayouts, match="EUR only"):
            export(books, "sepa", payouts[0])

        assert len(cells(export(books, "wise", *payouts))) == 3

    def test_a_payout_that_is_not_converted_is_in_no_file(self, books: Books) -> None:
        """DOMAIN V7."""
        books.reward(books.partner(payout_currency="EUR", paypal_email="a@b.example"), 1_000)
        payout = books.payout()
        rows = cells(export(books, "csv", payout))
        assert (rows[1][5], rows[1][7]) == ("10.00", "")
        for kind in exporting.TO_PAY:
            with pytest.raises((RateMissing, PayoutWrongStatus)):
                export(books, kind, payout)

    def test_a_file_beyond_the_providers_limit_comes_in_parts(
        self, books: Books, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """DOMAIN V6: PayPal takes 5,000 lines a file."""
        assert exporting.LARGEST == {"paypal": 5_000, "wise": 1_000, "sepa": 5_000}
        monkeypatch.setitem(exporting.LARGEST, "paypal", 2)
        payouts = [ready(books, everywhere(books, name)) for name in ("Ann", "Bob", "Ann")]
        parts = [cells(export(books, "paypal", *payouts, part=part)) for part in (1, 2)]

        assert [[row[3] for row in rows] for rows in parts] == [
            public(payouts[:2]), public(payouts[2:]),
        ]  # fmt: skip
        with pytest.raises(Unprocessable, match="2 parts"):
            export(books, "paypal", *payouts, part=3)


class TestFormats:
    def test_csv_has_a_row_for_each_reward(self, books: Books) -> None:
        ann = books.partner("=Ann")
        first = books.reward(ann, 1_000)
        books.pay(books.payout())
        books.take_back(first, 250)
        books.reward(ann, 400)
        header, *rows = cells(export(books, "csv", books.payout()))

        assert tuple(header) == export_csv.HEADER
        assert sorted(row[5] for row in rows) == ["-2.50", "4.00"]
        assert {(row[2], row[6]) for row in rows} == {("'=Ann", "USD")}

    def test_a_workbook_keeps_numbers_as_numbers_and_texts_as_texts(self, books: Books) -> None:
        ann = books.partner('=HYPERLINK("http://x")')
        books.reward(ann, 123_456, currency="KWD")
        books.reward(ann, 93, currency="JPY")
        payouts = books.payout(currency="KWD"), books.payout(currency="JPY")
        book = load_workbook(BytesIO(export(books, "xlsx", *payouts)))
        rows = list(book["Payouts"].iter_rows(min_row=2))

        assert [row[5].value for row in rows] == [123.456, 93]
        assert [row[5].number_format for row in rows] == ["0.000", "0"]
        assert {(row[2].value, row[2].data_type) for row in rows} == {
            ('=HYPERLINK("http://x")', "s")
        }
        assert [row[5].value for row in book["Rewards"].iter_rows(min_row=2)] == [123.456, 93]

    def test_paypal_gets_address_amount_currency_and_our_id(self, books: Books) -> None:
        payout = ready(books, everywhere(books), 93, currency="JPY")
        (key,) = public([payout])

        assert cells(export(books, "paypal", payout)) == [
            ["ann@pay.example", "93", "JPY", key, f"Payout {key}", "PAYPAL"]
        ]

    def test_wise_gets_the_iban_or_the_address(self, books: Books) -> None:
        both = ready(books, everywhere(books))
        email = ready(books, books.partner("Bob", wise_email="bob@pay.example"))
        header, *rows = cells(export(books, "wise", both, email))

        assert tuple(header) == export_csv.WISE_HEADER
        assert [(row[0], row[1], row[5], row[8]) for row in rows] == [
            ("Ann", "ann@pay.example", "10.00", IBANS["Ann"]),
            ("Bob", "bob@pay.example", "10.00", ""),
        ]

    def test_sepa_is_valid_and_sums_up(self, books: Books) -> None:
        payouts = [ready(books, everywhere(books)), ready(books, everywhere(books, "Bob"), 250)]
        content = export(books, "sepa", *payouts)
        try_valid_xml(content, export_sepa.SCHEMA)
        root = ElementTree.fromstring(content)  # noqa: S314

        assert root.findtext(".//p:GrpHdr/p:CtrlSum", None, PAIN) == "12.50"
        ends = [e.text for e in root.iterfind(".//p:EndToEndId", PAIN)]
        assert ends == public(payouts)
        assert root.findtext(".//p:DbtrAgt/p:FinInstnId/p:Othr/p:Id", None, PAIN) == "NOTPROVIDED"
        assert root.findtext(".//p:InitgPty/p:Nm", None, PAIN) == "Uni GmbH"


class TestSepa:
    def test_what_the_schema_forbids_is_refused(self) -> None:
        one = Payable(
            "pay_1", "par_1", "Ann", "ann@partner.example", "EUR", 100, "EUR", 100,
            date(2026, 4, 1), None, datetime(2026, 4, 1, tzinfo=UTC),
            {"iban": "not an account", "bic": "COBADEFFXXX"},
        )  # fmt: skip
        payer = export_sepa.Payer("Payer", "NL91ABNA0417164300", "ABNANL2A")
        with pytest.raises(export_sepa.SepaRefused) as refusal:
            export_sepa.render([one], payer, "message")

        assert isinstance(refusal.value, RewardsError)

        good = one._replace(details={"iban": IBANS["Ann"], "bic": "COBADEFFXXX"})
        assert b"<BICFI>COBADEFFXXX</BICFI>" in export_sepa.render([good], payer, "message")


class TestCells:
    @pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "\n"])
    def test_no_text_becomes_a_formula(self, sign: str) -> None:
        assert harmless(f"{sign}1+1") == f"'{sign}1+1"
        assert (harmless("1-1"), harmless(None)) == ("1-1", "")

    def test_amounts_have_the_places_of_their_currency(self) -> None:
        """DOMAIN A1."""
        given = ((93, "JPY"), (-1_250, "USD"), (1_234, "KWD"), (5, "EUR"))
        shown = [decimal_text(*one) for one in given]

        assert shown == ["93", "-12.50", "1.234", "0.05"]
