"""guard the ledger

What DOMAIN V1 and V8 forbid, the database refuses: changing a row of an append-only table, and (on
PostgreSQL, which can wait until commit) an entry whose sides do not balance.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

APPEND_ONLY = (
    "chargebee_versions", "integration_options", "ledger_entries", "ledger_postings",
    "reward_rule_versions", "reward_status_changes",
)  # fmt: skip
# JSON bodies are long: compressing each costs the inserting process more than the disk it saves.
BODIES = ("chargebee_versions", "other_deliveries", "received_events")

# An entry is checked with all its sides at commit. A side on the two accounts of every ordinary
# entry cannot come later (expense: there is one already) or is found by `rewards check`.
CHECKED_AT_COMMIT = (
    ("ledger_entries", "entry", ""),
    ("ledger_postings", "posting", "WHEN (NEW.account NOT IN ('expense', 'payable_pending'))"),
)

REFUSE_CHANGE = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: add a row, do not change or delete one.', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$
"""
# Runs once for each row at commit, when all sides are there; the lookup is by primary key.
REFUSE_UNBALANCED = """
CREATE FUNCTION refuse_unbalanced_entry() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    entry bigint;
    amount bigint;
    total numeric;
    expense numeric;
BEGIN
    IF TG_ARGV[0] = 'entry' THEN
        entry := NEW.id;
        amount := NEW.amount_minor;
    ELSE
        entry := NEW.entry_id;
        SELECT amount_minor INTO amount FROM ledger_entries WHERE id = entry;
    END IF;
    SELECT sum(amount_minor), coalesce(sum(amount_minor) FILTER (WHERE account = 'expense'), 0)
        INTO total, expense FROM ledger_postings WHERE entry_id = entry;
    IF total IS DISTINCT FROM 0 OR expense <> amount THEN
        RAISE EXCEPTION 'Ledger entry % does not balance: its sides sum to %, its expense side is '
            '% and its amount %.', entry, total, expense, amount
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$
"""


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        _guard_postgresql()
    else:
        _guard_sqlite()


def _guard_postgresql() -> None:
    op.execute(REFUSE_CHANGE)
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    op.execute(REFUSE_UNBALANCED)
    for table, argument, condition in CHECKED_AT_COMMIT:
        op.execute(
            f"CREATE CONSTRAINT TRIGGER balanced AFTER INSERT ON {table} "
            f"DEFERRABLE INITIALLY DEFERRED FOR EACH ROW {condition} "
            f"EXECUTE FUNCTION refuse_unbalanced_entry('{argument}')"
        )
    for table in BODIES:
        op.execute(f"ALTER TABLE {table} ALTER COLUMN body SET STORAGE EXTERNAL")


def _guard_sqlite() -> None:
    for table in APPEND_ONLY:
        for action in ("update", "delete"):
            op.execute(
                f"CREATE TRIGGER append_only_{table}_{action} BEFORE {action.upper()} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only: add a row, do not change or "
                "delete one.'); END"
            )


def downgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        for table in APPEND_ONLY:
            for action in ("update", "delete"):
                op.execute(f"DROP TRIGGER append_only_{table}_{action}")
        return
    for table in BODIES:
        op.execute(f"ALTER TABLE {table} ALTER COLUMN body SET STORAGE EXTENDED")
    for table in ("ledger_entries", "ledger_postings"):
        op.execute(f"DROP TRIGGER balanced ON {table}")
    for table in APPEND_ONLY:
        op.execute(f"DROP TRIGGER append_only ON {table}")
    op.execute("DROP FUNCTION refuse_unbalanced_entry()")
    op.execute("DROP FUNCTION refuse_change()")
