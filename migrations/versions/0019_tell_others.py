"""tell others of what happens: webhook endpoints, and what is sent to them"""

import sqlalchemy as sa
from alembic import op

import rewards_service.kit.db

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = rewards_service.kit.db.UtcDateTime()
JSON = rewards_service.kit.db.Json()
IS_PENDING = sa.text("state = 'pending'")
IS_FINISHED = sa.text("finished_at IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "webhook_endpoints",
        sa.Column("id", BIG, nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("events", JSON, nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("secret_encrypted", sa.String(), nullable=False),
        sa.Column("previous_secret_encrypted", sa.String(), nullable=True),
        sa.Column("previous_expires_at", TIME, nullable=True),
        sa.Column("disabled_reason", sa.String(), nullable=True),
        sa.Column("disabled_at", TIME, nullable=True),
        sa.Column("failing_since_at", TIME, nullable=True),
        sa.Column("last_success_at", TIME, nullable=True),
        sa.Column("last_failure_at", TIME, nullable=True),
        sa.Column("unanswered", sa.Integer(), nullable=False),
        sa.Column("paused_until_at", TIME, nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("deleted_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_endpoints")),
    )
    op.create_table(
        "webhook_lanes",
        sa.Column("endpoint_id", BIG, nullable=False),
        sa.Column("subject_kind", sa.String(), nullable=False),
        sa.Column("subject_id", BIG, nullable=False),
        sa.Column("next_attempt_at", TIME, nullable=False),
        sa.Column("lease_token", sa.String(), nullable=True),
        sa.Column("lease_until_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint(
            "endpoint_id", "subject_kind", "subject_id", name=op.f("pk_webhook_lanes")
        ),
    )
    op.create_index(
        op.f("ix_webhook_lanes_endpoint_id_next_attempt_at"),
        "webhook_lanes",
        ["endpoint_id", "next_attempt_at"],
    )
    _create_deliveries()
    op.create_table(
        "webhook_attempts",
        sa.Column("delivery_id", BIG, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("detail", sa.String(), nullable=True),
        sa.Column("excerpt", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["webhook_deliveries.id"],
            name=op.f("fk_webhook_attempts_delivery_id_webhook_deliveries"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("delivery_id", "number", name=op.f("pk_webhook_attempts")),
    )


def _create_deliveries() -> None:
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", BIG, nullable=False),
        sa.Column("endpoint_id", BIG, nullable=False),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("event_type", sa.String(), nullable=False),
        sa.Column("subject_kind", sa.String(), nullable=False),
        sa.Column("subject_id", BIG, nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("finished_at", TIME, nullable=True),
        sa.CheckConstraint(
            "state IN ('pending', 'delivered', 'failed')",
            name=op.f("ck_webhook_deliveries_state_is_known"),
        ),
        sa.CheckConstraint(
            "(state = 'pending') = (finished_at IS NULL)",
            name=op.f("ck_webhook_deliveries_finished_has_time"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_deliveries")),
        sqlite_autoincrement=True,
    )
    for name, columns, where in (
        ("ix_webhook_deliveries_endpoint_id_state_id", ["endpoint_id", "state", "id"], None),
        ("ix_webhook_deliveries_endpoint", ["endpoint_id", "id"], None),
        ("ix_webhook_deliveries_state", ["state", "id"], None),
        (
            "ix_webhook_deliveries_lane",
            ["endpoint_id", "subject_kind", "subject_id", "id"],
            IS_PENDING,
        ),
        ("ix_webhook_deliveries_waiting", ["created_at"], IS_PENDING),
        ("ix_webhook_deliveries_finished", ["finished_at"], IS_FINISHED),
    ):
        op.create_index(
            name, "webhook_deliveries", columns, postgresql_where=where, sqlite_where=where
        )


def downgrade() -> None:
    op.drop_table("webhook_attempts")
    op.drop_table("webhook_deliveries")
    op.drop_table("webhook_lanes")
    op.drop_table("webhook_endpoints")
