"""Writes docs/domain.md: every rule of the domain and the tests that cite it.

    python -m tools.domain_table            write the page; exit 1 when a rule has no test
    python -m tools.domain_table A4 V10     name the tests of these rules

A docstring of a test, of its class or of its module cites a rule by its id after the word DOMAIN
or in brackets: "DOMAIN A4, V8: ...", "DOMAIN M15-M18", "... (A2, A3)". Ids anywhere else are not
citations, so that "invoice T1" or "paper A4" proves nothing.
"""

import ast
import re
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
RULES = ROOT / "docs" / "domain-rules.toml"
PAGE = ROOT / "docs" / "domain.md"
_ID = r"[EMSAVT]\d{1,2}\b"
_ITEM = rf"{_ID}(?:-{_ID})?"
_LIST = rf"{_ITEM}(?:(?:, | and ){_ITEM})*"
# After the word; or alone in brackets; or a further one of a docstring, before its colon.
CITATION = re.compile(rf"\bDOMAIN\s+({_LIST})|\(({_LIST})\)|[;.]\s+({_LIST}):")
HEAD = """# The rules of the domain and their tests

Made by `make docs` from `docs/domain-rules.toml` and the docstrings of the tests; it fails when a
rule has no test. [How a payment becomes a reward](rules.md) explains the rules. The number is how
many tests of a file cite the rule; `python -m tools.domain_table A4` names them.
"""


class Test(NamedTuple):
    """A test that cites rules, by its file below the root and its name."""

    file: str
    name: str


Chapters = dict[str, dict[str, str]]  # title -> rule -> what it says


def read_chapters(path: Path = RULES) -> Chapters:
    chapters = tomllib.loads(path.read_text())["chapter"]
    return {chapter["title"]: chapter["rules"] for chapter in chapters}


def cited_ids(docstring: str | None) -> set[str]:
    """The ids that a docstring cites, ranges written out."""
    found: set[str] = set()
    for match in CITATION.finditer(docstring or ""):
        for item in re.findall(_ITEM, next(group for group in match.groups() if group)):
            first, _, last = item.partition("-")
            end = int((last or first)[1:])
            found |= {f"{first[0]}{number}" for number in range(int(first[1:]), end + 1)}
    return found


def citations(file: str, source: str) -> Iterator[tuple[str, Test]]:
    """(id, test) for each test of a file; a class's or module's docstring speaks for all in it."""
    tree = ast.parse(source)
    yield from _citations(file, tree, "", set())


def _citations(
    file: str, node: ast.Module | ast.ClassDef, prefix: str, above: set[str]
) -> Iterator[tuple[str, Test]]:
    ids = above | cited_ids(ast.get_docstring(node))
    for child in node.body:
        if isinstance(child, ast.ClassDef):
            yield from _citations(file, child, f"{prefix}{child.name}.", ids)
        elif isinstance(child, ast.FunctionDef) and child.name.startswith("test"):
            for name in sorted(ids | cited_ids(ast.get_docstring(child))):
                yield name, Test(file, prefix + child.name)


def collect(root: Path = ROOT) -> dict[str, list[Test]]:
    """The tests of each id that is cited anywhere, in the order of files and lines."""
    found: dict[str, list[Test]] = {}
    for path in sorted((root / "tests").rglob("test_*.py")):
        for name, test in citations(path.relative_to(root).as_posix(), path.read_text()):
            found.setdefault(name, []).append(test)
    return found


def untested(chapters: Chapters, found: dict[str, list[Test]]) -> list[str]:
    return [name for rules in chapters.values() for name in rules if name not in found]


def unknown(chapters: Chapters, found: dict[str, list[Test]]) -> list[str]:
    """Ids that tests cite and nobody has written down."""
    known = {name for rules in chapters.values() for name in rules}
    return sorted(found.keys() - known)


def render(chapters: Chapters, found: dict[str, list[Test]]) -> str:
    parts = [HEAD]
    for title, rules in chapters.items():
        rows = [f"| {name} | {text} | {_links(found.get(name, []))} |"
                for name, text in rules.items()]  # fmt: skip
        parts.append("\n".join([f"## {title}\n", "| id | rule | tests |", "|---|---|---|", *rows]))
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def _links(tests: list[Test]) -> str:
    counts = Counter(test.file for test in tests)
    return "<br>".join(
        f"[{file.removeprefix('tests/').removesuffix('.py')}](../{file}) {count}"
        for file, count in counts.items()
    )


def main(asked: list[str]) -> int:
    chapters, found = read_chapters(), collect()
    if asked:
        for name in asked:
            sys.stdout.writelines(f"{name} {t.file}::{t.name}\n" for t in found.get(name, []))
        return 0
    PAGE.write_text(render(chapters, found))
    missing, strange = untested(chapters, found), unknown(chapters, found)
    for text, names in (("without a test", missing), ("cited but not written down", strange)):
        if names:
            sys.stderr.write(f"Rules {text}: {', '.join(names)}\n")
    return 1 if missing or strange else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
