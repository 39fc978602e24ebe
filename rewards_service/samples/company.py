"""A sample company to try things with: a site, a programme with a rule, a partner, a lead.

It can be put away, never removed: a ledger takes nothing back, and what was paid into it stays.
"""

from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.crm.models import Lead
from rewards_service.crm.service import change_lead, create_lead
from rewards_service.integrations.models import Integration
from rewards_service.integrations.service import (
    DEFAULT_OPTIONS,
    Credentials,
    change_integration,
    create_integration,
    delete_integration,
)
from rewards_service.partners.models import Partner
from rewards_service.partners.service import change_partner, create_partner
from rewards_service.programs.models import Program, RewardRule
from rewards_service.programs.service import create_program, create_rule
from rewards_service.rewards import review
from rewards_service.rewards.models import Reward
from rewards_service.samples.payment import SANDBOX_SITE, put_sandbox_credentials, sample_email
from rewards_service.settings import Settings

PROGRAM, RULE = "Sandbox", "20 % of net"
PARTNER, LEAD = "sandbox-partner", "sandbox-lead"
_UNDECIDED = ("pending", "hold", "approved")  # a person still may decline them
REGISTERED_AT = datetime(2025, 1, 1, tzinfo=UTC)  # well before the sample payment


class Company(NamedTuple):
    """Everything a first payment needs."""

    integration: Integration
    credentials: Credentials
    program: Program
    rule: RewardRule
    partner: Partner
    lead: Lead


def make_company(session: Session, settings: Settings, actor: str) -> Company:
    """Find or make each part; a partner that was put away is active again."""
    integration = _integration(session, settings, actor)
    credentials = put_sandbox_credentials(settings, integration)
    program = session.scalar(select(Program).where(Program.name == PROGRAM))
    if program is None:
        program = create_program(session, {"name": PROGRAM, "timezone": "UTC"}, actor)
    rule = _rule(session, program, actor)
    partner = session.scalar(select(Partner).where(Partner.external_id == PARTNER))
    if partner is None:
        partner = create_partner(session, _partner(program), actor)
    elif partner.status != "active":
        change_partner(session, partner.id, {"status": "active"}, actor)
    lead = session.scalar(select(Lead).where(Lead.external_id == LEAD))
    if lead is None:
        lead = create_lead(session, _lead(partner), actor)
    session.flush()
    return Company(integration, credentials, program, rule, partner, lead)


def find_sample_site(session: Session) -> Integration | None:
    """The sample's integration while it is connected."""
    query = select(Integration).where(
        Integration.site == SANDBOX_SITE, Integration.deleted_at.is_(None)
    )
    return session.scalar(query)


def put_away(session: Session, actor: str) -> None:
    """Disconnect the sample's site, pause its partner, close its lead, decline what waits.

    What is in a payout stays, as everything in the ledger does.
    """
    if (site := find_sample_site(session)) is not None:
        delete_integration(session, site.id, actor)
    partner = session.scalar(select(Partner).where(Partner.external_id == PARTNER))
    if partner is not None:
        if partner.status == "active":
            change_partner(session, partner.id, {"status": "paused"}, actor)
        waiting = select(Reward.id).where(
            Reward.partner_id == partner.id, Reward.status.in_(_UNDECIDED)
        )
        order = review.Order("declined", "The sample data was removed.", actor)
        review.change_each(session, session.scalars(waiting).all(), order)
    lead = session.scalar(select(Lead).where(Lead.external_id == LEAD))
    if lead is not None and lead.status in ("pending", "accepted"):
        change_lead(session, lead.id, {"status": "lost"}, actor)


def _integration(session: Session, settings: Settings, actor: str) -> Integration:
    """The sandbox's integration, with every option on whatever was tried with it since."""
    found = find_sample_site(session)
    if found is None:
        wanted = {"site": SANDBOX_SITE, "name": "Sandbox"}
        return create_integration(session, settings, wanted, actor)[0]
    options = DEFAULT_OPTIONS._asdict()
    if any(getattr(found, name) != value for name, value in options.items()):
        change_integration(session, settings, found.id, {"options": options}, actor)
    return found


def _rule(session: Session, program: Program, actor: str) -> RewardRule:
    query = select(RewardRule).where(RewardRule.program_id == program.id, RewardRule.name == RULE)
    wanted = {"program_id": program.id, "name": RULE, "kind": "percent", "rate": 200_000}
    return session.scalar(query) or create_rule(session, wanted, actor)


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
