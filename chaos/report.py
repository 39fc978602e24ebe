"""What ran and what came of it: text for people, JSON for programs."""

import argparse
import json
import math
import platform
import shutil
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from chaos.faults.table import Fault
from chaos.lab import Figures, Lab
from chaos.skipping import NotHere

LOGS = "logs"


class Report:
    """Collects one entry for each fault; printed as they come."""

    def __init__(self, folder: Path, wanted: argparse.Namespace) -> None:
        self._folder = folder
        self._begun = time.monotonic()
        self._lines: list[str] = []
        self.entries: list[dict[str, Any]] = []
        self.summary: Figures = {}
        given = {name: value for name, value in vars(wanted).items() if name != "report"}
        self._head = {
            "arguments": given,
            "machine": _machine(),
            "at": time.strftime("%FT%TZ", time.gmtime()),
        }
        self._say(f"chaos: seed {wanted.seed}, {self._head['machine']}")

    @property
    def ok(self) -> bool:
        return bool(self.entries) and all(entry["ok"] is not False for entry in self.entries)

    def run(self, scratch: Path, work: Callable[[], None]) -> None:
        """Do all of it; what breaks off is an entry as well, and the logs are kept."""
        try:
            work()
        except Exception as problem:
            self._add("harness", False, {}, {"": [f"{type(problem).__name__}: {problem}"]})
            self._say(traceback.format_exc())
        if not self.ok:
            shutil.copytree(
                scratch / "stack", self._folder / LOGS, dirs_exist_ok=True,
                ignore=shutil.ignore_patterns("redis-*"),
            )  # fmt: skip
            self._say(f"The logs of the processes are in {self._folder / LOGS}.")

    def trial(self, lab: Lab, fault: Fault) -> None:
        """Inject one fault of the matrix."""
        inject = fault.inject
        if inject is not None:
            self.of(lab, f"{fault.number} {fault.title}", lambda: inject(lab))

    def of(
        self, lab: Lab, name: str, work: Callable[[], Figures], with_replay: bool = False
    ) -> None:
        """Do something to the installation, let it settle, and judge."""
        begun = time.monotonic()
        try:
            found = work()
        except NotHere as reason:
            self._add(name, None, {"skipped": str(reason)}, {})
            return
        except AssertionError as failed:
            found = {"unmet": str(failed)}
        except Exception as problem:  # of the injector; the other faults can be injected still
            self._say(traceback.format_exc())
            found = {"unmet": f"{type(problem).__name__}: {problem}"}
        verdict = lab.settle(with_replay)
        broken = dict(verdict.broken)
        if "unmet" in found:
            broken["expected"] = [found.pop("unmet")]
        seconds = round(time.monotonic() - begun, 1)
        self._add(name, not broken, {**found, **verdict.figures, "seconds": seconds}, broken)

    def closing(self, lab: Lab) -> None:
        self.summary = lab.recoveries.figures()
        self._say(f"recovery of what killed workers had in hand: {_spelled(self.summary)}")

    def write(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        seconds = round(time.monotonic() - self._begun, 1)
        self._say(
            f"{'All holds' if self.ok else 'BROKEN'}, {seconds} s. {self._folder}/report.json"
        )
        whole = {**self._head, "ok": self.ok, "seconds": seconds, "recovery": self.summary,
                 "runs": self.entries}  # fmt: skip
        (self._folder / "report.json").write_text(json.dumps(_plain(whole), indent=1, default=str))
        (self._folder / "report.txt").write_text("\n".join(self._lines) + "\n")

    def _add(
        self, name: str, ok: bool | None, found: Figures, broken: dict[str, list[str]]
    ) -> None:
        self.entries.append({"name": name, "ok": ok, "figures": found, "broken": broken})
        self._say(f"{_WORDS[ok]}  {name}\n        {_spelled(found)}")
        for invariant, reasons in broken.items():
            for reason in reasons:
                self._say(f"        {invariant}: {reason}")

    def _say(self, line: str) -> None:
        self._lines.append(line)
        print(line, flush=True)


_WORDS = {True: "holds ", False: "BROKEN", None: "skipped"}


def _spelled(found: Figures) -> str:
    return ", ".join(f"{name} {_rounded(value)}" for name, value in found.items())


def _rounded(value: Any) -> Any:
    return round(value, 2) if isinstance(value, float) else value


def _plain(value: Any) -> Any:
    """JSON has no NaN."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list) else value


def _machine() -> str:
    import os

    return f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.system()}"
