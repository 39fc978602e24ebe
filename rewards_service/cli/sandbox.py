"""`rewards sandbox`: everything a first payment needs, and the line that posts it."""

import os
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from rewards_service.cli.answers import answer, as_json_option, program
from rewards_service.cli.databases import migrated, start
from rewards_service.integrations.service import Credentials
from rewards_service.kit import ids
from rewards_service.kit.db import hold_stage, transaction
from rewards_service.samples.company import Company, make_company
from rewards_service.samples.payment import SAMPLE, webhook_url
from rewards_service.settings import Settings

ACTOR = "cli"


@click.command()
@as_json_option
def sandbox(as_json: bool) -> None:
    """Make a sample integration, programme, 20 % rule, partner and lead.

    Prints the ready curl line that posts the sample payment to the running service. Run again, it
    finds what it made and prints the same line.
    """
    settings = start()
    with migrated(settings) as engine, transaction(engine) as session:
        hold_stage(session, "sandbox")
        made = _told(make_company(session, settings, ACTOR), settings)
    answer(as_json, made, _lines(settings, made))


def _told(made: Company, settings: Settings) -> dict[str, Any]:
    """What a caller may want to go on with."""
    url = webhook_url(settings, made.integration.endpoint_key)
    return {
        "integration_id": ids.encode("int", made.integration.id),
        "program_id": ids.encode("prg", made.program.id),
        "rule_id": ids.encode("rul", made.rule.id),
        "partner_id": ids.encode("par", made.partner.id),
        "lead_id": ids.encode("led", made.lead.id),
        "webhook_url": url,
        "webhook_username": made.credentials.username,
        "webhook_password": made.credentials.password,
        "sample": str(SAMPLE),
        "curl": _curl(url, made.credentials),
    }


def _curl(url: str, credentials: Credentials) -> str:
    beside = os.path.relpath(SAMPLE)
    path = Path(SAMPLE) if beside.startswith("..") else Path(beside)
    words = [
        "curl", "-u", f"{credentials.username}:{credentials.password}",
        "-H", "Content-Type: application/json", "--data-binary", f"@{path}", url,
    ]  # fmt: skip
    return shlex.join(words)


def _lines(settings: Settings, made: Mapping[str, Any]) -> Iterator[str]:
    yield "The sandbox is ready: an integration, a programme with a 20 % rule, a partner, a lead."
    yield ""
    yield "Post the sample payment to the running service, as Chargebee would:"
    yield ""
    yield f"  {made['curl']}"
    yield ""
    yield "The lead becomes a customer, the payment a transaction, and the partner has a reward."
    yield "To see it with the sum that led to it, make a key and ask:"
    yield ""
    yield f"  {program()} api-key create --name me --scopes admin"
    yield f'  curl -H "Authorization: Bearer KEY" {settings.base_url}/api/v1/rewards'
    yield f'  curl -H "Authorization: Bearer KEY" {settings.base_url}/api/v1/rewards/ID/explanation'
    yield ""
    yield "Further payments, each under new ids:"
    yield ""
    yield f"  {program()} send-test-event --integration sandbox"
