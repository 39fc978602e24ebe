"""The company of the demo: two programmes, three partners, the leads and deals they brought."""

from datetime import timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rewards_service.cli.main import Refused
from rewards_service.crm.models import Customer
from rewards_service.crm.service import create_deal, create_lead
from rewards_service.inbox.models import ReceivedEvent
from rewards_service.integrations.models import Integration
from rewards_service.integrations.service import Credentials, create_integration
from rewards_service.kit.clock import utc_now
from rewards_service.kit.money import format_minor
from rewards_service.partners.models import Partner
from rewards_service.partners.service import create_partner
from rewards_service.programs.service import create_program, create_rule
from rewards_service.rewards.models import LedgerEntry, Reward
from rewards_service.samples.payment import put_sandbox_credentials
from rewards_service.settings import Settings
from rewards_service.simulator.api import KEY
from rewards_service.simulator.month import DAYS, PEOPLE
from rewards_service.transactions.models import Transaction

ACTOR = "cli"
SITE = "demo"
PARTNERS = {"acme": "Acme Advisers", "borealis": "Borealis Media", "cedar": "Cedar Resellers"}
_RESELLERS = ("cedar",)
_COUNTED = (
    (ReceivedEvent, "events"), (Customer, "customers"), (Transaction, "payments"),
    (Reward, "rewards"),
)  # fmt: skip


def make_company(session: Session, settings: Settings) -> tuple[Integration, Credentials]:
    """Find or make all of it; returns the integration and its webhook credentials.

    Raises Refused on a database with integrations of its own: a demo is no business of theirs.
    """
    others = session.scalars(
        select(Integration.site).where(Integration.site != SITE, Integration.deleted_at.is_(None))
    ).all()
    if others:
        raise Refused(
            f"This database serves {', '.join(sorted(others))}; the demo wants one of its own. Run "
            "it in another folder: VAR_DIR=var/demo make demo"
        )
    query = select(Integration).where(Integration.site == SITE, Integration.deleted_at.is_(None))
    found = session.scalar(query)
    if found is None:
        wanted = {"site": SITE, "name": "Demo", "api_key": KEY}
        found = create_integration(session, settings, wanted, ACTOR)[0]
        _make_people(session)
    return found, put_sandbox_credentials(settings, found)


def _make_people(session: Session) -> None:
    registered_at = utc_now() - timedelta(days=DAYS + 30)
    program = {"timezone": "UTC"}
    referral = create_program(session, {**program, "name": "Referral partners"}, ACTOR).id
    resellers = create_program(session, {**program, "name": "Resellers"}, ACTOR).id
    percent = {"kind": "percent", "program_id": referral, "name": "20 % of net", "rate": 200_000}
    create_rule(session, percent, ACTOR)
    slim = {"kind": "percent", "program_id": resellers, "name": "12.5 % of net", "rate": 125_000}
    create_rule(session, slim, ACTOR)
    bonus = {
        "kind": "flat", "program_id": resellers, "name": "Welcome bonus", "first_payments": 1,
        "amounts": {"USD": 2_500, "EUR": 2_500},
    }  # fmt: skip
    create_rule(session, bonus, ACTOR)
    keys = {}
    for key, name in PARTNERS.items():
        joined = resellers if key in _RESELLERS else referral
        partner = {
            "name": name, "email": f"partners@{key}.example", "status": "active",
            "program_ids": [joined], "external_id": key,
        }  # fmt: skip
        keys[key] = create_partner(session, partner, ACTOR).id
    for key, person in PEOPLE.items():
        if person.partner is None:
            continue
        brought: dict[str, Any] = {
            "partner_id": keys[person.partner], "registered_at": registered_at,
            "external_id": f"demo-{key}",
        }  # fmt: skip
        if person.found_as == "lead":
            lead = {"email": person.email, "company": person.company, "status": "accepted"}
            create_lead(session, lead | brought, ACTOR)
        else:
            deal = {"name": person.company, "contact_email": person.email, "stage": "open"}
            create_deal(session, deal | brought, ACTOR)


def summary(session: Session) -> list[str]:
    """What the month came to, in lines: counts, then rewards by partner and currency."""
    counts = [
        f"{session.scalar(select(func.count()).select_from(table))} {word}"
        for table, word in _COUNTED
    ]
    earned = session.execute(
        select(Partner.name, Reward.currency, func.sum(LedgerEntry.amount_minor))
        .select_from(Reward)
        .join(Partner, Partner.id == Reward.partner_id)
        .join(LedgerEntry, LedgerEntry.reward_id == Reward.id)
        .group_by(Partner.name, Reward.currency)
        .order_by(Partner.name, Reward.currency)
    )
    rows = [f"  {name:<20} {format_minor(int(amount), cur):>16}" for name, cur, amount in earned]
    return [f"A month of business was played: {', '.join(counts)}.", "", *rows]
