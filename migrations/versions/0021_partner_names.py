"""find partners by the beginning of their name"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

NAME = "ix_partners_name_beginning"


def upgrade() -> None:
    # Compared byte by byte: only so does an index find beginnings in any language.
    op.create_index(
        NAME,
        "partners",
        [sa.literal_column("lower(name)").label("beginning"), "id"],
        postgresql_ops={"beginning": "text_pattern_ops"},
    )


def downgrade() -> None:
    op.drop_index(NAME, "partners")
