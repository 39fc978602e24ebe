"""Sessions of people: a row each, that ends by itself, by signing out, or by somebody's word."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import Update, select, update
from sqlalchemy.orm import Session

from rewards_service.accounts.user_models import User, UserSession
from rewards_service.kit import crypto
from rewards_service.kit.clock import utc_now
from rewards_service.kit.errors import NotFound

IDLE, LONGEST = timedelta(minutes=30), timedelta(hours=12)
SEEN_NOTED_EVERY = timedelta(minutes=1)
LONGEST_BROWSER = 200
_PURPOSE = "user_session"


def begin(
    session: Session, secret_key: str, user: User, address: str | None, browser: str | None
) -> str:
    """A new session of `user`: what its cookie carries."""
    token = crypto.new_secret()
    row = UserSession(
        user_id=user.id,
        digest=_digest(secret_key, token),
        address=address,
        browser=browser and browser[:LONGEST_BROWSER],
    )
    user.last_login_at = utc_now()
    session.add(row)
    return token


def find_live(session: Session, secret_key: str, token: str) -> tuple[UserSession, User] | None:
    """The session behind a cookie, and whose it is; None when it has ended or they may not."""
    now = utc_now()
    query = (
        select(UserSession, User)
        .join(User, User.id == UserSession.user_id)
        .where(
            UserSession.digest == _digest(secret_key, token),
            UserSession.ended_at.is_(None),
            UserSession.last_seen_at > now - IDLE,
            UserSession.created_at > now - LONGEST,
            User.active,
        )
    )
    found = session.execute(query).one_or_none()
    return None if found is None else (found[0], found[1])


def is_worth_noting(row: UserSession) -> bool:
    return row.last_seen_at < utc_now() - SEEN_NOTED_EVERY


def seen(session_id: int) -> Update:
    """The statement that says a session was used just now."""
    return update(UserSession).where(UserSession.id == session_id).values(last_seen_at=utc_now())


def list_live(session: Session, user_id: int) -> Sequence[UserSession]:
    """The live sessions of somebody, the newest first."""
    now = utc_now()
    query = select(UserSession).where(
        UserSession.user_id == user_id,
        UserSession.ended_at.is_(None),
        UserSession.last_seen_at > now - IDLE,
        UserSession.created_at > now - LONGEST,
    )
    return session.scalars(query.order_by(UserSession.id.desc()).limit(100)).all()


def end(session: Session, user_id: int, session_id: int) -> None:
    """End one session of somebody. Raises NotFound when it is none of theirs."""
    row = session.get(UserSession, session_id)
    if row is None or row.user_id != user_id:
        raise NotFound("There is no such session.")
    row.ended_at = row.ended_at or utc_now()


def end_all(session: Session, user_id: int, but: int | None = None) -> None:
    """End all sessions of somebody, but for one."""
    session.execute(
        update(UserSession)
        .where(UserSession.user_id == user_id, UserSession.ended_at.is_(None))
        .where(UserSession.id != (but or 0))
        .values(ended_at=utc_now())
    )


def _digest(secret_key: str, token: str) -> bytes:
    return crypto.digest(secret_key, _PURPOSE, token.encode())
