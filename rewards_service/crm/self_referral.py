"""Whether who pays is a partner itself: for holds and flags of its rewards (DOMAIN S6, E4).

A webhook tells no addresses of the network, so e-mail is all there is to go by.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from rewards_service.crm.queries import AnyRow
from rewards_service.kit.bulk import among
from rewards_service.kit.db import chunks, columns, fetch_rows
from rewards_service.kit.emails import loose_key
from rewards_service.kit.mail_domains import own_domain
from rewards_service.partners.models import Partner

SAME_LOOSE_KEY = "self_referral_loose_key"
SAME_DOMAIN = "self_referral_domain"
FLAGS = (SAME_LOOSE_KEY, SAME_DOMAIN)
_PARTNER = columns(Partner, "id", "email_key", "loose_key")


@dataclass(slots=True)
class SelfReferral:
    """`strict`: some partner has this very e-mail key, a reason to hold. `flags`: any of FLAGS."""

    strict: bool = False
    flags: list[str] = field(default_factory=list)


def self_referral_facts(
    session: Session,
    customers: Collection[Any],
    partners_of: Mapping[int, Iterable[int]] | None = None,
) -> dict[int, SelfReferral]:
    """Customer key -> what speaks for a self-referral; those of whom nothing does are left out.

    customers: rows with `id`, `email_key`, `source_partner_id`. partners_of: customer key -> the
    partners that are paid for it, where not the source partner alone: one that shares a domain of
    its own with the customer is flagged. One query a batch, by indexes.
    """
    keys = {row.id: row.email_key for row in customers if row.email_key}
    if not keys:
        return {}
    payees = {
        row.id: set((partners_of or {}).get(row.id, ())) | {row.source_partner_id} - {None}
        for row in customers
        if row.id in keys
    }
    loose = {customer: loose_key(key) for customer, key in keys.items()}
    partners = _partners(session, set(keys.values()) | set(loose.values()), payees)
    by_key = {row.email_key for row in partners}
    by_loose = {row.loose_key for row in partners} - {None}
    domains = {row.id: own_domain(row.email_key) for row in partners}
    found = {}
    for customer, key in keys.items():
        one = SelfReferral(strict=key in by_key)
        if loose[customer] in by_loose:
            one.flags.append(SAME_LOOSE_KEY)
        own = own_domain(key)
        if own is not None and any(domains.get(partner) == own for partner in payees[customer]):
            one.flags.append(SAME_DOMAIN)
        if one.strict or one.flags:
            found[customer] = one
    return found


def _partners(
    session: Session, keys: Iterable[str | None], payees: Mapping[int, Iterable[int]]
) -> list[AnyRow]:
    """Partners with one of these keys, strict or loose, and the payees themselves."""
    ids = sorted({partner for some in payees.values() for partner in some})
    rows: list[AnyRow] = []
    for some in chunks(sorted(key for key in keys if key)):
        wanted = [among(session, Partner.email_key, some), among(session, Partner.loose_key, some)]
        rows.extend(fetch_rows(session, select(*_PARTNER).where(or_(*wanted))))
    for numbers in chunks(ids):
        rows.extend(
            fetch_rows(session, select(*_PARTNER).where(among(session, Partner.id, numbers)))
        )
    return rows
