"""What is compared, spelled by natural keys: keys and facts of each section as JSON texts."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, String, Text, case, cast, func, insert, literal, select

from rewards_service.properties.models import PropertyDefinition, PropertyValue
from rewards_service.properties.names import CUSTOMER_ID
from rewards_service.replay.tables import FACTS, here
from rewards_service.rewards.models import (
    BY_HAND,
    LedgerEntry,
    LedgerPosting,
    MetricEntry,
    Reward,
    RewardCount,
)
from rewards_service.transactions.models import Transaction

LIVE, REPLAYED = "live", "replayed"
Rows = Select[*tuple[Any, ...]]


class Section(NamedTuple):
    """One kind of thing: the names of its key's and of its facts' members, and where from."""

    key: tuple[str, ...]
    facts: tuple[str, ...]
    query: Callable[[], Rows]  # columns of the key, then those of the facts


def _payers() -> Any:
    """Customer -> the Chargebee ids by which two databases know who is meant."""
    named = cast(PropertyValue.integration_id, String) + literal(":") + PropertyValue.value
    return (
        select(
            PropertyValue.subject_id.label("customer_id"),
            func.min(named).label("first"),
            func.max(named).label("last"),
            func.count().label("number"),
        )
        .join(PropertyDefinition, PropertyDefinition.id == PropertyValue.definition_id)
        .where(PropertyDefinition.key == CUSTOMER_ID)
        .group_by(PropertyValue.subject_id)
        .subquery()
    )


def _rewards() -> Rows:
    """Those that came and went again are left out: they equal those that never came."""
    by_hand = case((LedgerEntry.kind.in_(BY_HAND), LedgerEntry.amount_minor), else_=0)
    sums = (
        select(
            LedgerEntry.reward_id,
            func.sum(LedgerEntry.amount_minor).label("amount"),
            func.sum(by_hand).label("by_hand"),
        )
        .group_by(LedgerEntry.reward_id)
        .subquery()
    )
    payers = _payers()
    return (
        select(
            Reward.integration_id, Reward.invoice_id, Reward.rule_version_id, Reward.partner_id,
            Reward.seq, sums.c.amount, sums.c.by_hand, Reward.status, Reward.currency,
            payers.c.first, Transaction.chargebee_transaction_id, Reward.available_on,
        )
        .join(sums, sums.c.reward_id == Reward.id)
        .outerjoin(payers, payers.c.customer_id == Reward.customer_id)
        .outerjoin(Transaction, Transaction.id == Reward.transaction_id)
        .where((sums.c.amount != 0) | (sums.c.by_hand != 0))
    )  # fmt: skip


def _transactions() -> Rows:
    payers = _payers()
    return (
        select(
            Transaction.integration_id, Transaction.chargebee_transaction_id,
            Transaction.amount_minor, Transaction.currency, Transaction.status,
            Transaction.refunded_minor, Transaction.reason, Transaction.partner_id,
            payers.c.first, payers.c.last, payers.c.number,
        )
        .outerjoin(payers, payers.c.customer_id == Transaction.customer_id)
        .where(Transaction.withdrawn_at.is_(None))
    )  # fmt: skip


def _balances() -> Rows:
    total = func.sum(LedgerPosting.amount_minor)
    by = (LedgerPosting.partner_id, LedgerPosting.currency, LedgerPosting.account)
    return select(*by, total).group_by(*by).having(total != 0)


def _counts() -> Rows:
    payers = _payers()
    count = RewardCount
    return select(
        count.integration_id, count.invoice_id, count.rule_id, count.partner_id,
        count.log_id, count.currency, count.counted_on, count.invoice_on, count.window_from_on,
        count.ordinal, count.position, count.wanted_minor, count.given_minor, payers.c.first,
    ).outerjoin(payers, payers.c.customer_id == count.customer_id)  # fmt: skip


def _metrics() -> Rows:
    total = func.sum(MetricEntry.amount_minor)
    by = (
        MetricEntry.rule_id, MetricEntry.partner_id, MetricEntry.currency,
        MetricEntry.integration_id, MetricEntry.invoice_id, MetricEntry.source_id,
        MetricEntry.counted_on,
    )  # fmt: skip
    return select(*by, total).group_by(*by).having(total != 0)


SECTIONS: Mapping[str, Section] = {
    "reward": Section(
        ("integration_id", "invoice_id", "rule_version_id", "partner_id", "seq"),
        ("amount_minor", "by_hand_minor", "status", "currency", "customer", "transaction",
         "available_on"),
        _rewards,
    ),
    "transaction": Section(
        ("integration_id", "transaction"),
        ("amount_minor", "currency", "status", "refunded_minor", "reason", "partner_id",
         "customer", "customer_last", "customer_ids"),
        _transactions,
    ),
    "balance": Section(("partner_id", "currency", "account"), ("amount_minor",), _balances),
    "count": Section(
        ("integration_id", "invoice_id", "rule_id", "partner_id"),
        ("log_id", "currency", "counted_on", "invoice_on", "window_from_on", "ordinal", "position",
         "wanted_minor", "given_minor", "customer"),
        _counts,
    ),
    "metric": Section(
        ("rule_id", "partner_id", "currency", "integration_id", "invoice_id", "source",
         "counted_on"),
        ("amount_minor",),
        _metrics,
    ),
}  # fmt: skip


def note(connection: Connection, side: str) -> None:
    """Write down the facts of one side, inside the database."""
    facts = here(FACTS.name) if side == LIVE else FACTS
    for name, section in SECTIONS.items():
        inner = section.query().subquery()
        columns = list(inner.c)
        split = len(section.key)
        rows = select(
            literal(side), literal(name), _json(connection, columns[:split]),
            _json(connection, columns[split:]),
        )  # fmt: skip
        names = [column.name for column in FACTS.columns]
        connection.execute(insert(facts).from_select(names, rows, include_defaults=False))


def _json(connection: Connection, columns: list[Any]) -> Any:
    is_postgresql = connection.dialect.name == "postgresql"
    spell = func.json_build_array if is_postgresql else func.json_array
    return cast(spell(*columns), Text)
