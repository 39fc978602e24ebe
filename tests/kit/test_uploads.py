"""Uploaded CSV: read as people's programs write it, refused with line and column."""

import pytest

from rewards_service.kit.uploads import Flaw, Record, read_sheet

KNOWN = ("email", "company", "external_id")


def flaws(body: bytes) -> list[Flaw]:
    return read_sheet(body, KNOWN, 10).flaws


class TestReadSheet:
    @pytest.mark.parametrize("sign", [",", ";", "\t"])
    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    @pytest.mark.parametrize("mark", ["", "\ufeff"])
    def test_whatever_separates_cells_and_lines(self, sign: str, end: str, mark: str) -> None:
        lines = [("email", "company"), ("ä@b.example", '"A, B; C"'), ("", ""), ("c@d.example", "")]
        text = mark + end.join(sign.join(cells) for cells in lines) + end

        sheet = read_sheet(text.encode(), KNOWN, 10)

        assert (sheet.columns, sheet.flaws) == (["email", "company"], [])
        assert sheet.records == [
            Record(2, {"email": "ä@b.example", "company": "A, B; C"}),
            Record(4, {"email": "c@d.example"}),
        ]

    def test_one_column_needs_no_separator_and_spaces_around_cells_are_nothing(self) -> None:
        assert read_sheet(b" email \n a@b.example ", KNOWN, 10).records == [
            Record(2, {"email": "a@b.example"})
        ]

    def test_lines_are_counted_through_cells_of_several_lines(self) -> None:
        body = b'email,company\na@b.example,"two\nlines"\n=x@b.example,C\n'
        sheet = read_sheet(body, KNOWN, 10)

        assert [record.line for record in sheet.records] == [2, 4]
        assert [(flaw.line, flaw.column) for flaw in sheet.flaws] == [(4, "email")]

    @pytest.mark.parametrize(
        "cell", ["=1+1", "+49", "-x", "@SUM(A1)", "\tx", "-1+cmd|' /C calc'!A0"]
    )
    def test_formulas_are_refused(self, cell: str) -> None:
        (flaw,) = flaws(f'email,company\na@b.example,"{cell}"\n'.encode())

        assert flaw[:2] == (2, "company")
        assert "formula" in flaw[2]

    @pytest.mark.parametrize(
        ("body", "line", "column", "said"),
        [
            (b"", 1, None, "empty"),
            (b"\n\n", 1, None, "empty"),
            ("email\nä".encode("latin-1"), 2, None, "0xe4"),
            ("\ufeffemail\n".encode() + b"\xff", 2, None, "0xff"),
            ("email".encode("utf-16"), 1, None, "UTF-16"),
            (b"email\na\n\0", 3, None, "NUL"),
            (b"email,email\n", 1, "email", "twice"),
            (b"email,mail\n", 1, "mail", "Known are: email"),
            (b"email,Company\n", 1, "Company", "no column"),
            (b"email,,company\n", 1, None, "Column 2 has no name"),
            (b'email\n"a', 2, None, "Cannot be read"),
            (b'email,company\n"a"b,c\n', 2, None, "Cannot be read"),
            (b"email\n" + b"x" * 200_000, 2, None, "Cannot be read"),
            (b"email,company\na\n", 2, None, "Has 1 cells, and the header 2"),
            (b"email\n" + b"a@b.example\n" * 11, 12, None, "More than 10 rows"),
        ],
    )
    def test_what_is_wrong_has_its_line_and_column(
        self, body: bytes, line: int, column: str | None, said: str
    ) -> None:
        found = flaws(body)

        assert [flaw[:2] for flaw in found] == [(line, column)]
        assert said in found[0][2]

    def test_a_file_broken_in_the_middle_has_no_rows_at_all(self) -> None:
        sheet = read_sheet(b'email\na@b.example\n"x', KNOWN, 10)

        assert sheet.records == []
        assert sheet.flaws == [Flaw(3, None, "Cannot be read as CSV: unexpected end of data.")]
