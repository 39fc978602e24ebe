"""`python -m chaos.run`: faults under load on a real installation, and what became of the books."""

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

from chaos.faults.table import FAULTS, Fault, injected
from chaos.lab import Figures, Lab
from chaos.reference import Reference
from chaos.report import Report
from chaos.stack import Stack
from chaos.storm import RATE, storm
from chaos.tour import tour

SHORT_POINTS = ("web.after_insert", "events.lease_committed", "events.before_commit", "sql")


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    add = parser.add_argument
    add("--seed", type=int, default=1, help="of load, moments and victims; the same run again")
    add("--fault", type=int, action="append", help="a row of the matrix; may be repeated")
    add("--kills", type=int, default=60, help="of the storm; 0: no storm")
    add("--events", type=int, default=4_000, help="that come in during the storm")
    add("--rate", type=float, default=RATE, help="events a second during the storm")
    add("--scale", type=float, default=1.0, help="of the load of the other faults")
    add("--storm-only", action="store_true", help="leave out the matrix")
    add("--workers", type=int, default=2)
    add(
        "--short",
        action="store_true",
        help="a storm, some crash points and a wiped Redis: a minute",
    )
    add("--report", type=Path, help="folder for report.txt and report.json; left out, in var/chaos")
    add("--list", action="store_true", help="list the matrix, and run nothing")
    return parser.parse_args(given)


def main(given: list[str] | None = None) -> int:
    wanted = arguments(given)
    if wanted.list:
        for fault in FAULTS:
            print(f"{fault.number:>3}  {fault.title}: {fault.how}")
        return 0
    folder = wanted.report or Path("var/chaos") / time.strftime("%Y%m%d-%H%M%S")
    report = Report(folder, wanted)
    with tempfile.TemporaryDirectory(prefix="rewards-chaos-") as scratch:
        report.run(Path(scratch), lambda: _run(wanted, Path(scratch), report))
    report.write()
    return 0 if report.ok else 1


def _run(wanted: argparse.Namespace, scratch: Path, report: Report) -> None:
    with (
        Stack(scratch / "stack", wanted.workers) as stack,
        Reference(stack.settings) as reference,
    ):
        lab = Lab(stack, reference, wanted.seed, random.Random(wanted.seed), wanted.scale)
        try:
            for fault in _chosen(wanted):
                report.trial(lab, fault)
            if wanted.kills and (not wanted.fault or wanted.short):
                report.of(lab, "kill storm", lambda: _storm(wanted, lab), with_replay=True)
            report.closing(lab)
        finally:
            lab.close()


def _storm(wanted: argparse.Namespace, lab: Lab) -> Figures:
    toured = {"crash_points": tour(lab, SHORT_POINTS, 1)} if wanted.short else {}
    return {**toured, **storm(lab, "storm", wanted.events, wanted.kills, wanted.rate)}


def _chosen(wanted: argparse.Namespace) -> list[Fault]:
    if wanted.storm_only:
        return []
    if wanted.short:
        return [fault for fault in injected() if fault.number == 10]
    numbers = wanted.fault or [fault.number for fault in injected()]
    unknown = set(numbers) - {fault.number for fault in injected()}
    if unknown:
        raise SystemExit(f"Not injected here: {sorted(unknown)}; see --list.")
    return [fault for fault in injected() if fault.number in numbers]


if __name__ == "__main__":
    sys.exit(main())
