"""Who guesses passwords is locked out for a while. It counts in the database: without it, nobody
signs in at all."""

from collections.abc import Sequence
from datetime import timedelta

import structlog
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from rewards_service.accounts.user_models import LoginFailures
from rewards_service.kit import crypto
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import hold_stage

log = structlog.get_logger()

WINDOW = LOCKED_FOR = timedelta(minutes=15)
# One account from one address; one address, whatever the account.
MOST_BY_ACCOUNT, MOST_BY_ADDRESS = 5, 50
_PURPOSE = "login_failures"


def is_locked(session: Session, secret_key: str, email: str, address: str | None) -> bool:
    """Whether signing in is refused for now, whatever the password."""
    keys = [digest for digest, _ in _counted(secret_key, email, address)]
    query = select(LoginFailures.digest).where(
        LoginFailures.digest.in_(keys), LoginFailures.locked_until_at > utc_now()
    )
    locked = session.scalar(query.limit(1)) is not None
    if locked:
        log.warning("sign_in_locked_out", address=address, account=keys[0].hex()[:12])
    return locked


def note_failure(session: Session, secret_key: str, email: str, address: str | None) -> bool:
    """Count one more; True when it was one too many."""
    now, locked = utc_now(), False
    hold_stage(session, "login_failures")
    for digest, most in _counted(secret_key, email, address):
        row = session.get(LoginFailures, digest)
        if row is None or row.since_at < now - WINDOW:
            row = session.merge(
                LoginFailures(digest=digest, failures=0, since_at=now, locked_until_at=None)
            )
        row.failures += 1
        if row.failures >= most:
            row.locked_until_at, locked = now + LOCKED_FOR, True
    account = _counted(secret_key, email, address)[0][0].hex()[:12]  # to tell attempts apart
    log.warning("sign_in_failed", address=address, account=account, locks=locked)
    return locked


def forget(session: Session, secret_key: str, email: str, address: str | None) -> None:
    """Signing in went well: that account from that address begins anew."""
    (digest, _), _ = _counted(secret_key, email, address)
    session.execute(delete(LoginFailures).where(LoginFailures.digest == digest))


def forget_old(session: Session) -> None:
    """Drop what counts no more."""
    past = utc_now() - WINDOW - LOCKED_FOR
    session.execute(delete(LoginFailures).where(LoginFailures.since_at < past))


def _counted(secret_key: str, email: str, address: str | None) -> Sequence[tuple[bytes, int]]:
    names = ((f"{email.strip().lower()} {address}", MOST_BY_ACCOUNT), (address, MOST_BY_ADDRESS))
    return [(crypto.digest(secret_key, _PURPOSE, str(name).encode()), most) for name, most in names]
