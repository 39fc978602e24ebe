"""Columns from schemas, and cells from rows."""

import csv
from io import BytesIO, StringIO

import pytest
from marshmallow import Schema, fields
from openpyxl import load_workbook

from rewards_service.kit.cells import csv_bytes, csv_line_cells, harmless, plain
from rewards_service.kit.sheets import TableSheet
from rewards_service.kit.tables import cells_of, columns_of, money_of


class PlaceSchema(Schema):
    site = fields.String()
    fee_minor = fields.Integer()


class RowSchema(Schema):
    id = fields.String()
    secret = fields.String(load_only=True)
    amount_minor = fields.Integer()
    currency = fields.String()
    pay_total_minor = fields.Integer()
    pay_currency = fields.String()
    at = fields.String(data_key="when")
    place = fields.Nested(PlaceSchema, allow_none=True)
    parts = fields.List(fields.Nested(PlaceSchema))
    bounds = fields.Dict()


COLUMNS = columns_of(RowSchema())
ROW = {
    "id": "r", "amount_minor": -1_250, "currency": "USD", "pay_total_minor": 93,
    "pay_currency": "JPY", "when": "now", "place": {"site": "=1+1", "fee_minor": 5},
    "parts": [{"site": "a"}], "bounds": {"USD": 1},
}  # fmt: skip


class TestColumnsOf:
    def test_an_object_is_a_column_for_each_member_and_what_is_only_written_is_none(self) -> None:
        assert [column.name for column in COLUMNS] == [
            "id", "amount_minor", "currency", "pay_total_minor", "pay_currency", "when",
            "place.site", "place.fee_minor", "parts", "bounds",
        ]  # fmt: skip


class TestCellsOf:
    def test_lists_and_maps_are_json_and_what_is_missing_is_nothing(self) -> None:
        cells = cells_of(COLUMNS, ROW)

        assert cells[-4:] == ["=1+1", 5, '[{"site":"a"}]', '{"USD":1}']
        assert cells_of(COLUMNS, {"id": "r", "place": None})[1:] == [None] * 9

    def test_truth_is_a_word(self) -> None:
        assert (plain(True), plain(0), plain(None)) == ("true", 0, None)


class TestHarmless:
    @pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
    def test_no_text_is_a_formula_whatever_else_it_holds(self, sign: str) -> None:
        text = f'{sign}HYPERLINK("x";1),2'
        line = csv_bytes([csv_line_cells([text, -5, text])]).decode()

        assert next(csv.reader(StringIO(line, newline=""))) == [f"'{text}", "-5", f"'{text}"]
        assert harmless(f"a{text}") == f"a{text}"


class TestTableSheet:
    def test_amounts_are_numbers_of_their_currency_beside_the_minor_units(self) -> None:
        target = BytesIO()
        sheet = TableSheet(target, COLUMNS)
        sheet.add([cells_of(COLUMNS, ROW), cells_of(COLUMNS, {**ROW, "currency": None})])
        sheet.close()
        header, first, second = load_workbook(target).active.iter_rows()
        found = {title.value: cell for title, cell in zip(header, first, strict=True)}

        assert (found["amount_minor"].value, found["amount"].value) == (-1_250, -12.5)
        assert found["amount"].number_format == "0.00"
        assert (found["pay_total"].value, found["pay_total"].number_format) == (93, "0")
        assert found["place.fee"].value == 0.05
        assert (found["place.site"].value, found["place.site"].data_type) == ("=1+1", "s")
        assert second[2].value is None

    def test_a_currency_is_found_beside_its_amount_before_around_it(self) -> None:
        names = {
            COLUMNS[place].name: COLUMNS[m.currency].name for place, m in money_of(COLUMNS).items()
        }

        assert names == {
            "amount_minor": "currency", "pay_total_minor": "pay_currency",
            "place.fee_minor": "currency",
        }  # fmt: skip

    def test_what_a_spreadsheet_would_round_or_cut_is_a_text_that_says_so(self) -> None:
        target = BytesIO()
        sheet = TableSheet(target, COLUMNS)
        sheet.add([cells_of(COLUMNS, {**ROW, "amount_minor": 2**62, "when": "x" * 40_000})])
        sheet.close()
        _, row = load_workbook(target).active.iter_rows(values_only=True)

        assert row[1:3] == (str(2**62), "46116860184273879.04")
        assert (len(row[7]), row[7][-1]) == (32_767, "…")
