"""What a replay keeps in its scratch beside the tables of the service."""

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, String, Table, Text

from rewards_service.kit.db import Base, UtcDateTime

SCRATCH = "scratch"  # name of the scratch's schema in statements that read the live tables too
METADATA = MetaData()

# Everything that happened, in the order in which it did.
MOMENTS = Table(
    "replay_moments",
    METADATA,
    Column("at", UtcDateTime, nullable=False),
    Column("rank", Integer, nullable=False),  # order and kind of what happened at the same time
    Column("ref", BigInteger, nullable=False),  # key of the event, change, entry or row
    # The reward that a person, a payout or the clock moved or adjusted.
    Column("integration_id", BigInteger),
    Column("invoice_id", String),
    Column("rule_version_id", BigInteger),
    Column("partner_id", BigInteger),
    Column("seq", Integer),
    Column("to_status", String),
    Column("amount_minor", BigInteger),
    Column("actor", String),
    Column("reason", String),
    # What the audit log says.
    Column("action", String),
    Column("subject_kind", String),
    Column("subject_id", BigInteger),
    Column("detail", Text),
    Index("ix_replay_moments", "at", "rank", "ref"),
)

# What is compared, as JSON texts: of the live tables (`live`) and of the replay (`replayed`).
FACTS = Table(
    "replay_facts",
    METADATA,
    Column("side", String, nullable=False),
    Column("section", String, nullable=False),
    Column("key", Text, nullable=False),
    Column("facts", Text, nullable=False),
    Index("ix_replay_facts", "section", "key"),
)

# Chargebee ids of live customers: those that the machine made get other keys in the replay.
LINKS = Table(
    "replay_links",
    METADATA,
    Column("customer_id", BigInteger, nullable=False),
    Column("integration_id", BigInteger, nullable=False),
    Column("value", String, nullable=False),
    Index("ix_replay_links", "customer_id"),
)

# E-mail keys by the digest that the audit log holds of them: where people corrected an address.
KEYS = Table(
    "replay_keys",
    METADATA,
    Column("digest", String, primary_key=True),
    Column("email_key", String, nullable=False),
)


def of_scratch(table: Table) -> Table:
    """A table of the scratch, for statements through the live connection."""
    return table.to_metadata(_IN_SCRATCH, schema=SCRATCH)


_IN_SCRATCH = MetaData()
HERE: dict[str, Table] = {}


def here(name: str) -> Table:
    """The scratch's copy of a table of the service or of the replay, by name."""
    if name not in HERE:
        source = METADATA.tables.get(name)
        HERE[name] = of_scratch(Base.metadata.tables[name] if source is None else source)
    return HERE[name]
