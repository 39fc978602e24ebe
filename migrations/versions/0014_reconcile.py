"""compare with Chargebee

Comparisons with their differences, how far the event log was searched for what is missing, and the
order in which the mirror is compared: by the objects' own dates.
"""

import sqlalchemy as sa
from alembic import op

import rewards_service.kit.db

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

TIME = rewards_service.kit.db.UtcDateTime(timezone=True)
KEY = rewards_service.kit.db.BigKey
JSON = rewards_service.kit.db.Json()
DATED = ("chargebee_transactions", "chargebee_credit_notes")


def upgrade() -> None:
    _runs()
    _rows()
    op.create_table(
        "parent_searches",
        sa.Column("integration_id", KEY, autoincrement=False, nullable=False),
        sa.Column("after_event_id", KEY, nullable=False),
        sa.Column("looked_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["integration_id"],
            ["integrations.id"],
            name="fk_parent_searches_integration_id_integrations",
        ),
        sa.PrimaryKeyConstraint("integration_id", name="pk_parent_searches"),
    )
    for table in DATED:
        op.create_index(f"ix_{table}_dated_at_external_id", table, ["dated_at", "external_id"])


def _runs() -> None:
    op.create_table(
        "reconciliations",
        sa.Column("id", KEY, nullable=False),
        sa.Column("integration_id", KEY, nullable=False),
        sa.Column("from_at", TIME, nullable=False),
        sa.Column("before_at", TIME, nullable=False),
        sa.Column("repair", sa.Boolean(), nullable=False),
        sa.Column("asked_by", sa.String(), nullable=False),
        sa.Column("asked_at", TIME, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("section", sa.String(), nullable=False),
        sa.Column("position_at", TIME, nullable=False),
        sa.Column("counts", JSON, nullable=False),
        sa.Column("notes", JSON, nullable=False),
        sa.Column("sums", JSON, nullable=False),
        sa.Column("lookups", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", TIME),
        sa.Column("repaired", JSON),
        sa.Column("error", sa.String()),
        sa.Column("finished_at", TIME),
        sa.Column("lease_token", sa.String()),
        sa.Column("lease_until", TIME),
        sa.CheckConstraint(
            "state IN ('waiting', 'running', 'done', 'failed')",
            name="ck_reconciliations_state_is_known",
        ),
        sa.ForeignKeyConstraint(
            ["integration_id"],
            ["integrations.id"],
            name="fk_reconciliations_integration_id_integrations",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_reconciliations"),
    )
    op.create_index(
        "ix_reconciliations_integration_id_id", "reconciliations", ["integration_id", "id"]
    )
    is_open = sa.text("state IN ('waiting', 'running')")
    op.create_index(
        "ix_reconciliations_open", "reconciliations", ["id"],
        postgresql_where=is_open, sqlite_where=is_open,
    )  # fmt: skip


def _rows() -> None:
    op.create_table(
        "reconciliation_rows",
        sa.Column("id", KEY, nullable=False),
        sa.Column("reconciliation_id", KEY, nullable=False),
        sa.Column("section", sa.String(), nullable=False),
        sa.Column("kind", sa.String()),
        sa.Column("external_id", sa.String(), nullable=False),
        sa.Column("dated_at", TIME, nullable=False),
        sa.Column("changed_at", TIME),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("detail", sa.String()),
        sa.Column("received_event_id", KEY),
        sa.Column("currency", sa.String()),
        sa.Column("there_minor", KEY),
        sa.Column("here_minor", KEY),
        sa.Column("differences", JSON, nullable=False),
        sa.CheckConstraint(
            "state IN ('equal', 'missing_here', 'missing_there', 'different')",
            name="ck_reconciliation_rows_state_is_known",
        ),
        sa.ForeignKeyConstraint(
            ["reconciliation_id"],
            ["reconciliations.id"],
            name="fk_reconciliation_rows_reconciliation_id_reconciliations",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_reconciliation_rows"),
    )
    op.create_index(
        "ix_reconciliation_rows_reconciliation_id_id", "reconciliation_rows",
        ["reconciliation_id", "id"],
    )  # fmt: skip


def downgrade() -> None:
    for table in DATED:
        op.drop_index(f"ix_{table}_dated_at_external_id", table)
    op.drop_table("parent_searches")
    op.drop_table("reconciliation_rows")
    op.drop_table("reconciliations")
