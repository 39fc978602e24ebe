"""Whatever raises an alarm has a section that says what to do."""

import ast
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.test_docs import anchors

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/runbook.md").read_text()
ALERTS = yaml.safe_load((ROOT / "deploy/prometheus/rewards-alerts.yml").read_text())
RULES: list[dict[str, Any]] = ALERTS["groups"][0]["rules"]
PARTS = ("Means", "Users see", "First look", "Cure", "Cured when")
SECTIONS = {text.partition("\n")[0]: text for text in PAGE.split("\n## ")[1:]}
CHECKS_OF = ("cli/diagnosis.py", "cli/database_checks.py", "cli/connections.py",
             "connections/checks.py", "connections/endpoint.py",
             "connections/judging.py")  # fmt: skip


def checks_in(path: Path) -> set[str]:
    """Ids that a module gives its checks: the first argument of each, where it is a name the
    words of the tables it may stand for."""
    found: set[str] = set()
    tree = ast.parse(path.read_text())
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    made = [c for c in calls if isinstance(c.func, ast.Name) and c.func.id == "Check" and c.args]
    for call in made:
        if isinstance(call.args[0], ast.Constant):
            found.add(str(call.args[0].value))
    if any(isinstance(call.args[0], ast.Name) for call in made):
        for node in ast.walk(tree):
            if isinstance(node, ast.Tuple) and len(node.elts) >= 3:
                found |= {
                    str(one.value) for one in node.elts[:2]
                    if isinstance(one, ast.Constant) and isinstance(one.value, str)
                    and re.fullmatch(r"[a-z]+(_[a-z0-9]+)*", one.value)
                }  # fmt: skip
    return found


def raised_by(section: str) -> str:
    return " ".join(re.findall(r"^Raised by: (.*?)\n\n", section, re.MULTILINE | re.DOTALL))


class TestRunbook:
    def test_every_check_of_doctor_is_in_it(self) -> None:
        checks = set().union(*(checks_in(ROOT / "rewards_service" / name) for name in CHECKS_OF))
        named = {name for section in SECTIONS.values()
                 for name in re.findall(r"`([a-z_]+)`", raised_by(section))}  # fmt: skip

        assert len(checks) >= 25
        assert checks - named == set()

    def test_every_alert_is_in_the_section_it_leads_to(self) -> None:
        wrong = []
        for rule in RULES:
            file, _, anchor = rule["annotations"]["runbook"].partition("#")
            assert file == "docs/runbook.md"
            there = [text for title, text in SECTIONS.items() if anchor in anchors(f"## {title}")]
            if not there or f"`{rule['alert']}`" not in raised_by(there[0]):
                wrong.append(rule["alert"])

        assert wrong == []

    def test_it_names_no_alert_that_there_is_not(self) -> None:
        named = set(re.findall(r"`(Rewards\w+)`", PAGE))

        assert named == {rule["alert"] for rule in RULES}

    @pytest.mark.parametrize("title", SECTIONS)
    def test_each_section_says_all_that_is_needed(self, title: str) -> None:
        text = SECTIONS[title]

        assert raised_by(text)
        assert [part for part in PARTS if f"- **{part}**: " not in text] == []
