"""users

People who sign in, their passkeys and sessions, the links that let them in, and who guesses.
"""

import sqlalchemy as sa
from alembic import op

import rewards_service.kit.db

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

TIME = rewards_service.kit.db.UtcDateTime(timezone=True)
KEY = rewards_service.kit.db.BigKey
JSON = rewards_service.kit.db.Json()
TABLES = ("login_failures", "user_links", "user_sessions", "passkeys", "users")


def upgrade() -> None:
    _users()
    _passkeys()
    _sessions()
    _links()
    op.create_table(
        "login_failures",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("since_at", TIME, nullable=False),
        sa.Column("locked_until_at", TIME),
        sa.PrimaryKeyConstraint("digest", name="pk_login_failures"),
    )


def _users() -> None:
    op.create_table(
        "users",
        sa.Column("id", KEY, nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("password", sa.String()),
        sa.Column("fs_uniquifier", sa.String(), nullable=False),
        sa.Column("tf_primary_method", sa.String()),
        sa.Column("tf_totp_secret", sa.String()),
        sa.Column("totp_counter", KEY),
        sa.Column("mf_recovery_codes", JSON),
        sa.Column("fs_webauthn_user_handle", sa.String()),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("last_login_at", TIME),
        sa.CheckConstraint(
            "role IN ('owner', 'manager', 'finance', 'viewer')",
            name=op.f("ck_users_role_is_known"),
        ),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("email", name="uq_users_email"),
        sa.UniqueConstraint("fs_uniquifier", name="uq_users_fs_uniquifier"),
        sa.UniqueConstraint("fs_webauthn_user_handle", name="uq_users_fs_webauthn_user_handle"),
    )


def _of_user(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=f"fk_{table}_user_id_users")


def _passkeys() -> None:
    op.create_table(
        "passkeys",
        sa.Column("id", KEY, nullable=False),
        sa.Column("user_id", KEY, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("usage", sa.String(), nullable=False),
        sa.Column("credential_id", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", KEY),
        sa.Column("transports", JSON),
        sa.Column("backup_state", sa.Boolean(), nullable=False),
        sa.Column("device_type", sa.String(), nullable=False),
        sa.Column("extensions", sa.String()),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("last_used_at", TIME, nullable=False),
        _of_user("passkeys"),
        sa.PrimaryKeyConstraint("id", name="pk_passkeys"),
        sa.UniqueConstraint("credential_id", name="uq_passkeys_credential_id"),
    )
    op.create_index("ix_passkeys_user_id", "passkeys", ["user_id"])


def _sessions() -> None:
    op.create_table(
        "user_sessions",
        sa.Column("id", KEY, nullable=False),
        sa.Column("user_id", KEY, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("address", sa.String()),
        sa.Column("browser", sa.String()),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("last_seen_at", TIME, nullable=False),
        sa.Column("ended_at", TIME),
        _of_user("user_sessions"),
        sa.PrimaryKeyConstraint("id", name="pk_user_sessions"),
        sa.UniqueConstraint("digest", name="uq_user_sessions_digest"),
    )
    op.create_index("ix_user_sessions_user_id", "user_sessions", ["user_id"])


def _links() -> None:
    op.create_table(
        "user_links",
        sa.Column("id", KEY, nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("user_id", KEY),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("used_at", TIME),
        sa.CheckConstraint(
            "purpose IN ('first_owner', 'set_password')",
            name=op.f("ck_user_links_purpose_is_known"),
        ),
        sa.CheckConstraint(
            "(purpose = 'first_owner') = (user_id IS NULL)",
            name=op.f("ck_user_links_names_its_user"),
        ),
        _of_user("user_links"),
        sa.PrimaryKeyConstraint("id", name="pk_user_links"),
        sa.UniqueConstraint("digest", name="uq_user_links_digest"),
    )
    op.create_index("ix_user_links_user_id", "user_links", ["user_id"])


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
