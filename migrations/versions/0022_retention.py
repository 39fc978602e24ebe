"""how far what is old was thrown away"""

import sqlalchemy as sa
from alembic import op

from rewards_service.kit.db import BigKey, UtcDateTime

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "retention_marks",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("through_id", BigKey, nullable=False),
        sa.Column("ran_at", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_retention_marks")),
    )


def downgrade() -> None:
    op.drop_table("retention_marks")
