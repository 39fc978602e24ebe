"""reports

What the ledger says of months: each entry with its partner, what it does to what is owed, and when
what it is about happened (beside when we knew); and the month roll-up, filled from what is there.
"""

import sqlalchemy as sa
from alembic import op

import rewards_service.kit.db

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

KEY = rewards_service.kit.db.BigKey
TIME = rewards_service.kit.db.UtcDateTime(timezone=True)
TOTAL = rewards_service.kit.db.Total()
ENTRY = (
    ("partner_id", KEY), ("currency", sa.String()), ("happened_at", TIME),
    ("effect", sa.String()), ("owed_minor", KEY), ("opens", sa.Boolean()),
)  # fmt: skip
SUMS = (
    "earned_minor", "reversed_minor", "adjusted_minor", "declined_minor", "paid_minor",
    "pending_minor", "approved_minor", "in_payout_minor", "owed_back_minor",
)  # fmt: skip
HAS_EFFECT = sa.text("effect IS NOT NULL")
ON_HOLD = sa.text("status = 'hold'")
REFUSAL = (
    "CREATE TRIGGER append_only_ledger_entries_update BEFORE UPDATE ON ledger_entries "
    "BEGIN SELECT RAISE(ABORT, 'ledger_entries is append-only: add a row, do not change or "
    "delete one.'); END"
)

# What an old entry is about, as well as its cause tells: the payment of a first earning, else the
# payment or the time of the event that it names; of what was paid out the day; else its posting.
FILL = """
UPDATE ledger_entries SET
    partner_id = rewards.partner_id,
    currency = rewards.currency,
    opens = ledger_entries.id = (
        SELECT min(first.id) FROM ledger_entries AS first
        WHERE first.reward_id = ledger_entries.reward_id),
    effect = CASE
        WHEN ledger_entries.kind IN ('earn', 'cap_release') THEN 'earned'
        WHEN ledger_entries.kind = 'reverse' THEN 'reversed'
        WHEN ledger_entries.amount_minor <> 0 THEN 'adjusted'
        WHEN EXISTS (
            SELECT 1 FROM ledger_postings AS side
            WHERE side.entry_id = ledger_entries.id AND side.account = 'paid') THEN 'paid'
        WHEN EXISTS (
            SELECT 1 FROM ledger_postings AS side
            WHERE side.entry_id = ledger_entries.id AND side.account = 'expense') THEN 'declined'
        END,
    owed_minor = coalesce((
        SELECT sum(side.amount_minor) FROM ledger_postings AS side
        WHERE side.entry_id = ledger_entries.id AND side.account IN ('expense', 'paid')), 0),
    happened_at = coalesce(
        CASE WHEN ledger_entries.cause_event_id IS NOT NULL AND ledger_entries.kind = 'earn'
            AND NOT EXISTS (
                SELECT 1 FROM ledger_entries AS earlier
                WHERE earlier.reward_id = ledger_entries.reward_id
                AND earlier.id < ledger_entries.id)
        THEN (SELECT occurred_at FROM transactions WHERE transactions.id = rewards.transaction_id)
        END,
        (SELECT paid_at FROM payment_claims
            WHERE received_event_id = ledger_entries.cause_event_id),
        (SELECT occurred_at FROM received_events
            WHERE received_events.id = ledger_entries.cause_event_id),
        (SELECT max({paid_on}) FROM ledger_postings AS side
            JOIN payout_lines ON payout_lines.reward_id = ledger_entries.reward_id
                AND payout_lines.active
            JOIN payouts ON payouts.id = payout_lines.payout_id
            WHERE side.entry_id = ledger_entries.id AND side.account = 'paid'),
        ledger_entries.posted_at)
FROM rewards WHERE rewards.id = ledger_entries.reward_id
"""
PAID_ON = {
    "postgresql": "payouts.paid_on::timestamp AT TIME ZONE 'UTC'",
    "sqlite": "payouts.paid_on || ' 00:00:00.000000'",
}
MONTH = {
    "postgresql": "CAST(date_trunc('month', {0} AT TIME ZONE 'UTC') AS date)",
    "sqlite": "date({0}, 'start of month')",
}
ROLL_UP = """
INSERT INTO reward_months (partner_id, month_on, known_on, currency, {columns}, rewards, entries)
SELECT partner_id, month_on, known_on, currency, {sums}, sum(opened), sum(counted) FROM (
    SELECT partner_id, {month} AS month_on, {known} AS known_on, currency,
        CASE effect WHEN 'earned' THEN owed_minor ELSE 0 END AS earned_minor,
        CASE effect WHEN 'reversed' THEN owed_minor ELSE 0 END AS reversed_minor,
        CASE effect WHEN 'adjusted' THEN owed_minor ELSE 0 END AS adjusted_minor,
        CASE effect WHEN 'declined' THEN owed_minor ELSE 0 END AS declined_minor,
        CASE effect WHEN 'paid' THEN owed_minor ELSE 0 END AS paid_minor,
        0 AS pending_minor, 0 AS approved_minor, 0 AS in_payout_minor, 0 AS owed_back_minor,
        CASE WHEN opens THEN 1 ELSE 0 END AS opened,
        CASE WHEN effect IS NULL THEN 0 ELSE 1 END AS counted
    FROM ledger_entries
    UNION ALL
    SELECT entry.partner_id, {month}, {known}, entry.currency, 0, 0, 0, 0, 0,
        CASE account WHEN 'payable_pending' THEN -side.amount_minor ELSE 0 END,
        CASE account WHEN 'payable_approved' THEN -side.amount_minor ELSE 0 END,
        CASE account WHEN 'payable_in_payout' THEN -side.amount_minor ELSE 0 END,
        CASE account WHEN 'clawback_receivable' THEN -side.amount_minor ELSE 0 END,
        0, 0
    FROM ledger_postings AS side JOIN ledger_entries AS entry ON entry.id = side.entry_id
) AS parts GROUP BY partner_id, month_on, known_on, currency
"""


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    for name, kind in ENTRY:
        op.add_column("ledger_entries", sa.Column(name, kind))
    _unguard(dialect)
    op.execute(FILL.format(paid_on=PAID_ON[dialect]))
    _guard(dialect)
    _make_roll_up()
    sums = ", ".join(f"sum({name})" for name in SUMS)
    columns = ", ".join(SUMS)
    month = MONTH[dialect]
    op.execute(
        ROLL_UP.format(
            month=month.format("happened_at"), known=month.format("posted_at"), columns=columns,
            sums=sums,
        )
    )  # fmt: skip
    _index()


def _unguard(dialect: str) -> None:
    if dialect == "postgresql":
        op.execute("ALTER TABLE ledger_entries DISABLE TRIGGER append_only")
    else:
        op.execute("DROP TRIGGER append_only_ledger_entries_update")


def _guard(dialect: str) -> None:
    if dialect == "postgresql":
        op.execute("ALTER TABLE ledger_entries ENABLE TRIGGER append_only")
    else:
        op.execute(REFUSAL)


def _make_roll_up() -> None:
    op.create_table(
        "reward_months",
        sa.Column("partner_id", KEY, autoincrement=False, nullable=False),
        sa.Column("month_on", sa.Date(), nullable=False),
        sa.Column("known_on", sa.Date(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        *(sa.Column(name, TOTAL, nullable=False) for name in SUMS),
        sa.Column("rewards", sa.Integer(), nullable=False),
        sa.Column("entries", KEY, nullable=False),
        sa.PrimaryKeyConstraint(
            "partner_id", "month_on", "known_on", "currency", name="pk_reward_months"
        ),
    )
    op.create_index(
        "ix_reward_months_month_on_partner_id_currency", "reward_months",
        ["month_on", "partner_id", "currency"],
    )  # fmt: skip


def _index() -> None:
    op.create_index(
        "ix_ledger_entries_of_partner", "ledger_entries", ["partner_id", "happened_at", "id"],
        postgresql_where=HAS_EFFECT, sqlite_where=HAS_EFFECT,
    )  # fmt: skip
    op.create_index(
        "ix_ledger_entries_as_known", "ledger_entries", ["partner_id", "posted_at"],
        postgresql_where=HAS_EFFECT, sqlite_where=HAS_EFFECT,
    )  # fmt: skip
    for table, column in (
        ("ledger_entries", "happened_at"), ("ledger_entries", "posted_at"),
        ("reward_status_changes", "at"),
    ):  # fmt: skip
        op.create_index(f"ix_{table}_{column}", table, [column], postgresql_using="brin")
    op.create_index(
        "ix_rewards_on_hold", "rewards", ["partner_id", "currency"],
        postgresql_where=ON_HOLD, sqlite_where=ON_HOLD,
    )  # fmt: skip
    for table in ("leads", "deals"):
        op.create_index(f"ix_{table}_registered_at", table, ["registered_at"])


def downgrade() -> None:
    for table in ("leads", "deals"):
        op.drop_index(f"ix_{table}_registered_at", table)
    op.drop_index("ix_rewards_on_hold", "rewards")
    op.drop_index("ix_reward_status_changes_at", "reward_status_changes")
    for name in ("as_known", "of_partner", "posted_at", "happened_at"):
        op.drop_index(f"ix_ledger_entries_{name}", "ledger_entries")
    op.drop_table("reward_months")
    for name, _ in reversed(ENTRY):
        op.drop_column("ledger_entries", name)
