"""exports

Lists and reports that workers write to files, with the files in pieces; and what the filters of
lists need so that any page costs the same.
"""

import sqlalchemy as sa
from alembic import op

import rewards_service.kit.db

revision = "0018"
down_revision = "0014"
branch_labels = None
depends_on = None

TIME = rewards_service.kit.db.UtcDateTime(timezone=True)
KEY = rewards_service.kit.db.BigKey

# Table -> what its lists are filtered by, each in front of the key that orders a page.
FILTERS = {
    "rewards": ("status", "currency", "created_at"),
    "transactions": ("occurred_at",),
    "received_events": ("received_at", "event_type", "outcome", "source"),
    "leads": ("status", "partner_id"),
    "deals": ("stage", "partner_id"),
    "audit_entries": ("actor", "action", "at"),
}
# Of these an index without the key was there before.
REPLACED = (
    ("transactions", "occurred_at"), ("leads", "status"), ("leads", "partner_id"),
    ("deals", "stage"), ("deals", "partner_id"), ("audit_entries", "actor"), ("audit_entries", "action"),
    ("audit_entries", "at"),
)  # fmt: skip


def upgrade() -> None:
    for table, names in FILTERS.items():
        for name in names:
            op.create_index(f"ix_{table}_{name}_id", table, [name, "id"])
    for table, name in REPLACED:
        op.drop_index(f"ix_{table}_{name}", table)
    op.create_table(
        "exports",
        sa.Column("id", KEY, nullable=False),
        sa.Column("key_id", KEY, nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("filters", rewards_service.kit.db.Json(), nullable=False),
        sa.Column("format", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("rows", KEY, nullable=False),
        sa.Column("size", KEY),
        sa.Column("sha256", sa.String()),
        sa.Column("file_name", sa.String(), nullable=False),
        sa.Column("error", sa.String()),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", TIME),
        sa.Column("asked_at", TIME, nullable=False),
        sa.Column("finished_at", TIME),
        sa.Column("expires_at", TIME),
        sa.Column("lease_token", sa.String()),
        sa.Column("lease_until", TIME),
        sa.CheckConstraint(
            "state IN ('waiting', 'running', 'done', 'failed', 'expired')",
            name="ck_exports_state_is_known",
        ),
        sa.CheckConstraint("format IN ('csv', 'xlsx')", name="ck_exports_format_is_known"),
        sa.ForeignKeyConstraint(["key_id"], ["api_keys.id"], name="fk_exports_key_id_api_keys"),
        sa.PrimaryKeyConstraint("id", name="pk_exports"),
    )
    op.create_index("ix_exports_key_id_id", "exports", ["key_id", "id"])
    is_open = sa.text("state IN ('waiting', 'running')")
    op.create_index(
        "ix_exports_open", "exports", ["id"], postgresql_where=is_open, sqlite_where=is_open
    )
    is_done = sa.text("state = 'done'")
    op.create_index(
        "ix_exports_expires_at", "exports", ["expires_at"],
        postgresql_where=is_done, sqlite_where=is_done,
    )  # fmt: skip
    op.create_table(
        "export_chunks",
        sa.Column("export_id", KEY, autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["export_id"], ["exports.id"], name="fk_export_chunks_export_id_exports",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("export_id", "number", name="pk_export_chunks"),
    )  # fmt: skip


def downgrade() -> None:
    for table, name in REPLACED:
        op.create_index(f"ix_{table}_{name}", table, [name])
    for table, names in FILTERS.items():
        for name in names:
            op.drop_index(f"ix_{table}_{name}_id", table)
    op.drop_table("export_chunks")
    op.drop_table("exports")
