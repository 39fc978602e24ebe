"""Writes the table of docs/security.md: every requirement of OWASP ASVS and what proves it here.

    python -m tools.security_table            write it; exit 1 when a named test or place is missing

docs/security-asvs.toml holds the requirements. Each has exactly one of `tests`, `place`, `none`
and `open`.
"""

import ast
import re
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "docs" / "security-asvs.toml"
PAGE = ROOT / "docs" / "security.md"
BEGIN, END = "<!-- asvs -->", "<!-- /asvs -->"
KINDS = ("tests", "place", "none", "open")
_ID = re.compile(r"V\d+\.\d+\.\d+")

Requirement = dict[str, Any]
Chapter = dict[str, Any]  # id, title, requirements: id -> Requirement


def read_chapters(path: Path = SOURCE) -> list[Chapter]:
    chapters: list[Chapter] = tomllib.loads(path.read_text())["chapter"]
    return chapters


def requirements(chapters: list[Chapter]) -> dict[str, Requirement]:
    return {key: one for chapter in chapters for key, one in chapter["requirements"].items()}


def problems(chapters: list[Chapter], root: Path = ROOT) -> list[str]:
    """What is wrong with the list: shapes, tests and places that do not exist."""
    files = {
        test.partition("::")[0]
        for one in requirements(chapters).values()
        for test in one.get("tests", ())
    }
    known = {f"{file}::{test}" for file in files for test in tests_of(root / file)}
    return [
        f"{key}{problem}"
        for chapter in chapters
        for key, one in chapter["requirements"].items()
        for problem in _wrong(chapter["id"], key, one, root, known)
    ]


def _wrong(chapter: str, key: str, one: Requirement, root: Path, known: set[str]) -> Iterator[str]:
    if not _ID.fullmatch(key) or not key.startswith(f"{chapter}."):
        yield f" is no requirement of {chapter}."
    if sum(kind in one for kind in KINDS) != 1 or one["level"] not in (1, 2):
        yield f" needs a level and one of {', '.join(KINDS)}."
    if "place" in one and not (one.get("why") and (root / one["place"]).exists()):
        yield f": {one['place']} does not exist, or nothing says why."
    yield from (f": there is no test {test}." for test in one.get("tests", ()) if test not in known)


def tests_of(path: Path) -> set[str]:
    """`Class::test_name` of each test in a file; none when there is no such file."""
    if not path.is_file():
        return set()
    return {
        f"{group.name}::{test.name}"
        for group in ast.parse(path.read_text()).body
        if isinstance(group, ast.ClassDef)
        for test in group.body
        if isinstance(test, ast.FunctionDef) and test.name.startswith("test")
    }


def shares(chapters: list[Chapter]) -> Counter[tuple[int, str]]:
    """How many requirements of each level are proved in each way: (level, kind)."""
    return Counter(
        (one["level"], kind)
        for one in requirements(chapters).values()
        for kind in KINDS
        if kind in one
    )


def render(chapters: list[Chapter]) -> str:
    parts = [_summary(chapters)]
    for chapter in chapters:
        rows = [
            f"| {key} | {one['level']} | {one['says']} | {_proof(one)} |"
            for key, one in chapter["requirements"].items()
        ]
        head = (f"### {chapter['id']} {chapter['title']}\n", "| id | level | in short | here |",
                "|---|---|---|---|")  # fmt: skip
        parts.append("\n".join([*head, *rows]))
    return "\n\n".join(parts) + "\n"


def _summary(chapters: list[Chapter]) -> str:
    counted = shares(chapters)
    head = ["| level | by tests | by place and reason | does not apply | open |",
            "|---|---|---|---|---|"]  # fmt: skip
    rows = [
        f"| {level} | {' | '.join(str(counted[level, kind]) for kind in KINDS)} |"
        for level in (1, 2)
    ]
    return "\n".join(head + rows)


def _proof(one: Requirement) -> str:
    why = one.get("why", "")
    if "none" in one:
        return f"does not apply: {one['none']}"
    if "open" in one:
        return f"**open**: {one['open']}"
    if "place" in one:
        return f"[{one['place']}]({_link(one['place'])}): {why}"
    tests = ((_short(test), _link(test.partition("::")[0])) for test in one["tests"])
    named = "<br>".join(f"[{name}]({link})" for name, link in tests)
    return f"{named}<br>{why}" if why else named


def _link(path: str) -> str:
    return path.removeprefix("docs/") if path.startswith("docs/") else f"../{path}"


def _short(test: str) -> str:
    return test.removeprefix("tests/").replace(".py", "").replace("_", "\\_")


def page(text: str, chapters: list[Chapter]) -> str:
    """The page with its table made anew."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{render(chapters)}{END}{after}"


def main() -> int:
    chapters = read_chapters()
    PAGE.write_text(page(PAGE.read_text(), chapters))
    wrong = problems(chapters)
    sys.stderr.writelines(f"{one}\n" for one in wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
