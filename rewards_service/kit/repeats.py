"""Idempotency-Key: a POST that is sent twice is done once, and answered the same both times.

What a change answered is kept in the transaction of the change itself, sealed: it may hold a secret
that is shown only once. Only what was done is kept. A request that was refused or broke changed
nothing, so it is judged anew the next time, and may be mended under the same key.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from flask import Response, current_app, g, request
from sqlalchemy import Index, LargeBinary, Text, UniqueConstraint, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from rewards_service.kit import crypto
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import READ_ONLY, Base, BigKey, Json, UtcDateTime, db, is_postgresql
from rewards_service.kit.errors import BadRequest, Conflict, Unprocessable
from rewards_service.kit.web import V1, current_session, current_settings

KEPT_FOR = timedelta(hours=24)
LONGEST_KEY = 255
REPLAYED = "Idempotent-Replayed"
_CHUNK = 1_000
_LEFT_OUT = frozenset({"content-length", "x-request-id", "date"})


class KeptAnswer(Base):
    """What one POST of one API key was answered, sealed, until `expires_at`."""

    __tablename__ = "kept_answers"
    __table_args__ = (
        UniqueConstraint("api_key_id", "idempotency_key"),
        Index("ix_kept_answers_expires_at", "expires_at"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    api_key_id: Mapped[int] = mapped_column(BigKey)
    idempotency_key: Mapped[str]
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)  # of the route and the body
    status: Mapped[int]
    headers: Mapped[Any] = mapped_column(Json)  # [[name, value]]
    body_encrypted: Mapped[str] = mapped_column(Text)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)


class BadIdempotencyKey(BadRequest):
    code = "bad_idempotency_key"
    title = "This cannot be an Idempotency-Key."


class KeyReused(Unprocessable):
    code = "idempotency_key_reused"
    title = "This Idempotency-Key was used for another request."


class InFlight(Conflict):
    code = "idempotency_key_in_flight"
    title = "The first request with this Idempotency-Key is not answered yet."
    retry_after = 1


class Wish(NamedTuple):
    """A request that wants to be done once."""

    api_key_id: int
    key: str
    fingerprint: bytes


def wanted() -> Wish | None:
    """What this request wants; None when it carries no key. Raises BadIdempotencyKey."""
    key = request.headers.get("Idempotency-Key")
    caller = g.get("key_id")
    if key is None or caller is None or request.method != "POST":
        return None
    if not request.path.startswith(f"{V1}/") or request.url_rule is None:
        return None
    if not 1 <= len(key) <= LONGEST_KEY or not key.isascii() or not key.isprintable():
        raise BadIdempotencyKey(
            f"Send 1 to {LONGEST_KEY} printable ASCII characters, such as a UUID of your own."
        )
    head = f"{request.method} {request.full_path}\n{request.mimetype}\n".encode()
    return Wish(caller, key, hashlib.sha256(head + request.get_data()).digest())


def once(wish: Wish, change: Callable[[], Response]) -> Response:
    """The answer of `change`, committed with it; or what the same request was answered before.

    Raises KeyReused, InFlight, and what `change` raises.
    """
    _hold(wish)
    found = _find(wish)
    if found is not None:
        return found
    try:
        answer = change()
        is_kept = not 200 <= answer.status_code < 300 or _keep(wish, answer)
    except Exception:
        current_session().rollback()
        found = _find(wish)  # refused because the first of the two was done meanwhile
        if found is None:
            raise
        return found
    if is_kept:
        current_session().commit()
        return answer
    current_session().rollback()  # the other was quicker: what this one did is undone
    found = _find(wish)
    if found is None:
        raise InFlight
    return found


def has_expired(session: Session) -> bool:
    """Whether some answers need not be kept any longer."""
    query = select(KeptAnswer.id).where(KeptAnswer.expires_at <= utc_now()).limit(1)
    return session.scalar(query) is not None


def forget_expired(session: Session) -> int:
    """Delete up to 1,000 answers that need not be kept any longer; how many it were."""
    old = select(KeptAnswer.id).where(KeptAnswer.expires_at <= utc_now()).limit(_CHUNK)
    gone = delete(KeptAnswer).where(KeptAnswer.id.in_(old)).returning(KeptAnswer.id)
    return len(session.scalars(gone).all())


def _hold(wish: Wish) -> None:
    """Have the key to oneself until commit; it ends with the process, whatever happens to that.

    SQLite has one writer at a time: there the second waits its turn, and finds what was kept.
    """
    session = current_session()
    if not is_postgresql(session):
        return
    if not session.scalar(select(func.pg_try_advisory_xact_lock(_lock_of(wish)))):
        raise InFlight("It is still at work. Ask again in a second, with the same key and body.")


def _lock_of(wish: Wish) -> int:
    name = hashlib.sha256(f"{wish.api_key_id} {wish.key}".encode()).digest()
    return int.from_bytes(name[:8], "big", signed=True)


def _find(wish: Wish) -> Response | None:
    query = select(KeptAnswer).where(
        KeptAnswer.api_key_id == wish.api_key_id,
        KeptAnswer.idempotency_key == wish.key,
        KeptAnswer.expires_at > utc_now(),
    )
    # Read beside the request's own session: on SQLite that would take the one write lock.
    with Session(db.engine) as session:
        session.connection(execution_options={READ_ONLY: True})
        found = session.scalar(query)
        if found is None:
            return None
        if found.fingerprint != wish.fingerprint:
            raise KeyReused(
                "The same key came before with another body or for another route, and that was "
                "done. Take a fresh key for each thing you want done."
            )
        body = crypto.decrypt(current_settings().encryption_keys, found.body_encrypted)
        answer = current_app.response_class(body.encode("latin-1"), found.status)
        for name, value in found.headers:
            answer.headers[name] = value
    answer.headers[REPLAYED] = "true"
    return answer


def _keep(wish: Wish, answer: Response) -> bool:
    """Put an answer beside the change; False when another with the same key came first."""
    session = current_session()
    if session.connection().get_execution_options().get(READ_ONLY):
        session.rollback()  # nothing was written, and on SQLite nothing could be
    kept = {
        "fingerprint": wish.fingerprint,
        "status": answer.status_code,
        "headers": [pair for pair in answer.headers.items() if pair[0].lower() not in _LEFT_OUT],
        "body_encrypted": crypto.encrypt(
            current_settings().encryption_keys, answer.get_data().decode("latin-1")
        ),
        "expires_at": utc_now() + KEPT_FOR,
    }
    insert = postgresql.insert if is_postgresql(session) else sqlite.insert
    statement = insert(KeptAnswer).values(
        api_key_id=wish.api_key_id, idempotency_key=wish.key, **kept
    )
    statement = statement.on_conflict_do_update(
        index_elements=["api_key_id", "idempotency_key"],
        set_=kept,
        where=KeptAnswer.expires_at <= utc_now(),
    )
    return session.scalar(statement.returning(KeptAnswer.id)) is not None
