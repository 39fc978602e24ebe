"""An order-independent digest of the business tables, to tell whether two databases say the same.

Rows are spelled by natural keys, so that surrogate keys, our own clock and the order of arrival
leave no trace. Each row is hashed as it is read and the hashes are sorted: memory holds 32 bytes a
row, and no database's collation has a say.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rewards_service.crm.models import Customer, Deal, Lead
from rewards_service.inbox.models import ReceivedEvent
from rewards_service.integrations.models import Integration
from rewards_service.kit.clock import rfc3339
from rewards_service.kit.db import chunks
from rewards_service.mirror.kinds import MODELS
from rewards_service.partners.models import Partner
from rewards_service.programs.models import RewardRule, RewardRuleVersion
from rewards_service.properties.models import PropertyDefinition, PropertyValue
from rewards_service.properties.names import CUSTOMER_ID
from rewards_service.rewards.models import LedgerEntry, LedgerPosting, Reward
from rewards_service.transactions.models import Transaction

PAGE = 5_000
# Sums are made of halves: SQLite's own sum of 64-bit amounts stops at 63 bits.
_HALF = 1 << 32

Rows = Iterator[Sequence[Any]]
_People = dict[int, Any]


def digest(session: Session) -> str:
    """`sha256:<hex>` over all sections; equal when two databases hold the same business facts."""
    return combine(sections(session))


def combine(parts: Mapping[str, str]) -> str:
    """The digest of a database from the digests of its sections."""
    return f"sha256:{sha256(_spell(sorted(parts.items()))).hexdigest()}"


def sections(session: Session) -> dict[str, str]:
    """Section -> `sha256:<hex>` of its rows, to see where two databases differ."""
    return {name: _digest(read(session)) for name, read in _SECTIONS.items()}


def _digest(rows: Rows) -> str:
    hashes = sorted(sha256(_spell(row)).digest() for row in rows)
    return f"sha256:{sha256(b''.join(hashes)).hexdigest()}"


def _spell(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), default=_spell_member).encode()


def _spell_member(value: Any) -> str:
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, bytes):
        return value.hex()
    raise TypeError(f"A digest cannot hold a {type(value).__name__}.")


def _pages(session: Session, query: Any) -> Iterator[Sequence[Any]]:
    """The rows of a query, a few thousand at a time, never all at once."""
    result = session.execute(query, execution_options={"yield_per": PAGE})
    yield from result.partitions()


def _partner(external_id: str | None, email: str | None) -> str | None:
    """How a partner is called outside: by its external id, else by its e-mail."""
    return external_id if external_id is not None else email


_PARTNER = (Partner.external_id, Partner.email)


def _customers(session: Session) -> Rows:
    query = (
        select(Customer.id, Customer.name, *_PARTNER)
        .outerjoin(Partner, Partner.id == Customer.source_partner_id)
        .where(Customer.withdrawn_at.is_(None))
    )
    for page in _pages(session, query):
        people = _natural_keys(session, [row.id for row in page])
        for key, name, external_id, email in page:
            yield people[key], name, _partner(external_id, email)


def _natural_keys(session: Session, ids: Sequence[int | None]) -> _People:
    """Customer -> [[site, Chargebee id] ..., e-mail]."""
    wanted = sorted({key for key in ids if key is not None})
    found: _People = {}
    for some in chunks(wanted):
        query = select(Customer.id, Customer.email).where(Customer.id.in_(some))
        found.update({key: [[], email] for key, email in session.execute(query)})
        links = (
            select(PropertyValue.subject_id, Integration.site, PropertyValue.value)
            .join(PropertyDefinition, PropertyDefinition.id == PropertyValue.definition_id)
            .join(Integration, Integration.id == PropertyValue.integration_id)
            .where(PropertyDefinition.key == CUSTOMER_ID, PropertyValue.subject_id.in_(some))
        )
        for subject_id, site, value in session.execute(links):
            found[subject_id][0].append([site, value])
    for links_and_email in found.values():
        links_and_email[0].sort()
    return found


def _place(email: Any, key: Any, registered_at: Any) -> Any:
    """Which of the records of one e-mail it is. Not its time: a default one is our own clock's."""
    return func.row_number().over(partition_by=email, order_by=(registered_at, key))


def _leads(session: Session) -> Rows:
    query = select(
        Lead.external_id, Lead.email, _place(Lead.email_key, Lead.id, Lead.registered_at),
        Lead.status, Lead.superseded_by_id.is_not(None), Partner.external_id, Partner.email,
        Lead.customer_id,
    ).outerjoin(Partner, Partner.id == Lead.partner_id)  # fmt: skip
    return _owned(session, query)


def _deals(session: Session) -> Rows:
    query = select(
        Deal.external_id, Deal.contact_email, Deal.name,
        _place(Deal.email_key, Deal.id, Deal.registered_at), Deal.stage, Partner.external_id,
        Partner.email, Deal.customer_id,
    ).outerjoin(Partner, Partner.id == Deal.partner_id)  # fmt: skip
    return _owned(session, query)


def _owned(session: Session, query: Any) -> Rows:
    """Rows that end with a partner's external id, its e-mail, and the customer they belong to."""
    for page in _pages(session, query):
        people = _natural_keys(session, [row.customer_id for row in page])
        for *members, external_id, email, owner in page:
            yield *members, _partner(external_id, email), people.get(owner)


def _transactions(session: Session) -> Rows:
    query = (
        select(
            Integration.site, Transaction.chargebee_transaction_id, Transaction.amount_minor,
            Transaction.currency, Transaction.base_currency, Transaction.base_amount_minor,
            Transaction.status, Transaction.refunded_minor, Transaction.reason,
            Transaction.occurred_at, *_PARTNER, Transaction.customer_id,
        )
        .join(Integration, Integration.id == Transaction.integration_id)
        .outerjoin(Partner, Partner.id == Transaction.partner_id)
        .where(Transaction.withdrawn_at.is_(None))
    )  # fmt: skip
    return _owned(session, query)


def _rewards(session: Session) -> Rows:
    """What came and went again is left out: it equals what never came."""
    by = (
        Integration.site, Reward.invoice_id, RewardRule.name, RewardRuleVersion.version,
        Partner.external_id, Partner.email, Reward.currency, Reward.status,
    )  # fmt: skip
    query = (
        select(*by, *_halves(LedgerEntry.amount_minor))
        .join(LedgerEntry, LedgerEntry.reward_id == Reward.id)
        .join(Integration, Integration.id == Reward.integration_id)
        .join(RewardRuleVersion, RewardRuleVersion.id == Reward.rule_version_id)
        .join(RewardRule, RewardRule.id == RewardRuleVersion.rule_id)
        .join(Partner, Partner.id == Reward.partner_id)
        .group_by(*by)
    )
    for page in _pages(session, query):
        for site, invoice, rule, version, external_id, email, currency, status, high, low in page:
            amount = _whole(high, low)
            if amount:
                partner = _partner(external_id, email)
                yield site, invoice, rule, version, partner, currency, status, amount


def _balances(session: Session) -> Rows:
    by = (Partner.external_id, Partner.email, LedgerPosting.currency, LedgerPosting.account)
    query = (
        select(*by, *_halves(LedgerPosting.amount_minor))
        .join(Partner, Partner.id == LedgerPosting.partner_id)
        .group_by(*by)
    )
    for page in _pages(session, query):
        for external_id, email, currency, account, high, low in page:
            amount = _whole(high, low)
            if amount:
                yield _partner(external_id, email), currency, account, amount


def _halves(amount: Any) -> tuple[Any, Any]:
    return func.sum(amount // _HALF), func.sum(amount % _HALF)


def _whole(high: Any, low: Any) -> int:
    return int(high) * _HALF + int(low)


def _mirror(session: Session) -> Rows:
    for kind, model in MODELS.items():
        query = select(Integration.site, model.external_id, model.body_sha256, model.deleted).join(
            Integration, Integration.id == model.integration_id
        )
        for page in _pages(session, query):
            for site, external_id, body_sha256, deleted in page:
                yield site, kind, external_id, body_sha256, deleted


def _events(session: Session) -> Rows:
    query = select(
        Integration.site, ReceivedEvent.event_id, ReceivedEvent.state, ReceivedEvent.outcome
    ).join(Integration, Integration.id == ReceivedEvent.integration_id)
    for page in _pages(session, query):
        yield from (tuple(row) for row in page)


_SECTIONS: Mapping[str, Callable[[Session], Rows]] = {
    "customers": _customers,
    "leads": _leads,
    "deals": _deals,
    "transactions": _transactions,
    "rewards": _rewards,
    "balances": _balances,
    "mirror": _mirror,
    "events": _events,
}
