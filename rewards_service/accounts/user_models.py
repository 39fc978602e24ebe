"""People who sign in, their passkeys, their sessions, and the links that let them in.

Flask-Security works on these tables: attributes that it asks for by name carry its names. Nothing
but the pages and the commands about users needs this module, and only they pay for loading it.
"""
# Flask-Security's mixins say by their types what is columns here.
# mypy: disable-error-code="assignment"

from datetime import datetime
from typing import Any

from flask_security.core import UserMixin, WebAuthnMixin
from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from rewards_service.accounts.permissions import ROLES
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import Base, BigKey, Json, UtcDateTime

FIRST_OWNER, SET_PASSWORD = "first_owner", "set_password"
PURPOSES = (FIRST_OWNER, SET_PASSWORD)


class User(Base, UserMixin):
    """Somebody who may sign in. `password` is an argon2id hash; None until it has been chosen.

    `fs_uniquifier` is what a session cookie names: a new one ends all sessions.
    """

    __tablename__ = "users"
    __table_args__ = (CheckConstraint(f"role IN {ROLES}", name="role_is_known"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)  # lower case
    role: Mapped[str]
    active: Mapped[bool] = mapped_column(default=True)
    password: Mapped[str | None]
    fs_uniquifier: Mapped[str] = mapped_column(unique=True)
    tf_primary_method: Mapped[str | None]
    tf_totp_secret: Mapped[str | None]  # sealed by Flask-Security under a key of SECRET_KEY
    totp_counter: Mapped[int | None] = mapped_column(BigKey)  # of the last code: none works twice
    mf_recovery_codes: Mapped[Any | None] = mapped_column(Json)  # digests
    fs_webauthn_user_handle: Mapped[str | None] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    last_login_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    webauthn: Mapped[list["Passkey"]] = relationship(
        back_populates="user", cascade="all, delete-orphan"
    )
    identities: Mapped[list["Identity"]] = relationship(cascade="all, delete-orphan")


class Passkey(Base, WebAuthnMixin):
    """A key in somebody's device: nothing here lets anybody in without it."""

    __tablename__ = "passkeys"

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey(User.id), index=True)
    name: Mapped[str]
    usage: Mapped[str]  # "first": instead of a password; "secondary": after it
    credential_id: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int | None] = mapped_column(BigKey, default=0)
    transports: Mapped[Any | None] = mapped_column(Json)
    backup_state: Mapped[bool]
    device_type: Mapped[str]
    extensions: Mapped[str | None]
    create_datetime: Mapped[datetime] = mapped_column("created_at", UtcDateTime, default=utc_now)
    lastuse_datetime: Mapped[datetime] = mapped_column("last_used_at", UtcDateTime)
    user: Mapped[User] = relationship(back_populates="webauthn")

    def get_user_mapping(self) -> dict[str, int]:
        """How Flask-Security finds whose it is."""
        return {"id": self.user_id}


class Identity(Base):
    """Who somebody is at an OpenID provider: `subject` is never given to another person there."""

    __tablename__ = "user_identities"
    __table_args__ = (UniqueConstraint("issuer", "subject"), UniqueConstraint("user_id", "issuer"))

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey(User.id))
    issuer: Mapped[str]
    subject: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)


class UserSession(Base):
    """One signed-in browser. The cookie names it; only a live row here lets it do anything."""

    __tablename__ = "user_sessions"

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey(User.id), index=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    address: Mapped[str | None]
    browser: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    last_seen_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class UserLink(Base):
    """A link that works once and for a while: the first owner's, an invitation, a new password."""

    __tablename__ = "user_links"
    __table_args__ = (
        CheckConstraint(f"purpose IN {PURPOSES}", name="purpose_is_known"),
        CheckConstraint("(purpose = 'first_owner') = (user_id IS NULL)", name="names_its_user"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    purpose: Mapped[str]
    user_id: Mapped[int | None] = mapped_column(ForeignKey(User.id), index=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class LoginFailures(Base):
    """How often signing in went wrong of late, for one account from one address, or one address."""

    __tablename__ = "login_failures"

    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)  # of whom it counts
    failures: Mapped[int]
    since_at: Mapped[datetime] = mapped_column(UtcDateTime)
    locked_until_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
