"""What things are called: names beside keys, a few queries for a page of rows; badges in cells."""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from markupsafe import Markup
from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from rewards_service.admin import cells
from rewards_service.admin.lists import Filter
from rewards_service.admin.places import link_to
from rewards_service.crm.models import Customer
from rewards_service.kit import ids
from rewards_service.partners.models import Partner
from rewards_service.programs.models import RewardRule, RewardRuleVersion

HOLDS: Mapping[str, str] = {
    "by_hand": "held by a person",
    "conflict": "two partners claim the customer",
    "lead_pending": "the lead is not accepted yet",
    "refund_open": "a refund is not settled yet",
    "self_referral": "the customer's e-mail is the partner's own",
    "partner_inactive": "the partner was not active at the payment",
}
FLAGS: Mapping[str, str] = {
    "self_referral_loose_key": "The customer's e-mail is much like the partner's own.",
    "self_referral_domain": "Customer and partner have e-mail addresses of the same company.",
}
MOST_IN_A_MENU = 100


class RuleName(NamedTuple):
    """The rule behind a version, and which version it is."""

    rule_id: int
    name: str
    version: int


def foreign(text: str | None) -> Markup:
    """A text from outside: whatever signs it has, it reorders nothing around it."""
    return cells.foreign(text or "without a name")


def linked(kind: str, key: int, name: str | None) -> Markup:
    """A thing by the name that somebody outside gave it, linked where it has a page."""
    return link_to(kind, key, foreign(name))


def partner_names(session: Session, keys: Collection[int]) -> dict[int, str]:
    """Partner -> name."""
    query = select(Partner.id, Partner.name).where(Partner.id.in_(sorted(set(keys))))
    return {row.id: row.name for row in session.execute(query)}


def partner_filter(session: Session) -> Filter:
    """All partners to choose from as long as they fit a menu; else one that the search sets."""
    query = select(Partner.id, Partner.name).limit(MOST_IN_A_MENU + 1)
    found = sorted((row.name.casefold(), row.id, row.name) for row in session.execute(query))
    if len(found) > MOST_IN_A_MENU:
        return Filter("partner_id", "Partner", kind="hidden")
    return Filter("partner_id", "Partner", {ids.encode("par", key): name for _, key, name in found})


def customer_names(session: Session, keys: Collection[int]) -> dict[int, str]:
    """Customer -> name, or else e-mail address."""
    called = func.coalesce(Customer.name, Customer.email, "").label("called")
    query = select(Customer.id, called).where(Customer.id.in_(sorted(set(keys))))
    return {row.id: row.called for row in session.execute(query)}


def rule_names(session: Session, version_keys: Collection[int]) -> dict[int, RuleName]:
    """Rule version key -> its rule and number."""
    query = (
        select(RewardRuleVersion.id, RewardRule.id, RewardRule.name, RewardRuleVersion.version)
        .join(RewardRule, RewardRule.id == RewardRuleVersion.rule_id)
        .where(RewardRuleVersion.id.in_(sorted(set(version_keys))))
    )
    return {row[0]: RuleName(*row[1:]) for row in session.execute(query)}


def currencies(session: Session, column: InstrumentedAttribute[str]) -> list[str]:
    """Every value of an indexed column, one look at the index for each: never all rows."""
    found: list[str] = []
    value: Any = session.scalar(select(func.min(column)))
    while value is not None:
        found.append(value)
        value = session.scalar(select(func.min(column)).where(column > value))
    return found


def with_words(first: Any, words: str | None) -> Markup:
    """A cell with a second line of small words."""
    if not words:
        return Markup("{}").format(first)
    return Markup('{} <span class="cell-words">{}</span>').format(first, words)


def made_by(schedule_id: int | None) -> str:
    return "by hand" if schedule_id is None else "by a schedule"
