"""keep how far the history of a site was fetched"""

import sqlalchemy as sa
from alembic import op

import rewards_service.kit.db

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = rewards_service.kit.db.UtcDateTime()
OPEN = sa.text("state IN ('running', 'paused', 'failed', 'posting')")
AT_WORK = sa.text("state IN ('running', 'posting')")


def upgrade() -> None:
    op.create_table(
        "backfills",
        sa.Column("id", BIG, nullable=False),
        sa.Column("integration_id", BIG, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", TIME, nullable=True),
        sa.Column("lease_token", sa.String(), nullable=True),
        sa.Column("lease_until", TIME, nullable=True),
        sa.Column("posted_events", BIG, nullable=False),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("fetched_at", TIME, nullable=True),
        sa.Column("posted_at", TIME, nullable=True),
        sa.CheckConstraint(
            "state IN ('running', 'paused', 'failed', 'posting', 'done')",
            name=op.f("ck_backfills_state_is_known"),
        ),
        sa.ForeignKeyConstraint(
            ["integration_id"],
            ["integrations.id"],
            name=op.f("fk_backfills_integration_id_integrations"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_backfills")),
    )
    op.create_index(
        "uq_backfills_open", "backfills", ["integration_id"], unique=True,
        postgresql_where=OPEN, sqlite_where=OPEN,
    )  # fmt: skip
    op.create_index(
        "ix_backfills_at_work", "backfills", ["id"], postgresql_where=AT_WORK, sqlite_where=AT_WORK
    )
    op.create_index(op.f("ix_backfills_integration_id_id"), "backfills", ["integration_id", "id"])
    op.create_table(
        "backfill_lists",
        sa.Column("backfill_id", BIG, autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("next_offset", sa.String(), nullable=True),
        sa.Column("is_over", sa.Boolean(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("listed", BIG, nullable=False),
        sa.Column("kept", BIG, nullable=False),
        sa.Column("refused", BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["backfill_id"], ["backfills.id"], name=op.f("fk_backfill_lists_backfill_id_backfills")
        ),
        sa.PrimaryKeyConstraint("backfill_id", "kind", name=op.f("pk_backfill_lists")),
    )


def downgrade() -> None:
    op.drop_table("backfill_lists")
    op.drop_table("backfills")
