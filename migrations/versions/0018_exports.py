"""exports

Lists and reports that workers write to files, with the files in pieces; and what the filters of
lists need so that any page costs the same.
"""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from alembic import op

import rewards_service.kit.db

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

TIME = rewards_service.kit.db.UtcDateTime(timezone=True)
KEY = rewards_service.kit.db.BigKey
Indexes = Mapping[str, Sequence[tuple[str, ...]]]

# Table -> what its lists are filtered by, each followed by what orders a page.
FILTERS = {
    "rewards": (
        ("partner_id", "created_at", "id"), ("status", "created_at", "id"),
        ("currency", "created_at", "id"), ("created_at", "id"),
    ),
    "transactions": (("occurred_at", "id"),),
    "received_events": (
        ("received_at", "id"), ("event_type", "id"), ("outcome", "id"), ("source", "id"),
    ),
    "leads": (("status", "id"), ("partner_id", "id")),
    "deals": (("stage", "id"), ("partner_id", "id")),
    "audit_entries": (("actor", "id"), ("action", "id"), ("at", "id")),
    "payout_lines": (("payout_id", "id"),),
}  # fmt: skip
# What these take the place of.
REPLACED = {
    "rewards": (("partner_id", "id"),),
    "transactions": (("occurred_at",),),
    "leads": (("status",), ("partner_id",)),
    "deals": (("stage",), ("partner_id",)),
    "audit_entries": (("actor",), ("action",), ("at",)),
}


def _change(made: Indexes, dropped: Indexes) -> None:
    for table, all_ in made.items():
        for columns in all_:
            op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns))
    for table, all_ in dropped.items():
        for columns in all_:
            op.drop_index(f"ix_{table}_{'_'.join(columns)}", table)


def upgrade() -> None:
    _change(FILTERS, REPLACED)
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
    _change(REPLACED, FILTERS)
    op.drop_table("export_chunks")
    op.drop_table("exports")
