"""The page that maps every rule of the domain to its tests is whole and up to date."""

from textwrap import dedent

import pytest

from tools import domain_table as table


class TestPage:
    def test_every_rule_has_a_test(self) -> None:
        assert table.untested(table.read_chapters(), table.collect()) == []

    def test_no_test_cites_a_rule_that_does_not_exist(self) -> None:
        assert table.unknown(table.read_chapters(), table.collect()) == []

    def test_the_page_says_what_the_tests_say_now(self) -> None:
        """`make docs` writes it anew."""
        assert table.PAGE.read_text() == table.render(table.read_chapters(), table.collect())

    def test_no_id_of_a_chapter_is_left_out(self) -> None:
        ids = [name for rules in table.read_chapters().values() for name in rules]
        last = {"E": 5, "M": 18, "S": 7, "A": 14, "V": 11, "T": 10}

        assert ids == [f"{letter}{n}" for letter, end in last.items() for n in range(1, end + 1)]


class TestCitedIds:
    @pytest.mark.parametrize(
        ("docstring", "ids"),
        [
            ("DOMAIN A4: targets.", {"A4"}),
            ("DOMAIN A4, V3 and V10.", {"A4", "V3", "V10"}),
            ("Proves DOMAIN M15-M17, V10; `step`: 1.", {"M15", "M16", "M17", "V10"}),
            ("What takes a reward back (V3, M15).", {"V3", "M15"}),
            ("DOMAIN V8: sides sum to 0; V1: rows are added.", {"V8", "V1"}),
            ("DOMAIN A4: once.\n\nAnd so on. T1-T3: 417.", {"A4", "T1", "T2", "T3"}),
        ],
    )
    def test_after_the_word_or_in_brackets(self, docstring: str, ids: set[str]) -> None:
        assert table.cited_ids(docstring) == ids

    @pytest.mark.parametrize(
        "docstring", [None, "Invoice A4 of T1.", "DOMAIN, in A4.", "(see A4)", "DOMAINS1", "(A412)"]
    )
    def test_not_anywhere_else(self, docstring: str | None) -> None:
        assert table.cited_ids(docstring) == set()


class TestCitations:
    SOURCE = dedent('''
        """Of all (A1)."""

        def make_it():
            """DOMAIN A9: no test."""

        class TestX:
            """DOMAIN A2."""

            def test_y(self):
                """DOMAIN A3."""

        def test_z():
            pass
    ''')

    def test_what_stands_above_speaks_for_all_below(self) -> None:
        found = [(name, test.name) for name, test in table.citations("tests/f.py", self.SOURCE)]

        assert found == [
            ("A1", "TestX.test_y"), ("A2", "TestX.test_y"), ("A3", "TestX.test_y"), ("A1", "test_z")
        ]  # fmt: skip


class TestUntested:
    def test_names_rules_that_no_test_cites(self) -> None:
        chapters = {"Chapter": {"A1": "one", "A2": "two"}}
        found = {"A1": [table.Test("tests/f.py", "test_x")], "A9": []}

        assert table.untested(chapters, found) == ["A2"]
        assert table.unknown(chapters, found) == ["A9"]
