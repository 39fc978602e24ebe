"""`rewards sandbox`: everything a first payment needs, and the line that posts it."""

import os
import shlex
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.cli.answers import answer, as_json_option, program
from rewards_service.cli.databases import migrated, start
from rewards_service.cli.sample import (
    SAMPLE,
    SANDBOX_SITE,
    put_sandbox_credentials,
    sample_email,
    webhook_url,
)
from rewards_service.crm.models import Lead
from rewards_service.crm.service import create_lead
from rewards_service.integrations.models import Integration
from rewards_service.integrations.service import (
    DEFAULT_OPTIONS,
    Credentials,
    change_integration,
    create_integration,
)
from rewards_service.kit import ids
from rewards_service.kit.db import hold_stage, transaction
from rewards_service.partners.models import Partner
from rewards_service.partners.service import create_partner
from rewards_service.programs.models import Program, RewardRule
from rewards_service.programs.service import create_program, create_rule
from rewards_service.settings import Settings

ACTOR = "cli"
PROGRAM, RULE = "Sandbox", "20 % of net"
PARTNER, LEAD = "sandbox-partner", "sandbox-lead"
REGISTERED_AT = datetime(2025, 1, 1, tzinfo=UTC)  # well before the sample payment


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
        made = _make(session, settings)
    answer(as_json, made, _lines(settings, made))


def _make(session: Session, settings: Settings) -> dict[str, Any]:
    """Find or make each part; returns what a caller may want to go on with."""
    integration = _integration(session, settings)
    credentials = put_sandbox_credentials(settings, integration)
    program = session.scalar(select(Program).where(Program.name == PROGRAM))
    if program is None:
        program = create_program(session, {"name": PROGRAM, "timezone": "UTC"}, ACTOR)
    rule = _rule(session, program)
    partner = session.scalar(select(Partner).where(Partner.external_id == PARTNER))
    if partner is None:
        partner = create_partner(session, _partner(program), ACTOR)
    lead = session.scalar(select(Lead).where(Lead.external_id == LEAD))
    if lead is None:
        lead = create_lead(session, _lead(partner), ACTOR)
    session.flush()
    url = webhook_url(settings, integration.endpoint_key)
    return {
        "integration_id": ids.encode("int", integration.id),
        "program_id": ids.encode("prg", program.id),
        "rule_id": ids.encode("rul", rule.id),
        "partner_id": ids.encode("par", partner.id),
        "lead_id": ids.encode("led", lead.id),
        "webhook_url": url,
        "webhook_username": credentials.username,
        "webhook_password": credentials.password,
        "sample": str(SAMPLE),
        "curl": _curl(url, credentials),
    }


def _integration(session: Session, settings: Settings) -> Integration:
    """The sandbox's integration, with every option on whatever was tried with it since."""
    query = select(Integration).where(
        Integration.site == SANDBOX_SITE, Integration.deleted_at.is_(None)
    )
    found = session.scalar(query)
    if found is None:
        wanted = {"site": SANDBOX_SITE, "name": "Sandbox"}
        return create_integration(session, settings, wanted, ACTOR)[0]
    options = DEFAULT_OPTIONS._asdict()
    if any(getattr(found, name) != value for name, value in options.items()):
        change_integration(session, settings, found.id, {"options": options}, ACTOR)
    return found


def _rule(session: Session, program: Program) -> RewardRule:
    query = select(RewardRule).where(RewardRule.program_id == program.id, RewardRule.name == RULE)
    wanted = {"program_id": program.id, "name": RULE, "kind": "percent", "rate": 200_000}
    return session.scalar(query) or create_rule(session, wanted, ACTOR)


def _partner(program: Program) -> dict[str, Any]:
    return {
        "name": "Sandbox partner", "email": "partner@sandbox.example", "status": "active",
        "program_ids": [program.id], "external_id": PARTNER,
    }  # fmt: skip


def _lead(partner: Partner) -> dict[str, Any]:
    return {
        "email": sample_email(), "first_name": "Ada", "last_name": "Sample", "status": "accepted",
        "partner_id": partner.id, "registered_at": REGISTERED_AT, "external_id": LEAD,
    }  # fmt: skip


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
