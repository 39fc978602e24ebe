"""poll the event log, verify events

How far each site's event log was read; which events a webhook brought late; whether Chargebee
itself says what an event does, and for which events it is asked.
"""

import sqlalchemy as sa
from alembic import op

import rewards_service.kit.db

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

TIME = rewards_service.kit.db.UtcDateTime(timezone=True)
EVENT_COLUMNS = ("webhook_at", "verification", "verification_note", "verification_tries")


def upgrade() -> None:
    op.create_table(
        "event_polls",
        sa.Column(
            "integration_id", rewards_service.kit.db.BigKey, autoincrement=False, nullable=False
        ),
        sa.Column("cursor_at", TIME),
        sa.Column("first_at", TIME),
        sa.Column("read_at", TIME),
        sa.Column("next_offset", sa.String()),
        sa.Column("next_poll_at", TIME),
        sa.Column("attempted_at", TIME),
        sa.Column("succeeded_at", TIME),
        sa.Column("problem_code", sa.String()),
        sa.Column("problem_detail", sa.String()),
        sa.Column("failing_since_at", TIME),
        sa.Column("lease_token", sa.String()),
        sa.Column("lease_until", TIME),
        sa.ForeignKeyConstraint(
            ["integration_id"],
            ["integrations.id"],
            name="fk_event_polls_integration_id_integrations",
        ),
        sa.PrimaryKeyConstraint("integration_id", name="pk_event_polls"),
    )
    op.add_column(
        "integrations", sa.Column("verify", sa.String(), server_default="off", nullable=False)
    )
    op.add_column("integrations", sa.Column("verify_above_minor", rewards_service.kit.db.Json()))
    op.add_column("received_events", sa.Column("webhook_at", TIME))
    op.add_column("received_events", sa.Column("verification", sa.String()))
    op.add_column("received_events", sa.Column("verification_note", sa.String()))
    op.add_column(
        "received_events",
        sa.Column("verification_tries", sa.Integer(), server_default="0", nullable=False),
    )
    _index("ix_received_events_polled", ["integration_id", "received_at"], "source = 'poll'")
    _index("ix_received_events_unverified", ["id"], "verification = 'wanted'")


def _index(name: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(
        name, "received_events", columns, postgresql_where=condition, sqlite_where=condition
    )


def downgrade() -> None:
    op.drop_index("ix_received_events_unverified", "received_events")
    op.drop_index("ix_received_events_polled", "received_events")
    for name in reversed(EVENT_COLUMNS):
        op.drop_column("received_events", name)
    op.drop_column("integrations", "verify_above_minor")
    op.drop_column("integrations", "verify")
    op.drop_table("event_polls")
