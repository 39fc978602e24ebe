"""bind keys to partners

A key may be bound to one partner, whose rows alone it sees; such keys look up the shares that a
partner has in deals.
"""

import sqlalchemy as sa
from alembic import op

import rewards_service.kit.db

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("api_keys", sa.Column("partner_id", rewards_service.kit.db.BigKey))
    op.create_index("ix_api_keys_partner_id", "api_keys", ["partner_id"])
    op.create_index("ix_deal_shares_partner_id", "deal_shares", ["partner_id"])


def downgrade() -> None:
    op.drop_index("ix_deal_shares_partner_id", "deal_shares")
    op.drop_index("ix_api_keys_partner_id", "api_keys")
    op.drop_column("api_keys", "partner_id")
