"""keep the audit log by month

On PostgreSQL the log becomes a table of parts, one for each month of `at`: those that are there
already stay where they lie, as the part of everything before next month. No row is copied. What
takes long (an index, a look at every row) goes on beside writers; only the exchange of the names
waits for them and lets the next ones wait, for as long as it takes to write a dozen catalogue rows.

Begun and not finished, it goes on where it stopped when it is run again.
"""

import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import sqlalchemy as sa
from alembic import op
from sqlalchemy.exc import OperationalError

import rewards_service.kit.db
from rewards_service.kit import partitions, schema
from rewards_service.kit.guards import guard

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

TABLE = "audit_entries"
KEY = "pk_audit_entries"
NEW_KEY = "uq_audit_entries_id_at"
BOUND = "ck_audit_entries_before"
# The exchange must be over before the month is: not begun in its last days.
MARGIN = timedelta(days=2)
# Writers wait for so long at most, and have longer for themselves before it is tried again.
LOCK_MS, PAUSE_SECONDS, LOCK_ATTEMPTS = 250, 0.75, 300
_IS_KEPT_BY_MONTH = "SELECT relkind = 'p' FROM pg_class WHERE oid = to_regclass('audit_entries')"


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        _remember_ends()
        return
    if not _ask(_IS_KEPT_BY_MONTH):
        before_on = partitions.month_after(datetime.now(UTC).date() + MARGIN)
        # All that takes long, while the service writes on.
        schema.build_index(NEW_KEY, TABLE, ["id", "at"], unique=True)
        with op.get_context().autocommit_block():
            _bound(before_on)
        _lock()
        _exchange(before_on)
    # Commit: whatever migration follows must not hold the lock for as long as it takes itself.
    with op.get_context().autocommit_block():
        pass


def _ask(query: str) -> object:
    return op.get_bind().execute(sa.text(query)).scalar()


def _remember_ends() -> None:
    """When the last entry was made, and where parts end that were taken off."""
    op.add_column(
        "audit_head", sa.Column("last_at", rewards_service.kit.db.UtcDateTime(), nullable=True)
    )
    op.create_table(
        "audit_anchors",
        sa.Column(
            "last_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("detached_at", rewards_service.kit.db.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("last_id", name=op.f("pk_audit_anchors")),
    )


def _bound(before_on: date) -> None:
    """Have each row looked at beforehand, not by the exchange under its lock."""
    bind = op.get_bind()
    bind.execute(sa.text(f"SET lock_timeout = '{LOCK_MS}ms'"))
    _patiently(
        lambda: op.execute(
            f"ALTER TABLE {TABLE} DROP CONSTRAINT IF EXISTS {BOUND}, ADD CONSTRAINT {BOUND} "
            f"CHECK (at < '{partitions.moment(before_on)}') NOT VALID"
        )
    )
    bind.execute(sa.text("RESET lock_timeout"))
    op.execute(f"ALTER TABLE {TABLE} VALIDATE CONSTRAINT {BOUND}")


def _lock() -> None:
    """Have the log alone, in the order in which whoever adds entries takes its tables."""
    bind = op.get_bind()
    bind.execute(sa.text(f"SET LOCAL lock_timeout = '{LOCK_MS}ms'"))

    def take() -> None:
        with bind.begin_nested():
            bind.execute(sa.text(f"LOCK TABLE audit_head, {TABLE} IN ACCESS EXCLUSIVE MODE"))

    _patiently(take)


def _patiently(work: Callable[[], None]) -> None:
    """Try until nobody is in the way: who waits for a lock makes all others wait behind it."""
    for attempt in range(LOCK_ATTEMPTS):
        try:
            work()
            break
        except OperationalError:
            if attempt == LOCK_ATTEMPTS - 1:
                raise
            time.sleep(PAUSE_SECONDS)


def _exchange(before_on: date) -> None:
    """The table becomes the first part of a new one of its name."""
    first = partitions.first_name(TABLE, before_on)
    query = sa.text(
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema() "  # noqa: S608
        f"AND tablename = '{TABLE}' AND indexname NOT IN ('{KEY}', '{NEW_KEY}')"
    )
    indexes = op.get_bind().execute(query).all()
    op.execute(f"ALTER TABLE {TABLE} RENAME TO {first}")
    for name, _ in indexes:
        op.execute(f"ALTER INDEX {name} RENAME TO {name.replace(TABLE, first)}")
    op.execute(f"ALTER TABLE {first} DROP CONSTRAINT {KEY}")
    op.execute(f"ALTER TABLE {first} ADD CONSTRAINT pk_{first} PRIMARY KEY USING INDEX {NEW_KEY}")
    op.execute(
        f"CREATE TABLE {TABLE} (LIKE {first} INCLUDING DEFAULTS INCLUDING GENERATED, "
        f"CONSTRAINT {KEY} PRIMARY KEY (id, at)) PARTITION BY RANGE (at)"
    )
    op.execute(f"ALTER SEQUENCE {TABLE}_id_seq OWNED BY {TABLE}.id")
    for _, definition in indexes:
        op.execute(definition)
    op.execute(
        f"ALTER TABLE {TABLE} ATTACH PARTITION {first} "
        f"FOR VALUES FROM (MINVALUE) TO ('{partitions.moment(before_on)}')"
    )
    op.execute(f"ALTER TABLE {first} DROP CONSTRAINT {BOUND}")  # its place says the same
    guard(op, (TABLE,))
    bind = op.get_bind()
    partitions.make_net(bind, TABLE)
    partitions.make_months(bind, TABLE, partitions.months_ahead(before_on))
    _remember_ends()


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        _join()
    op.drop_table("audit_anchors")
    op.drop_column("audit_head", "last_at")


def _join() -> None:
    """One table again: rows are copied, and writers wait."""
    if _ask("SELECT count(*) FROM audit_anchors"):
        raise RuntimeError("Parts of the audit log are taken off: attach them first.")
    op.execute(f"ALTER TABLE {TABLE} RENAME TO {TABLE}_parts")
    query = sa.text(
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema() "  # noqa: S608
        f"AND tablename = '{TABLE}_parts' AND indexname <> '{KEY}'"
    )
    indexes = op.get_bind().execute(query).all()
    op.execute(f"CREATE TABLE {TABLE} (LIKE {TABLE}_parts INCLUDING DEFAULTS)")
    op.execute(f"INSERT INTO {TABLE} SELECT * FROM {TABLE}_parts")  # noqa: S608
    op.execute(f"ALTER SEQUENCE {TABLE}_id_seq OWNED BY {TABLE}.id")
    op.execute(f"DROP TABLE {TABLE}_parts")
    op.execute(f"ALTER TABLE {TABLE} ADD CONSTRAINT {KEY} PRIMARY KEY (id)")
    for _, definition in indexes:
        op.execute(definition.replace(f"ON ONLY public.{TABLE}_parts", f"ON {TABLE}"))
    guard(op, (TABLE,))
