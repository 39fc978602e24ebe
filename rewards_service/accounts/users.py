"""Make people, let them in by a link that works once, change what they may, close them out."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import uuid4

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, selectinload

from rewards_service.accounts import permissions, sessions
from rewards_service.accounts.passwords import hashed
from rewards_service.accounts.user_models import FIRST_OWNER, SET_PASSWORD, User, UserLink
from rewards_service.audit.service import record
from rewards_service.kit import crypto
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import hold_stage
from rewards_service.kit.errors import Conflict, NotFound
from rewards_service.kit.refusals import invalid_member
from rewards_service.settings import Settings

OWNER_LINK_LIVES, LINK_LIVES = timedelta(hours=24), timedelta(days=3)
LONGEST_TOKEN = 100
_PURPOSE = "user_link"


class LinkSpent(NotFound):
    code = "link_spent"
    title = "This link does not work any more."


class LastOwner(Conflict):
    code = "last_owner"
    title = "There must be an owner."


def has_users(session: Session) -> bool:
    return session.scalar(select(User.id).limit(1)) is not None


def get_user(session: Session, user_id: int) -> User:
    """Raises NotFound."""
    user = session.get(User, user_id)
    if user is None:
        raise NotFound("There is no such user.")
    return user


def list_users(session: Session) -> Sequence[User]:
    """All of them, the first ones first: they are few."""
    whole = (selectinload(User.webauthn), selectinload(User.identities))
    return session.scalars(select(User).options(*whole).order_by(User.id).limit(500)).all()


def create_user(
    session: Session,
    settings: Settings,
    email: str,
    role: str,
    password: str | None = None,
    actor: str = "cli",
) -> User:
    """Make somebody; without a password they choose it by a link (see `make_link`).

    Raises Unprocessable for an address or role that is none, Conflict for one that is taken,
    WeakPassword.
    """
    address = _address(email)
    _check_role(role)
    hold_stage(session, "users")
    if session.scalar(select(User.id).where(User.email == address)) is not None:
        raise Conflict(f"There is a user with the address {address} already.")
    user = User(
        email=address,
        role=role,
        active=True,
        password=password and hashed(password, address, settings.argon2_memory_kib),
        fs_uniquifier=uuid4().hex,
    )
    session.add(user)
    session.flush()
    record(session, "user.created", ("user", user.id), {"after": {"role": role}}, actor)
    return user


def make_link(session: Session, settings: Settings, user: User | None, actor: str) -> str:
    """A fresh link by which `user` chooses a password, or (None) the first owner is made.

    Earlier links of the same kind end. Only a digest of it is kept: it is shown this once.
    """
    purpose = FIRST_OWNER if user is None else SET_PASSWORD
    now = utc_now()
    _spend(session, purpose, None if user is None else user.id)
    token = crypto.new_secret()
    lives = OWNER_LINK_LIVES if user is None else LINK_LIVES
    session.add(
        UserLink(
            purpose=purpose,
            user_id=None if user is None else user.id,
            digest=_digest(settings, token),
            expires_at=now + lives,
        )
    )
    if user is not None:
        record(session, "user.link_made", ("user", user.id), {}, actor)
    return f"{settings.base_url}/welcome/{token}"


def find_link(session: Session, settings: Settings, token: str) -> UserLink:
    """The link behind a token. Raises LinkSpent when it was used, ended or never made."""
    if len(token) <= LONGEST_TOKEN:
        query = select(UserLink).where(UserLink.digest == _digest(settings, token))
        link = session.scalar(query)
        if link is not None and link.used_at is None and link.expires_at > utc_now():
            return link
    raise LinkSpent(
        "It was used, or its time is over. Ask an owner for another; where there is no user yet, "
        "restart the service: it prints one."
    )


def use_link(
    session: Session, settings: Settings, token: str, password: str, email: str | None = None
) -> User:
    """Choose a password by a link; the first owner's makes them under `email`.

    Ends all sessions and links of the user. Raises LinkSpent, WeakPassword, Unprocessable.
    """
    hold_stage(session, "users")
    link = find_link(session, settings, token)
    if link.purpose == FIRST_OWNER:
        if has_users(session):
            raise LinkSpent("There is an owner already. Ask them for an invitation.")
        user = create_user(session, settings, email or "", permissions.OWNER, password, "link")
    else:
        user = get_user(session, link.user_id or 0)
        if not user.active:
            raise LinkSpent("This user may not sign in any more. Ask an owner.")
        set_password(session, settings, user, password, f"user:{user.id}")
    _spend(session, link.purpose, link.user_id)
    return user


def set_password(
    session: Session, settings: Settings, user: User, password: str, actor: str
) -> None:
    """Give somebody a password; whoever was signed in as them is not any more."""
    user.password = hashed(password, user.email, settings.argon2_memory_kib)
    user.fs_uniquifier = uuid4().hex
    sessions.end_all(session, user.id)
    record(session, "user.password_set", ("user", user.id), {}, actor)


def change_user(
    session: Session, user_id: int, role: str | None, active: bool | None, actor: str
) -> User:
    """Give somebody another role, or close them out (`active` False) and in again.

    Either ends their sessions. Raises NotFound, Unprocessable, LastOwner.
    """
    hold_stage(session, "users")
    user = get_user(session, user_id)
    role, active = role or user.role, user.active if active is None else active
    _check_role(role)
    before = {"role": user.role, "active": user.active}
    after = {"role": role, "active": active}
    if before == after:
        return user
    if not (active and role == permissions.OWNER) and _is_last_owner(session, user):
        raise LastOwner("This is the only owner who may sign in. Make another one first.")
    user.role, user.active = role, active
    sessions.end_all(session, user.id)
    _spend(session, SET_PASSWORD, user.id)
    record(session, "user.changed", ("user", user.id), {"before": before, "after": after}, actor)
    return user


def forget_second_factor(session: Session, user_id: int, actor: str) -> None:
    """Somebody lost their device: they sign in with the password alone until they set up anew.

    Who they are at an OpenID provider is forgotten, too: the next to come by their address is.
    """
    user = get_user(session, user_id)
    user.tf_primary_method = user.tf_totp_secret = user.mf_recovery_codes = None
    user.webauthn.clear()
    user.identities.clear()
    sessions.end_all(session, user.id)
    record(session, "user.second_factor_removed", ("user", user.id), {}, actor)


def _address(email: str) -> str:
    try:
        return validate_email(email.strip(), check_deliverability=False).normalized.lower()
    except EmailNotValidError as error:
        raise invalid_member("email", f"This is no e-mail address. {error}") from error


def _check_role(role: str) -> None:
    if role not in permissions.ROLES:
        raise invalid_member("role", f"A role is one of: {', '.join(permissions.ROLES)}.")


def _is_last_owner(session: Session, user: User) -> bool:
    if user.role != permissions.OWNER or not user.active:
        return False
    others = select(func.count()).where(
        User.role == permissions.OWNER, User.active, User.id != user.id
    )
    return session.scalar(others) == 0


def _spend(session: Session, purpose: str, user_id: int | None) -> None:
    mine = UserLink.user_id.is_(None) if user_id is None else UserLink.user_id == user_id
    session.execute(
        update(UserLink)
        .where(UserLink.purpose == purpose, mine, UserLink.used_at.is_(None))
        .values(used_at=utc_now())
    )


def _digest(settings: Settings, token: str) -> bytes:
    return crypto.digest(settings.secret_key, _PURPOSE, token.encode())
