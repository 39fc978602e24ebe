"""rules that count

Levels and dated enrolments, all terms of a rule, what rules that count have counted, and what the
mirror must know for them.
"""

import sqlalchemy as sa
from alembic import op

import rewards_service.kit.db
from rewards_service.kit.guards import guard, unguard

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "chargebee_credit_applications",
        sa.Column("invoice_id", sa.String(), nullable=False),
        sa.Column(
            "integration_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("note_id", sa.String(), nullable=False),
        sa.Column(
            "applied_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("applied_at", rewards_service.kit.db.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint(
            "invoice_id", "integration_id", "note_id", name=op.f("pk_chargebee_credit_applications")
        ),
    )
    op.create_index(
        op.f("ix_chargebee_credit_applications_note_id_integration_id"),
        "chargebee_credit_applications",
        ["note_id", "integration_id"],
        unique=False,
    )
    op.create_table(
        "chargebee_credit_note_lines",
        sa.Column("note_id", sa.String(), nullable=False),
        sa.Column(
            "integration_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("reference_line_id", sa.String(), nullable=True),
        sa.Column("entity_type", sa.String(), nullable=True),
        sa.Column("entity_id", sa.String(), nullable=True),
        sa.Column(
            "net_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "gross_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.PrimaryKeyConstraint(
            "note_id", "integration_id", "position", name=op.f("pk_chargebee_credit_note_lines")
        ),
    )
    op.create_table(
        "metric_entries",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("rule_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "partner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column(
            "integration_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("invoice_id", sa.String(), nullable=False),
        sa.Column("source_id", sa.String(), nullable=False),
        sa.Column("log_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("counted_on", sa.Date(), nullable=False),
        sa.Column(
            "amount_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_metric_entries")),
    )
    op.create_index(
        op.f("ix_metric_entries_rule_id_partner_id_currency_counted_on"),
        "metric_entries",
        ["rule_id", "partner_id", "currency", "counted_on"],
        unique=False,
    )
    op.create_index(
        op.f("ix_metric_entries_invoice_id_integration_id"),
        "metric_entries",
        ["invoice_id", "integration_id"],
        unique=False,
    )
    op.create_table(
        "reward_counts",
        sa.Column("invoice_id", sa.String(), nullable=False),
        sa.Column(
            "integration_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "rule_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "partner_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("log_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("counted_on", sa.Date(), nullable=False),
        sa.Column("invoice_on", sa.Date(), nullable=False),
        sa.Column("window_from_on", sa.Date(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "wanted_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "given_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.PrimaryKeyConstraint(
            "invoice_id", "integration_id", "rule_id", "partner_id", name=op.f("pk_reward_counts")
        ),
    )
    op.create_index(
        op.f("ix_reward_counts_rule_id_customer_id_log_id"),
        "reward_counts",
        ["rule_id", "customer_id", "log_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_reward_counts_rule_id_partner_id_counted_on"),
        "reward_counts",
        ["rule_id", "partner_id", "counted_on"],
        unique=False,
    )
    op.create_table(
        "partner_enrolments",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "partner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "program_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("level_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("from_at", rewards_service.kit.db.UtcDateTime(), nullable=True),
        sa.Column("until_at", rewards_service.kit.db.UtcDateTime(), nullable=True),
        sa.Column("created_at", rewards_service.kit.db.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["partner_id"], ["partners.id"], name=op.f("fk_partner_enrolments_partner_id_partners")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partner_enrolments")),
    )
    op.create_index(
        op.f("ix_partner_enrolments_partner_id_program_id"),
        "partner_enrolments",
        ["partner_id", "program_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_partner_enrolments_program_id"), "partner_enrolments", ["program_id"], unique=False
    )
    op.create_table(
        "program_levels",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "program_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_at", rewards_service.kit.db.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["program_id"], ["programs.id"], name=op.f("fk_program_levels_program_id_programs")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_program_levels")),
        sa.UniqueConstraint("program_id", "name", name=op.f("uq_program_levels_program_id_name")),
    )
    op.execute(
        "INSERT INTO partner_enrolments (partner_id, program_id) "
        "SELECT partner_id, program_id FROM partner_programs"
    )
    op.drop_index(op.f("ix_partner_programs_program_id"), table_name="partner_programs")
    op.drop_table("partner_programs")
    op.add_column("chargebee_customers", sa.Column("country", sa.String(), nullable=True))
    op.add_column(
        "chargebee_invoice_lines",
        sa.Column("service_from_at", rewards_service.kit.db.UtcDateTime(), nullable=True),
    )
    op.add_column(
        "chargebee_invoice_lines",
        sa.Column("service_to_at", rewards_service.kit.db.UtcDateTime(), nullable=True),
    )
    op.add_column("chargebee_invoices", sa.Column("country", sa.String(), nullable=True))
    for table in ("chargebee_transactions", "chargebee_invoices", "chargebee_credit_notes"):
        key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
        op.add_column(table, sa.Column("received_event_id", key, nullable=True))
    op.add_column("ledger_entries", sa.Column("reason", sa.String(), nullable=True))
    op.add_column("ledger_entries", sa.Column("actor", sa.String(), nullable=True))
    op.add_column("partners", sa.Column("payout_details_encrypted", sa.String(), nullable=True))
    op.execute(
        "ALTER TABLE programs ADD COLUMN approval VARCHAR DEFAULT 'manual' NOT NULL "
        "CONSTRAINT ck_programs_approval_is_known CHECK (approval IN ('manual', 'auto'))"
    )
    op.execute(
        "ALTER TABLE programs ADD COLUMN inactive_partners VARCHAR DEFAULT 'skip' NOT NULL "
        "CONSTRAINT ck_programs_inactive_is_known CHECK (inactive_partners IN ('skip', 'accrue_hold'))"
    )
    op.add_column(
        "reward_rule_versions",
        sa.Column("terms", rewards_service.kit.db.Json(), server_default="{}", nullable=False),
    )
    op.add_column(
        "reward_rules",
        sa.Column("level_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
    )
    op.add_column("rewards", sa.Column("hold_until_on", sa.Date(), nullable=True))
    op.add_column("rewards", sa.Column("flags", rewards_service.kit.db.Json(), nullable=True))
    guard(op, ("metric_entries",))


def downgrade() -> None:
    unguard(op, ("metric_entries",))
    op.drop_column("rewards", "flags")
    op.drop_column("rewards", "hold_until_on")
    op.drop_column("reward_rules", "level_id")
    op.drop_column("reward_rule_versions", "terms")
    op.drop_column("programs", "inactive_partners")
    op.drop_column("programs", "approval")
    op.drop_column("partners", "payout_details_encrypted")
    op.drop_column("ledger_entries", "actor")
    op.drop_column("ledger_entries", "reason")
    for table in ("chargebee_transactions", "chargebee_invoices", "chargebee_credit_notes"):
        op.drop_column(table, "received_event_id")
    op.drop_column("chargebee_invoices", "country")
    op.drop_column("chargebee_invoice_lines", "service_to_at")
    op.drop_column("chargebee_invoice_lines", "service_from_at")
    op.drop_column("chargebee_customers", "country")
    op.create_table(
        "partner_programs",
        sa.Column(
            "partner_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "program_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["partner_id"], ["partners.id"], name=op.f("fk_partner_programs_partner_id_partners")
        ),
        sa.PrimaryKeyConstraint("partner_id", "program_id", name=op.f("pk_partner_programs")),
    )
    op.create_index(
        op.f("ix_partner_programs_program_id"), "partner_programs", ["program_id"], unique=False
    )
    op.execute(
        "INSERT INTO partner_programs (partner_id, program_id) "
        "SELECT DISTINCT partner_id, program_id FROM partner_enrolments"
    )
    op.drop_table("program_levels")
    op.drop_index(op.f("ix_partner_enrolments_program_id"), table_name="partner_enrolments")
    op.drop_index(
        op.f("ix_partner_enrolments_partner_id_program_id"), table_name="partner_enrolments"
    )
    op.drop_table("partner_enrolments")
    op.drop_index(
        op.f("ix_reward_counts_rule_id_partner_id_counted_on"), table_name="reward_counts"
    )
    op.drop_index(op.f("ix_reward_counts_rule_id_customer_id_log_id"), table_name="reward_counts")
    op.drop_table("reward_counts")
    op.drop_index(
        op.f("ix_metric_entries_rule_id_partner_id_currency_counted_on"),
        table_name="metric_entries",
    )
    op.drop_table("metric_entries")
    op.drop_table("chargebee_credit_note_lines")
    op.drop_index(
        op.f("ix_chargebee_credit_applications_note_id_integration_id"),
        table_name="chargebee_credit_applications",
    )
    op.drop_table("chargebee_credit_applications")
