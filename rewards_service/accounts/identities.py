"""Which account here is whose at an OpenID provider: by the subject, never by the address alone."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.accounts.user_models import Identity, User


def holder(session: Session, issuer: str, subject: str) -> User | None:
    """Who came in before as this subject; None for a subject that never did."""
    query = select(User).join(Identity, Identity.user_id == User.id)
    return session.scalar(query.where(Identity.issuer == issuer, Identity.subject == subject))


def bind(session: Session, user: User, issuer: str, subject: str) -> bool:
    """From now on `subject` is this user; False when another subject of this issuer is.

    The account's lock keeps two first sign-ins at once apart.
    """
    session.get_one(User, user.id, with_for_update=True)
    kept = select(Identity.subject).where(Identity.user_id == user.id, Identity.issuer == issuer)
    found = session.scalar(kept)
    if found is None:
        session.add(Identity(user_id=user.id, issuer=issuer, subject=subject))
        session.flush()
    return found in (None, subject)
