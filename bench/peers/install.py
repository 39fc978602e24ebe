"""Get the peers by their names into folders of their own: an environment, and npm's packages.

They are no part of the project. Where one cannot be had, the bench says so and goes on without.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

DJ_STRIPE = ("dj-stripe==2.11.0", "psycopg[binary]>=3.3,<4", "gunicorn>=27,<28")
SYNC_ENGINE = ("@supabase/stripe-sync-engine@0.48.5", "fastify@5")
PATIENCE = 600  # seconds


class Peer(NamedTuple):
    """One that is there: the folder it was put into, its versions."""

    folder: Path
    versions: str


class Missing(NamedTuple):
    """One that cannot be had, and why, in one line."""

    reason: str


def folder() -> Path:
    """Where the bench keeps what it gets and finds: `bench` in VAR_DIR."""
    made = Path(os.environ.get("VAR_DIR") or "var").expanduser().absolute() / "bench"
    made.mkdir(parents=True, exist_ok=True)
    return made


def dj_stripe() -> Peer | Missing:
    """dj-stripe in a virtual environment; `python_of` is its interpreter."""
    place = folder() / "dj-stripe"
    done = place / ".done"
    if not _is(done, DJ_STRIPE):
        pip = [str(python_of(place)), "-m", "pip", "--disable-pip-version-check", "--quiet"]
        commands = (
            [sys.executable, "-m", "venv", "--clear", str(place)],
            [*pip, "install", "--no-input", *DJ_STRIPE],
        )
        if (missing := run(commands)) is not None:
            return missing
        done.write_text(json.dumps(DJ_STRIPE))
    asked = "from importlib.metadata import version as v; print('dj-stripe', v('dj-stripe') + "
    asked += "', Django', v('django') + ', psycopg', v('psycopg') + ', gunicorn', v('gunicorn'))"
    return Peer(place, _said([str(python_of(place)), "-c", asked]))


def python_of(place: Path) -> Path:
    return place / "bin" / "python"


def sync_engine() -> Peer | Missing:
    """stripe-sync-engine and fastify in a folder of npm's."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return Missing("there is no Node with npm on this machine")
    place = folder() / "stripe-sync-engine"
    place.mkdir(exist_ok=True)
    done = place / ".done"
    if not _is(done, SYNC_ENGINE):
        quietly = ("--no-fund", "--no-audit", "--ignore-scripts", "--loglevel=error")
        command = ["npm", "install", *quietly, "--prefix", str(place), *SYNC_ENGINE]
        if (missing := run([command])) is not None:
            return missing
        done.write_text(json.dumps(SYNC_ENGINE))
    installed = place / "node_modules"
    names = {"stripe-sync-engine": "@supabase/stripe-sync-engine", "fastify": "fastify"}
    found = [
        f"{name} {json.loads((installed / path / 'package.json').read_bytes())['version']}"
        for name, path in names.items()
    ]
    return Peer(place, ", ".join([*found, f"Node {_said(['node', '--version']).lstrip('v')}"]))


def _is(done: Path, wanted: tuple[str, ...]) -> bool:
    return done.exists() and done.read_text() == json.dumps(wanted)


def run(commands: Sequence[list[str]]) -> Missing | None:
    """Run these one after the other; None, or why one of them failed."""
    for command in commands:
        try:
            ended = subprocess.run(
                command, capture_output=True, text=True, timeout=PATIENCE, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as problem:
            return Missing(f"its installation failed ({type(problem).__name__})")
        if ended.returncode:
            lines = (ended.stderr or ended.stdout).strip().splitlines() or ["it said nothing"]
            # The reason goes into the document, addresses and folders of this machine do not.
            why = re.sub(r"\S*/\S*", "...", lines[-1])
            return Missing(f"its installation failed: {why[:120]}")
    return None


def _said(command: list[str]) -> str:
    return subprocess.check_output(command, text=True).strip()
