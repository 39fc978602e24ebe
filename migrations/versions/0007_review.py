"""guard the review of rewards

The database itself refuses a status that does not follow from the one before (DOMAIN V2) and the
deletion of a reward. An entry of amount 0 carries what is owed from one account to another, so it
needs no expense side (V8). Indexes for what the clock does (V5).
"""

import sqlalchemy as sa
from alembic import op

import rewards_service.kit.db

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# As in rewards/review.py, with the machine's own move: what was a debt and is none any more goes
# back to review. A migration keeps its own copy, for it never changes.
LAWFUL = {
    "pending": ("hold", "approved", "declined"),
    "hold": ("pending", "approved", "declined"),
    "approved": ("pending", "hold", "declined", "in_payout"),
    "declined": (),
    "in_payout": ("approved", "paid"),
    "paid": (),
}
PAIRS = ", ".join(f"'{old}>{new}'" for old, news in LAWFUL.items() for new in news)
MOVES = "; ".join(f"{old} to {', '.join(news) or 'nothing'}" for old, news in LAWFUL.items())
UNLAWFUL = f"OLD.status <> NEW.status AND OLD.status || '>' || NEW.status NOT IN ({PAIRS})"

REFUSE_UNLAWFUL = f"""
CREATE FUNCTION refuse_unlawful_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Reward % cannot move from % to %. Lawful moves: {MOVES}.',
        OLD.id, OLD.status, NEW.status USING ERRCODE = 'integrity_constraint_violation';
END $$
"""
REFUSE_DELETION = """
CREATE FUNCTION refuse_deletion() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'A row of % is never deleted: the ledger points to it.', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$
"""
REFUSE_UNBALANCED = """
CREATE OR REPLACE FUNCTION refuse_unbalanced_entry() RETURNS trigger LANGUAGE plpgsql AS $$
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
    IF total IS DISTINCT FROM 0 OR {wrong} THEN
        RAISE EXCEPTION 'Ledger entry % does not balance: its sides sum to %, its expense side is '
            '% and its amount %.', entry, total, expense, amount
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$
"""


def upgrade() -> None:
    op.add_column("rewards", sa.Column("released_holds", rewards_service.kit.db.Json()))
    _index("ix_rewards_due_for_approval", ["rule_version_id", "available_on"], "status = 'pending'")
    _index("ix_rewards_hold_until_on", ["hold_until_on"], "hold_until_on IS NOT NULL")
    if op.get_bind().dialect.name == "postgresql":
        _guard_postgresql()
    else:
        _guard_sqlite()


def _index(name: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, "rewards", columns, postgresql_where=condition, sqlite_where=condition)


def _guard_postgresql() -> None:
    op.execute(REFUSE_UNBALANCED.format(wrong="(amount <> 0 AND expense <> amount)"))
    op.execute(REFUSE_UNLAWFUL)
    op.execute(
        "CREATE TRIGGER lawful_moves BEFORE UPDATE OF status ON rewards FOR EACH ROW "
        f"WHEN ({UNLAWFUL}) EXECUTE FUNCTION refuse_unlawful_move()"
    )
    op.execute(REFUSE_DELETION)
    op.execute(
        "CREATE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON rewards "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_deletion()"
    )


def _guard_sqlite() -> None:
    op.execute(
        f"CREATE TRIGGER lawful_moves BEFORE UPDATE OF status ON rewards WHEN {UNLAWFUL} "  # noqa: S608
        "BEGIN SELECT RAISE(ABORT, 'A reward cannot move from its status to this one. "
        f"Lawful moves: {MOVES}.'); END"
    )
    op.execute(
        "CREATE TRIGGER never_deleted BEFORE DELETE ON rewards BEGIN SELECT RAISE(ABORT, "
        "'A row of rewards is never deleted: the ledger points to it.'); END"
    )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER never_deleted ON rewards")
        op.execute("DROP FUNCTION refuse_deletion()")
        op.execute("DROP TRIGGER lawful_moves ON rewards")
        op.execute("DROP FUNCTION refuse_unlawful_move()")
        op.execute(REFUSE_UNBALANCED.format(wrong="expense <> amount"))
    else:
        op.execute("DROP TRIGGER never_deleted")
        op.execute("DROP TRIGGER lawful_moves")
    op.drop_index("ix_rewards_hold_until_on", "rewards")
    op.drop_index("ix_rewards_due_for_approval", "rewards")
    op.drop_column("rewards", "released_holds")
