"""`rewards check`: the money and state invariants over the whole database."""

import sys
from collections.abc import Iterator

import click

from rewards_service.cli.answers import answer, as_json_option
from rewards_service.cli.databases import snapshot, start
from rewards_service.reports.checks import as_json as rendered
from rewards_service.reports.checks import run_checks
from rewards_service.reports.findings import Check


@click.command()
@as_json_option
def check(as_json: bool) -> None:
    """Look at every invariant of money and state, and list what violates one.

    It reads only, and one state of the database. Exit status 1 when there is any violation.
    """
    with snapshot(start()) as session:
        checks = run_checks(session)
    answer(as_json, rendered(checks), _lines(checks))
    if not all(one.ok for one in checks):
        sys.exit(1)


def _lines(checks: list[Check]) -> Iterator[str]:
    for one in checks:
        yield f"{'ok    ' if one.ok else 'BROKEN'}  {one.id:<18} {one.title}"
        for violation in one.violations:
            yield f"          {violation['id']}  {violation['detail']}"
        if one.count > len(one.violations):
            yield f"          ... and {one.count - len(one.violations)} more"
    broken = sum(not one.ok for one in checks)
    yield f"{len(checks)} checks, {broken} broken." if broken else f"All {len(checks)} checks hold."
