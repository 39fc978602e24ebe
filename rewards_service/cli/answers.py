"""How commands answer: lines for people, or one JSON object and nothing else."""

import json
import shutil
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click

as_json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object and nothing else."
)


def answer(as_json: bool, value: Mapping[str, Any], lines: Iterable[str]) -> None:
    """Print `value` as JSON, or the lines."""
    if as_json:
        click.echo(json.dumps(value, ensure_ascii=False))
        return
    for line in lines:
        click.echo(line)


def program() -> str:
    """How a person here calls this program: by its name when the shell finds it, else as now."""
    called = Path(sys.argv[0])
    if called.name != "rewards":
        return f"{sys.executable} -m rewards_service"
    found = shutil.which("rewards")
    return "rewards" if found and Path(found).samefile(called) else str(called)
