"""Make, revoke and recognise API keys."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Any

from sqlalchemy import Engine, Row, or_, update
from sqlalchemy.orm import Session

from rewards_service.accounts import queries
from rewards_service.accounts.models import ApiKey
from rewards_service.audit.service import record
from rewards_service.kit import crypto
from rewards_service.kit.clock import rfc3339, utc_now
from rewards_service.kit.errors import NotFound, Unprocessable
from rewards_service.kit.noting import note
from rewards_service.kit.refusals import invalid_member

ADMIN = "admin"
SCOPES = (
    ADMIN, "integrations:read", "integrations:write", "programs:read", "programs:write",
    "partners:read", "partners:write", "crm:read", "crm:write", "transactions:read",
    "rewards:read", "rewards:write", "payouts:read", "payouts:write", "events:read",
    "events:write", "events:replay",
    "conflicts:read", "conflicts:write", "audit:read", "webhooks:read", "webhooks:write",
)  # fmt: skip
# All that a key which is bound to a partner may hold; each shows that partner's rows alone.
PARTNER_SCOPES = (
    "programs:read", "partners:read", "crm:read", "transactions:read", "rewards:read",
    "payouts:read",
)  # fmt: skip
DECLINED = "declined"  # a partner's status with which its keys see nothing
LONGEST_TEXT = 200
USE_NOTED_EVERY = timedelta(minutes=1)
_PURPOSE = "api_key"
_UNKNOWN = bytes(32)  # compared with when there is no such key, so that both take as long


class UnknownScope(Unprocessable):
    code = "unknown_scope"
    title = "There is no such scope."


class ScopeNotForPartners(Unprocessable):
    code = "scope_not_for_partners"
    title = "A key that is bound to a partner may only read, and only what partners may see."


def create_key(
    session: Session,
    name: str,
    scopes: Sequence[str],
    expires_at: datetime | None = None,
    *,
    secret_key: str,
    actor: str = "cli",
    partner_id: int | None = None,
) -> tuple[ApiKey, str]:
    """A new key and its text `rk_<public>_<secret>`, which is kept nowhere and shown once.

    partner_id: the partner it is bound to. Raises UnknownScope, ScopeNotForPartners; Unprocessable
    without a scope, when it would have expired already, for a partner unknown or declined.
    """
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown:
        raise invalid_member(
            "scopes", f"No such scope: {', '.join(unknown)}. Known: {', '.join(SCOPES)}.",
            UnknownScope,
        )  # fmt: skip
    if not scopes:
        raise invalid_member("scopes", "A key needs at least one scope.")
    if expires_at is not None and expires_at <= utc_now():
        raise invalid_member("expires_at", "This time has passed: the key could never be used.")
    if partner_id is not None:
        _check_bound(session, partner_id, scopes)
    public, secret = token_hex(8), crypto.new_secret()
    text = f"rk_{public}_{secret}"
    key = ApiKey(
        name=name,
        public_part=public,
        secret_digest=crypto.digest(secret_key, _PURPOSE, text.encode()),
        scopes=sorted(set(scopes)),
        expires_at=expires_at,
        partner_id=partner_id,
    )
    session.add(key)
    session.flush()
    detail = {"after": {"scopes": key.scopes, "expires_at": expires_at and rfc3339(expires_at)}}
    if partner_id is not None:
        detail["after"]["partner_id"] = partner_id
    record(session, "api_key.created", ("api_key", key.id), detail, actor)
    return key, text


def _check_bound(session: Session, partner_id: int, scopes: Sequence[str]) -> None:
    status = queries.partner_status(session, partner_id)
    if status is None:
        raise invalid_member("partner_id", "There is no such partner.")
    if status == DECLINED:
        raise invalid_member("partner_id", "This partner was declined: the key would open nothing.")
    barred = sorted(set(scopes) - set(PARTNER_SCOPES))
    if barred:
        raise invalid_member(
            "scopes",
            f"Not for a key of a partner: {', '.join(barred)}. It may hold: "
            f"{', '.join(PARTNER_SCOPES)}.",
            ScopeNotForPartners,
        )


def rename_key(session: Session, key_id: int, name: str, actor: str) -> ApiKey:
    """Give a key another name. Raises NotFound."""
    key = get_key(session, key_id)
    if key.name != name:
        key.name = name
        session.flush()
        record(session, "api_key.renamed", ("api_key", key.id), {}, actor)
    return key


def get_key(session: Session, key_id: int) -> ApiKey:
    """Raises NotFound."""
    key = session.get(ApiKey, key_id)
    if key is None:
        raise NotFound("There is no such API key.")
    return key


def revoke_key(session: Session, key_id: int, actor: str) -> None:
    """End a key for good; ending it again changes nothing. Raises NotFound."""
    key = get_key(session, key_id)
    if key.revoked_at is None:
        key.revoked_at = utc_now()
        detail = {"before": {"scopes": key.scopes}, "after": {"scopes": []}}
        record(session, "api_key.revoked", ("api_key", key.id), detail, actor)


def recognise(session: Session, secret_key: str, text: str) -> Row[Any] | None:
    """The row of the live key behind a text; None for unknown, revoked and expired ones alike."""
    if len(text) > LONGEST_TEXT or text.count("_") < 2:
        return None
    key = queries.by_public_part(session, text.split("_", 2)[1])
    given = crypto.digest(secret_key, _PURPOSE, text.encode())
    if not crypto.same(given, _UNKNOWN if key is None else key.secret_digest) or key is None:
        return None
    return key if is_live(key) else None


def is_live(key: ApiKey | Row[Any]) -> bool:
    """Neither revoked nor expired."""
    return key.revoked_at is None and (key.expires_at is None or key.expires_at > utc_now())


def note_use(engine: Engine, key_id: int) -> None:
    """Say that a key was used just now, in a transaction of its own, or let it be.

    Nobody waits for it: where the row or SQLite's write lock is taken, the next use will say so.
    """
    now = utc_now()
    outdated = or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at < now - USE_NOTED_EVERY)
    statement = update(ApiKey).where(ApiKey.id == key_id, outdated).values(last_used_at=now)
    note(engine, statement)
