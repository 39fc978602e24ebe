"""create the tables"""

import sqlalchemy as sa
from alembic import op

import rewards_service.kit.db

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("public_part", sa.String(), nullable=False),
        sa.Column("secret_digest", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", rewards_service.kit.db.Json(), nullable=False),
        sa.Column("created_at", rewards_service.kit.db.UtcDateTime(), nullable=False),
        sa.Column("expires_at", rewards_service.kit.db.UtcDateTime(), nullable=True),
        sa.Column("last_used_at", rewards_service.kit.db.UtcDateTime(), nullable=True),
        sa.Column("revoked_at", rewards_service.kit.db.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("public_part", name=op.f("uq_api_keys_public_part")),
    )
    op.create_table(
        "audit_entries",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", rewards_service.kit.db.UtcDateTime(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("subject_kind", sa.String(), nullable=False),
        sa.Column(
            "subject_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("detail", rewards_service.kit.db.Json(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entries")),
    )
    op.create_index(
        op.f("ix_audit_entries_subject_kind_subject_id"),
        "audit_entries",
        ["subject_kind", "subject_id"],
        unique=False,
    )
    op.create_table(
        "chargebee_credit_notes",
        sa.Column("customer_id", sa.String(), nullable=True),
        sa.Column("invoice_id", sa.String(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("reason_code", sa.String(), nullable=True),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("price_type", sa.String(), nullable=False),
        sa.Column(
            "total_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "net_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "gross_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("dated_at", rewards_service.kit.db.UtcDateTime(), nullable=True),
        sa.Column("external_id", sa.String(), nullable=False),
        sa.Column(
            "integration_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "resource_version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("occurred_at", rewards_service.kit.db.UtcDateTime(), nullable=False),
        sa.Column("body_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint(
            "external_id", "integration_id", name=op.f("pk_chargebee_credit_notes")
        ),
    )
    op.create_index(
        op.f("ix_chargebee_credit_notes_invoice_id_integration_id"),
        "chargebee_credit_notes",
        ["invoice_id", "integration_id"],
        unique=False,
    )
    op.create_table(
        "chargebee_customers",
        sa.Column("email", sa.String(), nullable=True),
        sa.Column("parent_id", sa.String(), nullable=True),
        sa.Column("root_id", sa.String(), nullable=True),
        sa.Column("external_id", sa.String(), nullable=False),
        sa.Column(
            "integration_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "resource_version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("occurred_at", rewards_service.kit.db.UtcDateTime(), nullable=False),
        sa.Column("body_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint(
            "external_id", "integration_id", name=op.f("pk_chargebee_customers")
        ),
    )
    op.create_table(
        "chargebee_invoice_lines",
        sa.Column("invoice_id", sa.String(), nullable=False),
        sa.Column(
            "integration_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("line_id", sa.String(), nullable=True),
        sa.Column("entity_type", sa.String(), nullable=True),
        sa.Column("entity_id", sa.String(), nullable=True),
        sa.Column("subscription_id", sa.String(), nullable=True),
        sa.Column("customer_id", sa.String(), nullable=True),
        sa.Column(
            "amount_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "discount_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "tax_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "net_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.PrimaryKeyConstraint(
            "invoice_id", "integration_id", "position", name=op.f("pk_chargebee_invoice_lines")
        ),
    )
    op.create_table(
        "chargebee_invoices",
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("subscription_id", sa.String(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("price_type", sa.String(), nullable=False),
        sa.Column(
            "total_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "tax_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "write_off_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "lines_net_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "lines_gross_minor",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column("invoiced_at", rewards_service.kit.db.UtcDateTime(), nullable=True),
        sa.Column("is_gifted", sa.Boolean(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=False),
        sa.Column(
            "integration_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "resource_version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("occurred_at", rewards_service.kit.db.UtcDateTime(), nullable=False),
        sa.Column("body_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint(
            "external_id", "integration_id", name=op.f("pk_chargebee_invoices")
        ),
    )
    op.create_index(
        op.f("ix_chargebee_invoices_customer_id_integration_id"),
        "chargebee_invoices",
        ["customer_id", "integration_id"],
        unique=False,
    )
    op.create_table(
        "chargebee_payment_applications",
        sa.Column("transaction_id", sa.String(), nullable=False),
        sa.Column(
            "integration_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("invoice_id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column(
            "applied_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.PrimaryKeyConstraint(
            "transaction_id",
            "integration_id",
            "invoice_id",
            name=op.f("pk_chargebee_payment_applications"),
        ),
    )
    op.create_index(
        op.f("ix_chargebee_payment_applications_invoice_id_integration_id"),
        "chargebee_payment_applications",
        ["invoice_id", "integration_id"],
        unique=False,
    )
    op.create_table(
        "chargebee_refund_notes",
        sa.Column("transaction_id", sa.String(), nullable=False),
        sa.Column(
            "integration_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("note_id", sa.String(), nullable=False),
        sa.Column("invoice_id", sa.String(), nullable=True),
        sa.Column(
            "applied_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.PrimaryKeyConstraint(
            "transaction_id", "integration_id", "note_id", name=op.f("pk_chargebee_refund_notes")
        ),
    )
    op.create_table(
        "chargebee_transactions",
        sa.Column("customer_id", sa.String(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("payment_method", sa.String(), nullable=True),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column(
            "amount_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "unused_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("base_currency", sa.String(), nullable=True),
        sa.Column("exchange_rate", sa.String(), nullable=True),
        sa.Column("dated_at", rewards_service.kit.db.UtcDateTime(), nullable=True),
        sa.Column("source_id", sa.String(), nullable=True),
        sa.Column("external_id", sa.String(), nullable=False),
        sa.Column(
            "integration_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "resource_version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("occurred_at", rewards_service.kit.db.UtcDateTime(), nullable=False),
        sa.Column("body_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint(
            "external_id", "integration_id", name=op.f("pk_chargebee_transactions")
        ),
    )
    op.create_index(
        op.f("ix_chargebee_transactions_source_id_integration_id"),
        "chargebee_transactions",
        ["source_id", "integration_id"],
        unique=False,
    )
    op.create_table(
        "chargebee_versions",
        sa.Column("external_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column(
            "integration_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("body_sha256", sa.LargeBinary(), nullable=False),
        sa.Column(
            "resource_version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("occurred_at", rewards_service.kit.db.UtcDateTime(), nullable=False),
        sa.Column(
            "received_event_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint(
            "external_id",
            "kind",
            "integration_id",
            "body_sha256",
            name=op.f("pk_chargebee_versions"),
        ),
    )
    op.create_table(
        "conflicts",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("natural_key", sa.String(), nullable=False),
        sa.Column("subject_kind", sa.String(), nullable=False),
        sa.Column(
            "subject_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("candidates", rewards_service.kit.db.Json(), nullable=False),
        sa.Column("opened_at", rewards_service.kit.db.UtcDateTime(), nullable=False),
        sa.Column("resolved_at", rewards_service.kit.db.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conflicts")),
        sa.UniqueConstraint("natural_key", name=op.f("uq_conflicts_natural_key")),
    )
    op.create_index(op.f("ix_conflicts_kind"), "conflicts", ["kind"], unique=False)
    op.create_table(
        "integrations",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("convert_lead", sa.Boolean(), nullable=False),
        sa.Column("associate_deal", sa.Boolean(), nullable=False),
        sa.Column("create_transaction", sa.Boolean(), nullable=False),
        sa.Column("hierarchy", sa.String(), nullable=False),
        sa.Column("conflict", sa.String(), nullable=False),
        sa.Column(
            "options_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("endpoint_key", sa.String(), nullable=False),
        sa.Column("webhook_username", sa.String(), nullable=False),
        sa.Column("credentials_digest", sa.LargeBinary(), nullable=False),
        sa.Column("previous_digest", sa.LargeBinary(), nullable=True),
        sa.Column("previous_expires_at", rewards_service.kit.db.UtcDateTime(), nullable=True),
        sa.Column("api_key_encrypted", sa.String(), nullable=True),
        sa.Column("api_v1_seen_at", rewards_service.kit.db.UtcDateTime(), nullable=True),
        sa.Column("other_site_seen", sa.String(), nullable=True),
        sa.Column("created_at", rewards_service.kit.db.UtcDateTime(), nullable=False),
        sa.Column("updated_at", rewards_service.kit.db.UtcDateTime(), nullable=False),
        sa.Column("deleted_at", rewards_service.kit.db.UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "NOT create_transaction OR convert_lead OR associate_deal",
            name=op.f("ck_integrations_transaction_requires_conversion"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_integrations")),
        sa.UniqueConstraint("endpoint_key", name=op.f("uq_integrations_endpoint_key")),
    )
    op.create_index(
        "uq_integrations_site",
        "integrations",
        ["site"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
        sqlite_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "partners",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("email_key", sa.String(), nullable=True),
        sa.Column("loose_key", sa.String(), nullable=True),
        sa.Column("key_version", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("payout_currency", sa.String(), nullable=True),
        sa.Column("external_id", sa.String(), nullable=True),
        sa.Column("created_at", rewards_service.kit.db.UtcDateTime(), nullable=False),
        sa.Column("updated_at", rewards_service.kit.db.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partners")),
        sa.UniqueConstraint("external_id", name=op.f("uq_partners_external_id")),
    )
    op.create_index(op.f("ix_partners_email_key"), "partners", ["email_key"], unique=False)
    op.create_index(op.f("ix_partners_status"), "partners", ["status"], unique=False)
    op.create_table(
        "programs",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("timezone", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=True),
        sa.Column("created_at", rewards_service.kit.db.UtcDateTime(), nullable=False),
        sa.Column("updated_at", rewards_service.kit.db.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_programs")),
    )
    op.create_table(
        "property_definitions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("is_unique", sa.Boolean(), nullable=False),
        sa.Column("created_at", rewards_service.kit.db.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_property_definitions")),
        sa.UniqueConstraint("key", name=op.f("uq_property_definitions_key")),
    )
    op.create_table(
        "property_values",
        sa.Column(
            "subject_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "definition_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "integration_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("is_unique", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint(
            "subject_id",
            "definition_id",
            "integration_id",
            "position",
            name=op.f("pk_property_values"),
        ),
    )
    op.create_index(
        "ix_property_values_value",
        "property_values",
        ["value", "definition_id", "integration_id"],
        unique=False,
        postgresql_where=sa.text("NOT is_unique"),
        sqlite_where=sa.text("NOT is_unique"),
    )
    op.create_index(
        "uq_property_values_unique_value",
        "property_values",
        ["value", "definition_id", "integration_id"],
        unique=True,
        postgresql_where=sa.text("is_unique"),
        sqlite_where=sa.text("is_unique"),
    )
    op.create_table(
        "received_events",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "integration_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "options_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("event_id", sa.String(), nullable=False),
        sa.Column("event_type", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("occurred_at", rewards_service.kit.db.UtcDateTime(), nullable=True),
        sa.Column("received_at", rewards_service.kit.db.UtcDateTime(), nullable=False),
        sa.Column("body_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("other_body_seen", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", rewards_service.kit.db.UtcDateTime(), nullable=True),
        sa.Column("lease_token", sa.String(), nullable=True),
        sa.Column("lease_until", rewards_service.kit.db.UtcDateTime(), nullable=True),
        sa.Column("finished_at", rewards_service.kit.db.UtcDateTime(), nullable=True),
        sa.Column("results", rewards_service.kit.db.Json(), nullable=True),
        sa.CheckConstraint(
            "state = 'pending' OR outcome IS NOT NULL OR state = 'dead'",
            name=op.f("ck_received_events_has_outcome"),
        ),
        sa.CheckConstraint(
            "state IN ('pending', 'done', 'quarantined', 'dead')",
            name=op.f("ck_received_events_state_is_known"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_received_events")),
        sa.UniqueConstraint(
            "integration_id", "event_id", name=op.f("uq_received_events_integration_id_event_id")
        ),
    )
    op.create_index(
        "ix_received_events_needs_a_person",
        "received_events",
        ["state", "id"],
        unique=False,
        postgresql_where=sa.text("state IN ('quarantined', 'dead')"),
        sqlite_where=sa.text("state IN ('quarantined', 'dead')"),
    )
    op.create_index(
        "ix_received_events_pending",
        "received_events",
        ["id"],
        unique=False,
        postgresql_where=sa.text("state = 'pending'"),
        sqlite_where=sa.text("state = 'pending'"),
    )
    op.create_table(
        "reward_due",
        sa.Column("invoice_id", sa.String(), nullable=False),
        sa.Column(
            "integration_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "cause_event_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("due_at", rewards_service.kit.db.UtcDateTime(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("next_attempt_at", rewards_service.kit.db.UtcDateTime(), nullable=True),
        sa.Column("dead", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("invoice_id", "integration_id", name=op.f("pk_reward_due")),
    )
    op.create_index(op.f("ix_reward_due_due_at"), "reward_due", ["due_at"], unique=False)
    op.create_table(
        "customers",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(), nullable=True),
        sa.Column("email", sa.String(), nullable=True),
        sa.Column("email_key", sa.String(), nullable=True),
        sa.Column("loose_key", sa.String(), nullable=True),
        sa.Column("key_version", sa.Integer(), nullable=False),
        sa.Column(
            "source_partner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("source_by_hand", sa.Boolean(), nullable=False),
        sa.Column(
            "source_lead_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "source_deal_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("attributed_from", rewards_service.kit.db.UtcDateTime(), nullable=True),
        sa.Column("hold_reason", sa.String(), nullable=True),
        sa.Column("machine_made", sa.Boolean(), nullable=False),
        sa.Column("matched_at", rewards_service.kit.db.UtcDateTime(), nullable=True),
        sa.Column("pinned", sa.Boolean(), nullable=False),
        sa.Column("withdrawn_at", rewards_service.kit.db.UtcDateTime(), nullable=True),
        sa.Column("created_at", rewards_service.kit.db.UtcDateTime(), nullable=False),
        sa.Column("updated_at", rewards_service.kit.db.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["source_partner_id"],
            ["partners.id"],
            name=op.f("fk_customers_source_partner_id_partners"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customers")),
    )
    op.create_index(op.f("ix_customers_email_key"), "customers", ["email_key"], unique=False)
    op.create_index(
        op.f("ix_customers_source_partner_id"), "customers", ["source_partner_id"], unique=False
    )
    op.create_table(
        "integration_options",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "integration_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("convert_lead", sa.Boolean(), nullable=False),
        sa.Column("associate_deal", sa.Boolean(), nullable=False),
        sa.Column("create_transaction", sa.Boolean(), nullable=False),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("hierarchy", sa.String(), nullable=False),
        sa.Column("conflict", sa.String(), nullable=False),
        sa.Column("valid_from", rewards_service.kit.db.UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "NOT create_transaction OR convert_lead OR associate_deal",
            name=op.f("ck_integration_options_transaction_requires_conversion"),
        ),
        sa.ForeignKeyConstraint(
            ["integration_id"],
            ["integrations.id"],
            name=op.f("fk_integration_options_integration_id_integrations"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_integration_options")),
        sa.UniqueConstraint(
            "integration_id", "version", name=op.f("uq_integration_options_integration_id_version")
        ),
    )
    op.create_table(
        "other_deliveries",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "received_event_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column("body_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", rewards_service.kit.db.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["received_event_id"],
            ["received_events.id"],
            name=op.f("fk_other_deliveries_received_event_id_received_events"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_other_deliveries")),
        sa.UniqueConstraint(
            "received_event_id",
            "body_sha256",
            name=op.f("uq_other_deliveries_received_event_id_body_sha256"),
        ),
    )
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
    op.create_table(
        "partner_statuses",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "partner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("from_at", rewards_service.kit.db.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["partner_id"], ["partners.id"], name=op.f("fk_partner_statuses_partner_id_partners")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partner_statuses")),
    )
    op.create_index(
        op.f("ix_partner_statuses_partner_id"), "partner_statuses", ["partner_id"], unique=False
    )
    op.create_table(
        "payment_claims",
        sa.Column(
            "received_event_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "integration_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("event_id", sa.String(), nullable=False),
        sa.Column("occurred_at", rewards_service.kit.db.UtcDateTime(), nullable=False),
        sa.Column("chargebee_transaction_id", sa.String(), nullable=False),
        sa.Column("chargebee_customer_id", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=True),
        sa.Column("email_key", sa.String(), nullable=True),
        sa.Column("customer_name", sa.String(), nullable=True),
        sa.Column("paid_at", rewards_service.kit.db.UtcDateTime(), nullable=False),
        sa.Column("convert_lead", sa.Boolean(), nullable=False),
        sa.Column("associate_deal", sa.Boolean(), nullable=False),
        sa.Column("create_transaction", sa.Boolean(), nullable=False),
        sa.Column("first_wins", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["received_event_id"],
            ["received_events.id"],
            name=op.f("fk_payment_claims_received_event_id_received_events"),
        ),
        sa.PrimaryKeyConstraint("received_event_id", name=op.f("pk_payment_claims")),
    )
    op.create_index(
        op.f("ix_payment_claims_chargebee_customer_id_integration_id"),
        "payment_claims",
        ["chargebee_customer_id", "integration_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_payment_claims_chargebee_transaction_id_integration_id"),
        "payment_claims",
        ["chargebee_transaction_id", "integration_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_payment_claims_email_key"), "payment_claims", ["email_key"], unique=False
    )
    op.create_table(
        "reward_rules",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "program_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_at", rewards_service.kit.db.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["program_id"], ["programs.id"], name=op.f("fk_reward_rules_program_id_programs")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reward_rules")),
    )
    op.create_index(
        op.f("ix_reward_rules_program_id"), "reward_rules", ["program_id"], unique=False
    )
    op.create_table(
        "waiting_events",
        sa.Column(
            "received_event_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "integration_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["received_event_id"],
            ["received_events.id"],
            name=op.f("fk_waiting_events_received_event_id_received_events"),
        ),
        sa.PrimaryKeyConstraint("received_event_id", name=op.f("pk_waiting_events")),
    )
    op.create_index(
        op.f("ix_waiting_events_external_id_kind_integration_id"),
        "waiting_events",
        ["external_id", "kind", "integration_id"],
        unique=False,
    )
    op.create_table(
        "deals",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("contact_email", sa.String(), nullable=True),
        sa.Column("email_key", sa.String(), nullable=True),
        sa.Column("loose_key", sa.String(), nullable=True),
        sa.Column("key_version", sa.Integer(), nullable=False),
        sa.Column(
            "amount_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("currency", sa.String(), nullable=True),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column(
            "partner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("registered_at", rewards_service.kit.db.UtcDateTime(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=True),
        sa.Column(
            "customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("associated_at", rewards_service.kit.db.UtcDateTime(), nullable=True),
        sa.Column("created_at", rewards_service.kit.db.UtcDateTime(), nullable=False),
        sa.Column("updated_at", rewards_service.kit.db.UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "stage IN ('open', 'won', 'lost', 'archived')", name=op.f("ck_deals_stage_is_known")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_deals_customer_id_customers")
        ),
        sa.ForeignKeyConstraint(
            ["partner_id"], ["partners.id"], name=op.f("fk_deals_partner_id_partners")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deals")),
        sa.UniqueConstraint("external_id", name=op.f("uq_deals_external_id")),
    )
    op.create_index(op.f("ix_deals_customer_id"), "deals", ["customer_id"], unique=False)
    op.create_index(op.f("ix_deals_email_key"), "deals", ["email_key"], unique=False)
    op.create_index(op.f("ix_deals_partner_id"), "deals", ["partner_id"], unique=False)
    op.create_index(op.f("ix_deals_stage"), "deals", ["stage"], unique=False)
    op.create_table(
        "leads",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("email_key", sa.String(), nullable=True),
        sa.Column("loose_key", sa.String(), nullable=True),
        sa.Column("key_version", sa.Integer(), nullable=False),
        sa.Column("first_name", sa.String(), nullable=True),
        sa.Column("last_name", sa.String(), nullable=True),
        sa.Column("company", sa.String(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("status_before", sa.String(), nullable=True),
        sa.Column(
            "partner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("registered_at", rewards_service.kit.db.UtcDateTime(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=True),
        sa.Column(
            "customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("converted_at", rewards_service.kit.db.UtcDateTime(), nullable=True),
        sa.Column(
            "superseded_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("created_at", rewards_service.kit.db.UtcDateTime(), nullable=False),
        sa.Column("updated_at", rewards_service.kit.db.UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "(status = 'converted') = (customer_id IS NOT NULL)",
            name=op.f("ck_leads_converted_has_customer"),
        ),
        sa.CheckConstraint(
            "status IN ('pending', 'accepted', 'lost', 'converted')",
            name=op.f("ck_leads_status_is_known"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_leads_customer_id_customers")
        ),
        sa.ForeignKeyConstraint(
            ["partner_id"], ["partners.id"], name=op.f("fk_leads_partner_id_partners")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leads")),
        sa.UniqueConstraint("external_id", name=op.f("uq_leads_external_id")),
    )
    op.create_index(op.f("ix_leads_customer_id"), "leads", ["customer_id"], unique=False)
    op.create_index(op.f("ix_leads_email_key"), "leads", ["email_key"], unique=False)
    op.create_index(op.f("ix_leads_partner_id"), "leads", ["partner_id"], unique=False)
    op.create_index(op.f("ix_leads_status"), "leads", ["status"], unique=False)
    op.create_table(
        "reward_rule_versions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("rule_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("rate_millionths", sa.Integer(), nullable=True),
        sa.Column("amounts", rewards_service.kit.db.Json(), nullable=True),
        sa.Column("base", sa.String(), nullable=False),
        sa.Column("rounding", sa.String(), nullable=False),
        sa.Column("hold_days", sa.Integer(), nullable=False),
        sa.Column("effective_from", rewards_service.kit.db.UtcDateTime(), nullable=True),
        sa.Column("created_at", rewards_service.kit.db.UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "(kind = 'flat') = (amounts IS NOT NULL)",
            name=op.f("ck_reward_rule_versions_flat_has_amounts"),
        ),
        sa.CheckConstraint(
            "(kind = 'percent') = (rate_millionths IS NOT NULL)",
            name=op.f("ck_reward_rule_versions_percent_has_rate"),
        ),
        sa.CheckConstraint(
            "kind IN ('percent', 'flat')", name=op.f("ck_reward_rule_versions_kind_is_known")
        ),
        sa.ForeignKeyConstraint(
            ["rule_id"],
            ["reward_rules.id"],
            name=op.f("fk_reward_rule_versions_rule_id_reward_rules"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reward_rule_versions")),
        sa.UniqueConstraint(
            "rule_id", "version", name=op.f("uq_reward_rule_versions_rule_id_version")
        ),
    )
    op.create_table(
        "rewards",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "integration_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("invoice_id", sa.String(), nullable=False),
        sa.Column(
            "rule_version_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "partner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column(
            "customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "transaction_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("hold_reason", sa.String(), nullable=True),
        sa.Column("available_on", sa.Date(), nullable=False),
        sa.Column("anchor_paid_at", rewards_service.kit.db.UtcDateTime(), nullable=False),
        sa.Column("explanation", rewards_service.kit.db.Json(), nullable=False),
        sa.Column("created_at", rewards_service.kit.db.UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "(status = 'hold') = (hold_reason IS NOT NULL)", name=op.f("ck_rewards_hold_has_reason")
        ),
        sa.CheckConstraint(
            "status IN ('pending', 'hold', 'approved', 'declined', 'in_payout', 'paid')",
            name=op.f("ck_rewards_status_is_known"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_rewards_customer_id_customers")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rewards")),
        sa.UniqueConstraint(
            "invoice_id",
            "integration_id",
            "rule_version_id",
            "partner_id",
            "seq",
            name="uq_rewards",
        ),
    )
    op.create_index(
        op.f("ix_rewards_customer_id_id"), "rewards", ["customer_id", "id"], unique=False
    )
    op.create_index(op.f("ix_rewards_partner_id_id"), "rewards", ["partner_id", "id"], unique=False)
    op.create_index(op.f("ix_rewards_transaction_id"), "rewards", ["transaction_id"], unique=False)
    op.create_table(
        "transactions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "integration_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "partner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("chargebee_transaction_id", sa.String(), nullable=False),
        sa.Column(
            "received_event_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column(
            "amount_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("base_currency", sa.String(), nullable=True),
        sa.Column("exchange_rate", sa.String(), nullable=True),
        sa.Column(
            "base_amount_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("occurred_at", rewards_service.kit.db.UtcDateTime(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column(
            "refunded_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("created_at", rewards_service.kit.db.UtcDateTime(), nullable=False),
        sa.Column("withdrawn_at", rewards_service.kit.db.UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "status IN ('succeeded', 'partially_refunded', 'refunded', 'reversed')",
            name=op.f("ck_transactions_status_is_known"),
        ),
        sa.CheckConstraint(
            "refunded_minor BETWEEN 0 AND amount_minor",
            name=op.f("ck_transactions_refunded_within_amount"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_transactions_customer_id_customers")
        ),
        sa.ForeignKeyConstraint(
            ["received_event_id"],
            ["received_events.id"],
            name=op.f("fk_transactions_received_event_id_received_events"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transactions")),
        sa.UniqueConstraint(
            "chargebee_transaction_id",
            "integration_id",
            name=op.f("uq_transactions_chargebee_transaction_id_integration_id"),
        ),
    )
    op.create_index(
        op.f("ix_transactions_customer_id_id"), "transactions", ["customer_id", "id"], unique=False
    )
    op.create_index(
        op.f("ix_transactions_occurred_at"), "transactions", ["occurred_at"], unique=False
    )
    op.create_index(
        op.f("ix_transactions_partner_id_id"), "transactions", ["partner_id", "id"], unique=False
    )
    op.create_table(
        "deal_shares",
        sa.Column(
            "deal_id",
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
        sa.Column("basis_points", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deal_id"], ["deals.id"], name=op.f("fk_deal_shares_deal_id_deals")
        ),
        sa.ForeignKeyConstraint(
            ["partner_id"], ["partners.id"], name=op.f("fk_deal_shares_partner_id_partners")
        ),
        sa.PrimaryKeyConstraint("deal_id", "partner_id", name=op.f("pk_deal_shares")),
    )
    op.create_table(
        "ledger_entries",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "reward_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column(
            "amount_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "cause_event_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("posted_at", rewards_service.kit.db.UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('earn', 'reverse', 'adjust', 'cap_release', 'manual')",
            name=op.f("ck_ledger_entries_kind_is_known"),
        ),
        sa.ForeignKeyConstraint(
            ["reward_id"], ["rewards.id"], name=op.f("fk_ledger_entries_reward_id_rewards")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_entries")),
    )
    op.create_index(
        op.f("ix_ledger_entries_reward_id"), "ledger_entries", ["reward_id"], unique=False
    )
    op.create_table(
        "reward_status_changes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "reward_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("from_status", sa.String(), nullable=False),
        sa.Column("to_status", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("at", rewards_service.kit.db.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["reward_id"], ["rewards.id"], name=op.f("fk_reward_status_changes_reward_id_rewards")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reward_status_changes")),
    )
    op.create_index(
        op.f("ix_reward_status_changes_reward_id"),
        "reward_status_changes",
        ["reward_id"],
        unique=False,
    )
    op.create_table(
        "ledger_postings",
        sa.Column(
            "entry_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column(
            "partner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column(
            "amount_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.CheckConstraint(
            "account IN ('expense', 'payable_pending', 'payable_approved', 'payable_in_payout', 'paid', 'clawback_receivable')",
            name=op.f("ck_ledger_postings_account_is_known"),
        ),
        sa.ForeignKeyConstraint(
            ["entry_id"],
            ["ledger_entries.id"],
            name=op.f("fk_ledger_postings_entry_id_ledger_entries"),
        ),
        sa.PrimaryKeyConstraint("entry_id", "account", name=op.f("pk_ledger_postings")),
    )
    op.create_index(
        op.f("ix_ledger_postings_partner_id_currency_account"),
        "ledger_postings",
        ["partner_id", "currency", "account"],
        unique=False,
    )


def downgrade() -> None:
    op.drop_index(
        op.f("ix_ledger_postings_partner_id_currency_account"), table_name="ledger_postings"
    )
    op.drop_table("ledger_postings")
    op.drop_index(op.f("ix_reward_status_changes_reward_id"), table_name="reward_status_changes")
    op.drop_table("reward_status_changes")
    op.drop_index(op.f("ix_ledger_entries_reward_id"), table_name="ledger_entries")
    op.drop_table("ledger_entries")
    op.drop_table("deal_shares")
    op.drop_index(op.f("ix_transactions_partner_id_id"), table_name="transactions")
    op.drop_index(op.f("ix_transactions_occurred_at"), table_name="transactions")
    op.drop_index(op.f("ix_transactions_customer_id_id"), table_name="transactions")
    op.drop_table("transactions")
    op.drop_index(op.f("ix_rewards_transaction_id"), table_name="rewards")
    op.drop_index(op.f("ix_rewards_partner_id_id"), table_name="rewards")
    op.drop_index(op.f("ix_rewards_customer_id_id"), table_name="rewards")
    op.drop_table("rewards")
    op.drop_table("reward_rule_versions")
    op.drop_index(op.f("ix_leads_status"), table_name="leads")
    op.drop_index(op.f("ix_leads_partner_id"), table_name="leads")
    op.drop_index(op.f("ix_leads_email_key"), table_name="leads")
    op.drop_index(op.f("ix_leads_customer_id"), table_name="leads")
    op.drop_table("leads")
    op.drop_index(op.f("ix_deals_stage"), table_name="deals")
    op.drop_index(op.f("ix_deals_partner_id"), table_name="deals")
    op.drop_index(op.f("ix_deals_email_key"), table_name="deals")
    op.drop_index(op.f("ix_deals_customer_id"), table_name="deals")
    op.drop_table("deals")
    op.drop_index(
        op.f("ix_waiting_events_external_id_kind_integration_id"), table_name="waiting_events"
    )
    op.drop_table("waiting_events")
    op.drop_index(op.f("ix_reward_rules_program_id"), table_name="reward_rules")
    op.drop_table("reward_rules")
    op.drop_index(op.f("ix_payment_claims_email_key"), table_name="payment_claims")
    op.drop_index(
        op.f("ix_payment_claims_chargebee_transaction_id_integration_id"),
        table_name="payment_claims",
    )
    op.drop_index(
        op.f("ix_payment_claims_chargebee_customer_id_integration_id"), table_name="payment_claims"
    )
    op.drop_table("payment_claims")
    op.drop_index(op.f("ix_partner_statuses_partner_id"), table_name="partner_statuses")
    op.drop_table("partner_statuses")
    op.drop_index(op.f("ix_partner_programs_program_id"), table_name="partner_programs")
    op.drop_table("partner_programs")
    op.drop_table("other_deliveries")
    op.drop_table("integration_options")
    op.drop_index(op.f("ix_customers_source_partner_id"), table_name="customers")
    op.drop_index(op.f("ix_customers_email_key"), table_name="customers")
    op.drop_table("customers")
    op.drop_index(op.f("ix_reward_due_due_at"), table_name="reward_due")
    op.drop_table("reward_due")
    op.drop_index(
        "ix_received_events_pending",
        table_name="received_events",
        postgresql_where=sa.text("state = 'pending'"),
        sqlite_where=sa.text("state = 'pending'"),
    )
    op.drop_index(
        "ix_received_events_needs_a_person",
        table_name="received_events",
        postgresql_where=sa.text("state IN ('quarantined', 'dead')"),
        sqlite_where=sa.text("state IN ('quarantined', 'dead')"),
    )
    op.drop_table("received_events")
    op.drop_index(
        "uq_property_values_unique_value",
        table_name="property_values",
        postgresql_where=sa.text("is_unique"),
        sqlite_where=sa.text("is_unique"),
    )
    op.drop_index(
        "ix_property_values_value",
        table_name="property_values",
        postgresql_where=sa.text("NOT is_unique"),
        sqlite_where=sa.text("NOT is_unique"),
    )
    op.drop_table("property_values")
    op.drop_table("property_definitions")
    op.drop_table("programs")
    op.drop_index(op.f("ix_partners_status"), table_name="partners")
    op.drop_index(op.f("ix_partners_email_key"), table_name="partners")
    op.drop_table("partners")
    op.drop_index(
        "uq_integrations_site",
        table_name="integrations",
        postgresql_where=sa.text("deleted_at IS NULL"),
        sqlite_where=sa.text("deleted_at IS NULL"),
    )
    op.drop_table("integrations")
    op.drop_index(op.f("ix_conflicts_kind"), table_name="conflicts")
    op.drop_table("conflicts")
    op.drop_table("chargebee_versions")
    op.drop_index(
        op.f("ix_chargebee_transactions_source_id_integration_id"),
        table_name="chargebee_transactions",
    )
    op.drop_table("chargebee_transactions")
    op.drop_table("chargebee_refund_notes")
    op.drop_index(
        op.f("ix_chargebee_payment_applications_invoice_id_integration_id"),
        table_name="chargebee_payment_applications",
    )
    op.drop_table("chargebee_payment_applications")
    op.drop_index(
        op.f("ix_chargebee_invoices_customer_id_integration_id"), table_name="chargebee_invoices"
    )
    op.drop_table("chargebee_invoices")
    op.drop_table("chargebee_invoice_lines")
    op.drop_table("chargebee_customers")
    op.drop_index(
        op.f("ix_chargebee_credit_notes_invoice_id_integration_id"),
        table_name="chargebee_credit_notes",
    )
    op.drop_table("chargebee_credit_notes")
    op.drop_index(op.f("ix_audit_entries_subject_kind_subject_id"), table_name="audit_entries")
    op.drop_table("audit_entries")
    op.drop_table("api_keys")
