"""PostgreSQL's disk is full: on a small file system in memory, with an installation of its own."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from chaos.answers import figures
from chaos.faults.web import RATE, size
from chaos.lab import Figures, Lab
from chaos.reference import Reference
from chaos.skipping import NotHere
from chaos.stack import Stack

MEGABYTES = 320
WAL = {"max_wal_size": "48MB", "min_wal_size": "32MB"}


def full(lab: Lab) -> Figures:
    """No byte is left under load: 503, and all is well when there is room again."""
    with _small_disk() as disk:
        folder = lab.stack.folder / "small"
        with Stack(folder, 1, disk, **WAL) as stack, Reference(stack.settings) as reference:
            other = Lab(stack, reference, lab.seed, lab.chance, lab.scale)
            try:
                return _fill(other, disk)
            finally:
                other.close()


def _fill(lab: Lab, disk: Path) -> Figures:
    load = lab.load("f19", size(lab, 300), RATE)
    lab.stack.rest(1.0)
    ballast = disk / "ballast"
    with suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(b"\0" * 65_536)
    lab.stack.rest(8.0)
    ballast.unlink()
    answers = lab.finish(load)
    verdict = lab.settle()
    assert verdict.ok, f"Broken: {verdict.broken}"
    return figures(answers)


@contextmanager
def _small_disk() -> Iterator[Path]:
    """Where PostgreSQL's own user comes, too: the folder of a run is closed to others."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        raise NotHere("only root may mount a file system")
    folder = Path(tempfile.mkdtemp(prefix="rewards-disk-"))
    mount = ["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m,mode=0755", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        folder.rmdir()
        raise NotHere("this machine lets nobody mount a file system")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=False)
        folder.rmdir()
