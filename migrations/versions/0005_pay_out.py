"""pay out

Payouts with their lines, statuses, invoices and files; schedules that make them; exchange rates.
"""

import sqlalchemy as sa
from alembic import op

import rewards_service.kit.db
from rewards_service.kit.guards import guard, unguard

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

APPEND_ONLY = (
    "exchange_rates", "payout_export_members", "payout_exports", "payout_invoices",
    "payout_status_changes",
)  # fmt: skip


def upgrade() -> None:
    op.create_table(
        "exchange_rates",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("from_currency", sa.String(), nullable=False),
        sa.Column("to_currency", sa.String(), nullable=False),
        sa.Column("rate_on", sa.Date(), nullable=False),
        sa.Column("rate", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("created_at", rewards_service.kit.db.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exchange_rates")),
    )
    op.create_index(
        op.f("ix_exchange_rates_from_currency_to_currency_rate_on"),
        "exchange_rates",
        ["from_currency", "to_currency", "rate_on"],
        unique=False,
    )
    op.create_table(
        "payout_exports",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("subject_sha256", sa.String(), nullable=False),
        sa.Column("format", sa.String(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.Column("file_name", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("at", rewards_service.kit.db.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_exports")),
    )
    op.create_index(
        op.f("ix_payout_exports_subject_sha256_format_part"),
        "payout_exports",
        ["subject_sha256", "format", "part"],
        unique=False,
    )
    op.create_table(
        "payout_schedules",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column(
            "program_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("thresholds", rewards_service.kit.db.Json(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("created_at", rewards_service.kit.db.UtcDateTime(), nullable=False),
        sa.Column("updated_at", rewards_service.kit.db.UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('monthly', 'quarterly', 'threshold')",
            name=op.f("ck_payout_schedules_kind_is_known"),
        ),
        sa.CheckConstraint(
            "day BETWEEN 1 AND 28", name=op.f("ck_payout_schedules_day_is_in_every_month")
        ),
        sa.ForeignKeyConstraint(
            ["program_id"], ["programs.id"], name=op.f("fk_payout_schedules_program_id_programs")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_schedules")),
    )
    op.create_table(
        "payouts",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "partner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("cut_off_on", sa.Date(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("problem", sa.String(), nullable=True),
        sa.Column(
            "total_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("line_count", sa.Integer(), nullable=False),
        sa.Column("ledger_sha256", sa.String(), nullable=False),
        sa.Column("pay_currency", sa.String(), nullable=False),
        sa.Column(
            "pay_total_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("invoice_number", sa.String(), nullable=True),
        sa.Column("ready_at", rewards_service.kit.db.UtcDateTime(), nullable=True),
        sa.Column("paid_on", sa.Date(), nullable=True),
        sa.Column("paid_at", rewards_service.kit.db.UtcDateTime(), nullable=True),
        sa.Column("reference", sa.String(), nullable=True),
        sa.Column(
            "schedule_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", rewards_service.kit.db.UtcDateTime(), nullable=False),
        sa.Column("updated_at", rewards_service.kit.db.UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "(status = 'paid') = (paid_on IS NOT NULL)", name=op.f("ck_payouts_paid_has_day")
        ),
        sa.CheckConstraint(
            "problem IS NULL OR status IN ('draft', 'cancelled')", name=op.f("ck_payouts_held")
        ),
        sa.CheckConstraint(
            "status IN ('draft', 'pending', 'ready', 'paid', 'cancelled')",
            name=op.f("ck_payouts_status_is_known"),
        ),
        sa.CheckConstraint(
            "(problem IS NULL) = (pay_total_minor IS NOT NULL)",
            name=op.f("ck_payouts_unconverted_has_problem"),
        ),
        sa.CheckConstraint("pay_total_minor > 0", name=op.f("ck_payouts_pay_total_is_positive")),
        sa.CheckConstraint("total_minor > 0", name=op.f("ck_payouts_total_is_positive")),
        sa.ForeignKeyConstraint(
            ["partner_id"], ["partners.id"], name=op.f("fk_payouts_partner_id_partners")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payouts")),
    )
    op.create_index(
        op.f("ix_payouts_partner_id_currency"), "payouts", ["partner_id", "currency"], unique=False
    )
    op.create_index(op.f("ix_payouts_status_id"), "payouts", ["status", "id"], unique=False)
    op.create_table(
        "payout_export_members",
        sa.Column(
            "payout_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "export_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["export_id"],
            ["payout_exports.id"],
            name=op.f("fk_payout_export_members_export_id_payout_exports"),
        ),
        sa.ForeignKeyConstraint(
            ["payout_id"], ["payouts.id"], name=op.f("fk_payout_export_members_payout_id_payouts")
        ),
        sa.PrimaryKeyConstraint("payout_id", "export_id", name=op.f("pk_payout_export_members")),
    )
    op.create_table(
        "payout_invoices",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "payout_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=True),
        sa.Column("sha256", sa.String(), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("at", rewards_service.kit.db.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["payout_id"], ["payouts.id"], name=op.f("fk_payout_invoices_payout_id_payouts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_invoices")),
    )
    op.create_index(
        op.f("ix_payout_invoices_payout_id"), "payout_invoices", ["payout_id"], unique=False
    )
    op.create_table(
        "payout_runs",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "schedule_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("payouts", sa.Integer(), nullable=False),
        sa.Column("ran_at", rewards_service.kit.db.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["schedule_id"],
            ["payout_schedules.id"],
            name=op.f("fk_payout_runs_schedule_id_payout_schedules"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_runs")),
        sa.UniqueConstraint(
            "schedule_id", "due_on", name=op.f("uq_payout_runs_schedule_id_due_on")
        ),
    )
    op.create_index(
        op.f("ix_payout_runs_schedule_id"), "payout_runs", ["schedule_id"], unique=False
    )
    op.create_table(
        "payout_status_changes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "payout_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("from_status", sa.String(), nullable=True),
        sa.Column("to_status", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("at", rewards_service.kit.db.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["payout_id"], ["payouts.id"], name=op.f("fk_payout_status_changes_payout_id_payouts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_status_changes")),
    )
    op.create_index(
        op.f("ix_payout_status_changes_payout_id"),
        "payout_status_changes",
        ["payout_id"],
        unique=False,
    )
    op.create_table(
        "payout_lines",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "payout_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "reward_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "amount_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("rate", sa.String(), nullable=True),
        sa.Column("rate_on", sa.Date(), nullable=True),
        sa.Column("rate_source", sa.String(), nullable=True),
        sa.Column(
            "pay_amount_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.CheckConstraint("amount_minor <> 0", name=op.f("ck_payout_lines_amount_is_not_nothing")),
        sa.ForeignKeyConstraint(
            ["payout_id"], ["payouts.id"], name=op.f("fk_payout_lines_payout_id_payouts")
        ),
        sa.ForeignKeyConstraint(
            ["reward_id"], ["rewards.id"], name=op.f("fk_payout_lines_reward_id_rewards")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_lines")),
        sa.UniqueConstraint(
            "payout_id", "reward_id", name=op.f("uq_payout_lines_payout_id_reward_id")
        ),
    )
    op.create_index(op.f("ix_payout_lines_reward_id"), "payout_lines", ["reward_id"], unique=False)
    op.create_index(
        "uq_payout_lines_active_reward",
        "payout_lines",
        ["reward_id"],
        unique=True,
        postgresql_where=sa.text("active"),
        sqlite_where=sa.text("active"),
    )

    guard(op, APPEND_ONLY)


def downgrade() -> None:
    unguard(op, APPEND_ONLY)
    op.drop_index(
        "uq_payout_lines_active_reward",
        table_name="payout_lines",
        postgresql_where=sa.text("active"),
        sqlite_where=sa.text("active"),
    )
    op.drop_index(op.f("ix_payout_lines_reward_id"), table_name="payout_lines")
    op.drop_table("payout_lines")
    op.drop_index(op.f("ix_payout_status_changes_payout_id"), table_name="payout_status_changes")
    op.drop_table("payout_status_changes")
    op.drop_index(op.f("ix_payout_runs_schedule_id"), table_name="payout_runs")
    op.drop_table("payout_runs")
    op.drop_index(op.f("ix_payout_invoices_payout_id"), table_name="payout_invoices")
    op.drop_table("payout_invoices")
    op.drop_table("payout_export_members")
    op.drop_index(op.f("ix_payouts_status_id"), table_name="payouts")
    op.drop_index(op.f("ix_payouts_partner_id_currency"), table_name="payouts")
    op.drop_table("payouts")
    op.drop_table("payout_schedules")
    op.drop_index(op.f("ix_payout_exports_subject_sha256_format_part"), table_name="payout_exports")
    op.drop_table("payout_exports")
    op.drop_index(
        op.f("ix_exchange_rates_from_currency_to_currency_rate_on"), table_name="exchange_rates"
    )
    op.drop_table("exchange_rates")
