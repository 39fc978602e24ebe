"""look after webhooks

A site's webhook in Chargebee is made, mended and given new passwords by the service: which one it is,
the password that Chargebee has not confirmed yet, and the requests a minute that the site allows.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

COLUMNS = (
    ("requests_per_minute", sa.Integer()),
    ("webhook_endpoint_id", sa.String()),
    ("untold_password_encrypted", sa.String()),
)


def upgrade() -> None:
    for name, kind in COLUMNS:
        op.add_column("integrations", sa.Column(name, kind, nullable=True))


def downgrade() -> None:
    for name, _ in reversed(COLUMNS):
        op.drop_column("integrations", name)
