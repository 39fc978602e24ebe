"""What is committed about who may do what: `operations.txt`, one operation a line."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from flask import Flask

from tests.builders.api import PREFIX

TABLE = Path(__file__).with_name("operations.txt")
PARTNERS, HOUSE = "partners", "house"


class Operation(NamedTuple):
    """One operation: its scope, and whether keys of partners may use it."""

    method: str
    path: str
    scope: str
    whose: str


def committed() -> list[Operation]:
    lines = [line.split() for line in TABLE.read_text().splitlines()]
    return [Operation(*line) for line in lines if line and not line[0].startswith("#")]


def served(app: Flask) -> Iterator[Operation]:
    """Every operation below /api/v1 as the application serves it."""
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith(f"{PREFIX}/"):
            view = app.view_functions[rule.endpoint]
            whose = PARTNERS if getattr(view, "for_partners", False) else HOUSE
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                path = rule.rule.removeprefix(PREFIX)
                yield Operation(method, path, str(getattr(view, "scope", None)), whose)
