"""Crash points: they end a process of a chaos run, and nothing can make them end another."""

import os
import subprocess
import sys
from pathlib import Path

from chaos.armed import EXIT_STATUS, VARIABLE
from chaos.processes import ROOT
from chaos.tour import named_points

PROGRAM = "tests.chaos.reaching"


def run(wanted: str, *through: str) -> tuple[int, list[str]]:
    """(exit status, lines) of the program under this environment."""
    ended = subprocess.run(
        [sys.executable, "-m", *through, PROGRAM], cwd=ROOT, capture_output=True, text=True,
        env={**os.environ, VARIABLE: wanted}, check=False,
    )  # fmt: skip
    return ended.returncode, ended.stdout.split()


class TestCrash:
    def test_it_comes_at_the_chosen_time(self) -> None:
        assert run("here:2", "chaos.armed") == (EXIT_STATUS, ["0"])

    def test_another_point_and_no_plan_end_nothing(self) -> None:
        assert run("elsewhere:1", "chaos.armed") == (0, ["0", "1", "2"])
        assert run("", "chaos.armed") == (0, ["0", "1", "2"])

    def test_a_plan_in_a_file_is_carried_out_by_one_process_only(self, tmp_path: Path) -> None:
        plan = tmp_path / "plan"
        plan.write_text("first here 3")

        assert run(f"@{plan}", "chaos.armed") == (EXIT_STATUS, ["0", "1"])
        assert run(f"@{plan}", "chaos.armed") == (0, ["0", "1", "2"])

    def test_no_variable_ends_a_program_that_was_not_started_so(self) -> None:
        assert run("here:1") == (0, ["0", "1", "2"])

    def test_nothing_that_is_shipped_can_arm_them(self) -> None:
        sources = [path.read_text() for path in (ROOT / "rewards_service").rglob("*.py")]

        assert not any(VARIABLE in text or "chaos.armed import" in text for text in sources)


class TestNamedPoints:
    def test_they_cover_the_way_of_an_event(self) -> None:
        """The matrix wants four in the webhook and twelve in a job, at least."""
        job = named_points("events.") + named_points("rewards.")

        assert len(named_points("web.")) >= 4
        assert len(job) >= 12
        assert all(named_points(room) for room in ("outbox.", "payouts.", "backfill."))

    def test_the_documentation_names_each(self) -> None:
        text = (ROOT / "docs/chaos.md").read_text()

        assert [point for point in named_points() if f"`{point}`" not in text] == []
