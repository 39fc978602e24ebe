"""What is said of a run of faults."""

from argparse import Namespace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from chaos.report import Report
from chaos.skipping import NotHere

LAB: Any = SimpleNamespace(
    settle=lambda _with_replay: SimpleNamespace(broken={}, figures={"lost": 0})
)


def tried(folder: Path, problem: Exception | None) -> Report:
    """A report of one fault whose injector raised this."""

    def work() -> dict[str, Any]:
        if problem is not None:
            raise problem
        return {"kills": 1}

    report = Report(folder, Namespace(seed=1))
    report.of(LAB, "a fault", work)
    return report


class TestOf:
    def test_what_holds_and_what_the_machine_does_not_allow_is_no_failure(
        self, tmp_path: Path
    ) -> None:
        for problem, ok in ((None, True), (NotHere("not root"), None)):
            report = tried(tmp_path, problem)
            assert (report.entries[0]["ok"], report.ok) == (ok, True)

    def test_an_injector_that_breaks_off_fails_its_row_and_the_next_is_tried(
        self, tmp_path: Path
    ) -> None:
        for problem in (AssertionError("too late"), OSError("no such device")):
            report = tried(tmp_path, problem)
            report.of(LAB, "the next", lambda: {"kills": 1})

            assert [entry["ok"] for entry in report.entries] == [False, True]
            assert str(problem) in report.entries[0]["broken"]["expected"][0]
            assert not report.ok
