"""`rewards doctor`: what is wrong with this installation, and what to do about it."""

import sys
from collections.abc import Iterator

import click

from rewards_service.cli.answers import answer, as_json_option
from rewards_service.cli.databases import start
from rewards_service.cli.diagnosis import examine
from rewards_service.connections.checks import Check


@click.command()
@click.option("--offline", is_flag=True, help="Do not ask Chargebee about the webhooks.")
@as_json_option
def doctor(offline: bool, as_json: bool) -> None:
    """Examine database, queue, workers, clock, keys, public address and integrations.

    Of integrations with an API key, Chargebee is asked how their webhooks stand. Each check comes
    with a remedy. Warnings are worth a look; exit status 1 when a check fails.
    """
    findings = examine(start(), offline)
    value = {
        "ok": all(finding.ok for finding in findings),
        "checks": [finding._asdict() for finding in findings],
    }
    answer(as_json, value, lines(findings))
    if not value["ok"]:
        sys.exit(1)


def lines(findings: list[Check]) -> Iterator[str]:
    """Findings for people, each with its remedy below it."""
    for finding in findings:
        mark = "FAILED" if not finding.ok else "warn  " if finding.warning else "ok    "
        yield f"{mark}  {finding.id:<14} {finding.detail}"
        if finding.remedy:
            yield f"{'':<24}{finding.remedy}"
