"""The search over everything: what a text can mean, each meaning looked up by an index."""

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rewards_service.accounts.models import ApiKey
from rewards_service.accounts.user_models import User
from rewards_service.admin.layout import money
from rewards_service.audit import subjects
from rewards_service.crm import listing as crm
from rewards_service.crm.models import AttributionConflict, Customer, Deal, Lead
from rewards_service.inbox import listing as inbox
from rewards_service.inbox.models import ReceivedEvent
from rewards_service.integrations.models import Integration
from rewards_service.kit.db import Base
from rewards_service.kit.emails import key_or_none
from rewards_service.kit.pages import Paging
from rewards_service.outbound.models import WebhookEndpoint
from rewards_service.partners import finding
from rewards_service.partners import queries as partners
from rewards_service.partners.models import Partner
from rewards_service.payouts.models import Payout
from rewards_service.programs.models import Program, RewardRule
from rewards_service.properties.names import CUSTOMER_ID, INVOICE_ID, TRANSACTION_ID
from rewards_service.rewards import listing as rewards
from rewards_service.rewards.models import Reward
from rewards_service.transactions import listing as transactions
from rewards_service.transactions.models import Transaction

SHORTEST, LONGEST = 2, 200
MOST = 5  # of one kind for one meaning
_FEW = Paging(MOST, descending=True, after=None)
May = Callable[[str], bool]


class Hit(NamedTuple):
    """Something that was found: kind as the audit log calls it, key, and how it is told."""

    kind: str
    key: int
    name: str
    note: str | None
    status: str | None


class Kind(NamedTuple):
    """A kind of thing: who may see it, where it is, how a row is told (name, note, status)."""

    title: str
    permission: str
    model: type[Base]
    told: Callable[[Any], tuple[str, str | None, str | None]]


def _lead(row: Lead) -> tuple[str, str | None, str | None]:
    person = " ".join(filter(None, (row.first_name, row.last_name)))
    return person or row.company or row.email, row.email, row.status


KINDS = {
    "partner": Kind("Partners", "partners:read", Partner,
                    lambda row: (row.name, row.email, row.status)),
    "program": Kind("Programmes", "programs:read", Program, lambda row: (row.name, None, None)),
    "reward_rule": Kind("Rules", "programs:read", RewardRule, lambda row: (row.name, None, None)),
    "customer": Kind("Customers", "crm:read", Customer,
                     lambda row: (row.name or row.email or "Customer", row.email, None)),
    "lead": Kind("Leads", "crm:read", Lead, _lead),
    "deal": Kind("Deals", "crm:read", Deal,
                 lambda row: (row.name, row.contact_email, row.stage)),
    "transaction": Kind("Transactions", "transactions:read", Transaction,
                        lambda row: (money(row.amount_minor, row.currency),
                                     row.chargebee_transaction_id, row.status)),
    "reward": Kind("Rewards", "rewards:read", Reward,
                   lambda row: (subjects.public_id("reward", row.id),
                                f"invoice {row.invoice_id}", row.status)),
    "payout": Kind("Payouts", "payouts:read", Payout,
                   lambda row: (money(row.total_minor, row.currency),
                                subjects.public_id("payout", row.id), row.status)),
    "event": Kind("Events", "events:read", ReceivedEvent,
                  lambda row: (row.event_type, row.event_id, row.state)),
    "integration": Kind("Integrations", "integrations:read", Integration,
                        lambda row: (row.name, row.site, row.mode)),
    "conflict": Kind("Conflicts", "crm:read", AttributionConflict,
                     lambda row: (row.kind.replace("_", " "), None,
                                  "resolved" if row.resolved_at else "open")),
    "api_key": Kind("API keys", "keys:read", ApiKey,
                    lambda row: (row.name, None, "revoked" if row.revoked_at else "active")),
    "webhook_endpoint": Kind("Webhooks", "webhooks:read", WebhookEndpoint,
                             lambda row: (row.description or row.url, row.url,
                                          "enabled" if row.enabled else "disabled")),
    "user": Kind("Users", "users:read", User,
                 lambda row: (row.email, row.role, "active" if row.active else "closed")),
}  # fmt: skip
# Kinds whose things have names; others are known by their ids.
_CALLED = ("partner", "program", "reward_rule", "customer", "lead", "deal", "integration",
           "api_key", "webhook_endpoint", "user")  # fmt: skip
_OF_PREFIX = {subjects.PREFIXES[kind]: kind for kind in KINDS}


def find(session: Session, text: str, may: May) -> list[Hit]:
    """What `text` may mean, of the kinds that the asking person may see; exact ids first.

    A public id, an e-mail address in any spelling, an id of Chargebee, an external id, or the
    beginning of a partner's or programme's name. At most MOST of a kind for each of these.
    """
    wanted = meant(text)
    if wanted is None:
        return []
    allowed = {name for name, kind in KINDS.items() if may(kind.permission)}
    found: dict[tuple[str, int], Hit] = {}
    for kind, row in _rows(session, wanted, allowed):
        if getattr(row, "withdrawn_at", None) is None:
            found.setdefault((kind, row.id), Hit(kind, row.id, *KINDS[kind].told(row)))
    return list(found.values())


def find_by_id(session: Session, text: str, may: May) -> Hit | None:
    """The one thing that has this public id; None when it is none, or not for this person."""
    kind = _OF_PREFIX.get(text[:3])
    if kind is None or not may(KINDS[kind].permission):
        return None
    hits = [Hit(kind, row.id, *KINDS[kind].told(row)) for row in _with_id(session, text, {kind})]
    return hits[0] if hits else None


def names_of_things(
    session: Session, things: Collection[tuple[str, int]], may: May
) -> dict[tuple[str, int], str]:
    """(kind, key) -> what people call it; without those of no name, or not for this person."""
    of_kind: dict[str, set[int]] = defaultdict(set)
    for kind, key in things:
        if kind in _CALLED and may(KINDS[kind].permission):
            of_kind[kind].add(key)
    found = {}
    for kind, keys in of_kind.items():
        model: Any = KINDS[kind].model
        for row in session.scalars(select(model).where(model.id.in_(keys))):
            if getattr(row, "withdrawn_at", None) is None:
                found[kind, row.id] = KINDS[kind].told(row)[0]
    return found


def meant(text: str) -> str | None:
    """What to look for; None where it is too short, too long, or no text at all."""
    wanted = " ".join(text.split())
    if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in wanted):
        return None
    return wanted if SHORTEST <= len(wanted) <= LONGEST else None


def _rows(session: Session, wanted: str, allowed: set[str]) -> Iterator[tuple[str, Any]]:
    yield from ((_OF_PREFIX[wanted[:3]], row) for row in _with_id(session, wanted, allowed))
    ways = _of_email(session, wanted) if "@" in wanted else _of_names(session, wanted)
    for way, rows in ways.items():
        kind = way.partition(" ")[0]
        if kind in allowed:
            yield from ((kind, row) for row in rows())


def _with_id(session: Session, wanted: str, allowed: set[str]) -> Iterator[Any]:
    kind, key = _OF_PREFIX.get(wanted[:3]), subjects.key_of(wanted)
    if kind in allowed and key is not None:
        row: Any = session.get(KINDS[kind].model, key)
        if row is not None and getattr(row, "withdrawn_at", None) is None:
            yield row


Ways = dict[str, Callable[[], list[Any]]]


def _of_email(session: Session, wanted: str) -> Ways:
    if (key := key_or_none(wanted)) is None:
        return {}
    by = {"email_key": key}
    users = select(User).where(User.email == wanted.lower()).limit(1)
    return {
        "partner": lambda: _shown(partners.list_partners(session, _FEW, by)),
        "customer": lambda: _shown(crm.list_customers(session, _FEW, by)),
        "lead": lambda: _shown(crm.list_leads(session, _FEW, by)),
        "deal": lambda: _shown(crm.list_deals(session, _FEW, by)),
        "user": lambda: list(session.scalars(users)),
    }


def _of_names(session: Session, wanted: str) -> Ways:
    """Names and ids of others; a second way to a kind has a word behind it."""
    # Programmes are a handful: there is nothing for an index to save.
    called = func.lower(Program.name).startswith(wanted.lower(), autoescape=True)
    programs = select(Program).where(called).order_by(Program.id.desc()).limit(MOST)
    own = {"external_id": wanted}
    return {
        "partner": lambda: list(finding.partners_called(session, wanted, MOST)),
        "partner own": lambda: _shown(partners.list_partners(session, _FEW, own)),
        "program": lambda: list(session.scalars(programs)),
        "lead own": lambda: _shown(crm.list_leads(session, _FEW, own)),
        "deal own": lambda: _shown(crm.list_deals(session, _FEW, own)),
        "customer": lambda: _shown(crm.list_customers(session, _FEW, {CUSTOMER_ID: wanted})),
        "transaction": lambda: _shown(
            transactions.list_transactions(session, _FEW, {TRANSACTION_ID: wanted})
        ),
        "transaction of an invoice": lambda: _shown(
            transactions.list_transactions(session, _FEW, {INVOICE_ID: wanted})
        ),
        "reward": lambda: _shown(rewards.list_rewards(session, _FEW, {INVOICE_ID: wanted})),
        "event": lambda: _shown(inbox.list_events(session, _FEW, {"event_id": wanted})),
    }


def _shown(page: Any) -> list[Any]:
    return [row[0] for row in page.rows]
