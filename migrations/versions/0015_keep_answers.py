"""keep answers

What a POST with an Idempotency-Key was answered, for a day.
"""

import sqlalchemy as sa
from alembic import op

import rewards_service.kit.db

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "kept_answers",
        sa.Column("id", rewards_service.kit.db.BigKey, nullable=False),
        sa.Column("api_key_id", rewards_service.kit.db.BigKey, nullable=False),
        sa.Column("idempotency_key", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("headers", rewards_service.kit.db.Json(), nullable=False),
        sa.Column("body_encrypted", sa.Text(), nullable=False),
        sa.Column("expires_at", rewards_service.kit.db.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_kept_answers"),
        sa.UniqueConstraint(
            "api_key_id", "idempotency_key", name="uq_kept_answers_api_key_id_idempotency_key"
        ),
    )
    op.create_index("ix_kept_answers_expires_at", "kept_answers", ["expires_at"])


def downgrade() -> None:
    op.drop_table("kept_answers")
