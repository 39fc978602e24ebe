"""`rewards doctor`: what is wrong with this installation, and what to do about it."""

import sys
from collections.abc import Iterator

import click

from rewards_service.cli.answers import answer, as_json_option
from rewards_service.cli.databases import start
from rewards_service.cli.diagnosis import Finding, examine


@click.command()
@as_json_option
def doctor(as_json: bool) -> None:
    """Examine database, queue, workers, clock, keys, public address and integrations.

    Each check comes with a remedy. Warnings are worth a look; exit status 1 when a check fails.
    """
    findings = examine(start())
    value = {
        "ok": all(finding.ok for finding in findings),
        "checks": [finding._asdict() for finding in findings],
    }
    answer(as_json, value, _lines(findings))
    if not value["ok"]:
        sys.exit(1)


def _lines(findings: list[Finding]) -> Iterator[str]:
    for finding in findings:
        mark = "FAILED" if not finding.ok else "warn  " if finding.warning else "ok    "
        yield f"{mark}  {finding.id:<14} {finding.detail}"
        if finding.remedy:
            yield f"{'':<24}{finding.remedy}"
