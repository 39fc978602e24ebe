"""what people look for and decide: near-misses, conflicts resolved, partners named by hand"""

import sqlalchemy as sa
from alembic import op

import rewards_service.kit.db

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

PEOPLE = ("customers", "leads", "deals")
# All behind the last "@": trimmed off the end is whatever is no "@".
DOMAIN = "replace(email_key, rtrim(email_key, replace(email_key, '@', '')), '')"


def upgrade() -> None:
    stored = op.get_bind().dialect.name == "postgresql"  # SQLite can add virtual ones only
    for table in PEOPLE:
        op.add_column(
            table, sa.Column("email_domain", sa.String(), sa.Computed(DOMAIN, persisted=stored))
        )
        op.create_index(op.f(f"ix_{table}_email_domain_id"), table, ["email_domain", "id"])
    for table in (*PEOPLE, "partners"):
        op.create_index(op.f(f"ix_{table}_loose_key"), table, ["loose_key"])
    op.add_column("conflicts", sa.Column("resolved_by", sa.String(), nullable=True))
    op.add_column("conflicts", sa.Column("resolution_reason", sa.String(), nullable=True))
    op.add_column("conflicts", sa.Column("decision", rewards_service.kit.db.Json(), nullable=True))
    op.add_column(
        "transactions",
        sa.Column("partner_by_hand", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.execute(
        "UPDATE transactions SET partner_by_hand = true WHERE EXISTS (SELECT 1 FROM customers "
        "WHERE customers.id = transactions.customer_id AND customers.source_by_hand "
        "AND customers.source_partner_id = transactions.partner_id)"
    )


def downgrade() -> None:
    op.drop_column("transactions", "partner_by_hand")
    for name in ("decision", "resolution_reason", "resolved_by"):
        op.drop_column("conflicts", name)
    for table in (*PEOPLE, "partners"):
        op.drop_index(op.f(f"ix_{table}_loose_key"), table_name=table)
    for table in PEOPLE:
        op.drop_index(op.f(f"ix_{table}_email_domain_id"), table_name=table)
        op.drop_column(table, "email_domain")
