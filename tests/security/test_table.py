"""The list of requirements is whole, up to date, and names tests that exist."""

from pathlib import Path

from tools import security_table as table

# How many requirements of levels 1 and 2 each section of the standard has, as of 5.0.0.
SECTIONS = {
    "V1": (2, 9, 11, 3, 2), "V2": (3, 3, 4, 1), "V3": (0, 2, 4, 6, 5, 0, 2), "V4": (3, 1, 2, 4),
    "V5": (1, 3, 2, 3), "V6": (3, 12, 4, 4, 5, 3, 0, 4), "V7": (3, 4, 2, 5, 2, 2),
    "V8": (2, 3, 1, 1), "V9": (3, 4), "V10": (2, 2, 4, 11, 5, 2, 3), "V11": (2, 3, 3, 4, 1, 1),
    "V12": (3, 2, 4), "V13": (1, 5, 2, 5), "V14": (2, 4, 3), "V15": (3, 3, 7),
    "V16": (1, 5, 4, 3, 3), "V17": (1, 4, 2),
}  # fmt: skip
CHAPTERS = table.read_chapters()


class TestPage:
    def test_every_requirement_of_both_levels_is_there(self) -> None:
        wanted = {
            f"{chapter}.{section}.{number}"
            for chapter, sizes in SECTIONS.items()
            for section, size in enumerate(sizes, 1)
            for number in range(1, size + 1)
        }

        assert set(table.requirements(CHAPTERS)) == wanted

    def test_each_names_a_test_that_exists_or_a_place_with_a_reason(self) -> None:
        assert table.problems(CHAPTERS) == []

    def test_the_page_says_what_the_list_says_now(self) -> None:
        """`make docs` writes it anew."""
        text = table.PAGE.read_text()

        assert text == table.page(text, CHAPTERS)

    def test_nothing_of_level_1_is_open_and_hardly_anything_of_level_2(self) -> None:
        counted = table.shares(CHAPTERS)
        applying = sum(counted[2, kind] for kind in ("tests", "place", "open"))

        assert counted[1, "open"] == 0
        assert counted[2, "open"] <= 0.1 * applying


class TestProblems:
    def test_what_does_not_exist_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "test_x.py").write_text("class TestX:\n    def test_y(self):\n        pass\n")
        good = {"level": 1, "says": "good", "tests": ["test_x.py::TestX::test_y"]}
        for wrong, named in (
            ({**good, "tests": ["test_x.py::TestX::test_z"]}, "V1.1.1: there is no test"),
            ({**good, "tests": ["test_q.py::TestX::test_y"]}, "V1.1.1: there is no test"),
            ({**good, "open": "both"}, "V1.1.1 needs"),
            ({"level": 1, "says": "bare"}, "V1.1.1 needs"),
            ({"level": 1, "says": "s", "place": "test_q.py", "why": "so"}, "does not exist"),
            ({"level": 1, "says": "s", "place": "test_x.py"}, "nothing says why"),
        ):
            one = [{"id": "V1", "title": "One", "requirements": {"V1.1.1": wrong}}]
            assert [named in text for text in table.problems(one, tmp_path)] == [True], wrong
        one = [{"id": "V1", "title": "One", "requirements": {"V1.1.1": good}}]
        assert table.problems(one, tmp_path) == []
        one[0]["id"] = "V2"
        assert table.problems(one, tmp_path) == ["V1.1.1 is no requirement of V2."]
