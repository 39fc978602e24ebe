"""Who is calling, and whether their key may do what they ask. Nothing is open by default."""

from typing import Any, NamedTuple

from flask import Flask, Response, current_app, g, request
from sqlalchemy import Row
from sqlalchemy.orm import Session

from rewards_service.accounts import limits, queries, service
from rewards_service.accounts.models import ApiKey
from rewards_service.kit import own, problems
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import db
from rewards_service.kit.errors import Forbidden, Unauthorized
from rewards_service.kit.reading import READS
from rewards_service.kit.web import ANY_KEY, API, V1, current_settings
from rewards_service.settings import Settings


class Caller(NamedTuple):
    """The key of this request; `partner_id`: the one partner whose rows it may see."""

    key_id: int
    scopes: frozenset[str]
    partner_id: int | None = None

    def may(self, scope: str) -> bool:
        return scope == ANY_KEY or scope in self.scopes or service.ADMIN in self.scopes


class MissingScope(Forbidden):
    code = "missing_scope"
    title = "This key may not do that."


class NotForPartners(Forbidden):
    code = "not_for_partners"
    title = "Keys of partners may not do that."


class PartnerDeclined(Forbidden):
    code = "partner_declined"
    title = "The partner of this key was declined."


def init_app(app: Flask, settings: Settings) -> None:
    """Check the key of every request below /api/v1 before anything else looks at it."""
    limits.init_app(app, settings)
    app.before_request(_check)
    app.after_request(_refuse_unconfined)


def current_caller() -> Caller:
    caller: Caller = g.caller
    return caller


def current_actor() -> str:
    """Who is to blame, as the audit log says it."""
    return f"key:{current_caller().key_id}"


def _check() -> None:
    if not request.path.startswith(API):
        return
    if not request.path.startswith(f"{V1}/"):
        limits.count_address()
        return
    try:
        g.caller = _authenticate()
    except Unauthorized:
        limits.count_address()
        raise
    g.key_id = g.caller.key_id
    limits.count_key(g.key_id)
    if request.endpoint is not None:  # without a key nobody learns which addresses there are
        check(g.caller, request.endpoint)


def check(caller: Caller, endpoint: str) -> None:
    """Let a caller at an operation, confined to the partner of its key, or raise Forbidden."""
    own.confine(caller.partner_id)
    view = current_app.view_functions[endpoint]
    scope = getattr(view, "scope", None)
    if scope is None:
        raise Forbidden("This operation does not say who may use it, so nobody may.")
    if caller.partner_id is not None and not getattr(view, "for_partners", False):
        raise NotForPartners("This key is bound to a partner, and this is not for partners.")
    if not caller.may(scope):
        raise MissingScope(f"This key lacks the scope {scope}.")


def _refuse_unconfined(answer: Response) -> Response:
    """Throw away what a view made for a partner's key without asking whose rows it may see."""
    if answer.status_code >= 400 or request.method == "OPTIONS" or not own.forgot_to_ask():
        return answer
    return problems.answer_ours(NotForPartners("This operation is not confined to one partner."))


def act_as(session: Session, key_id: int, endpoint: str) -> None:
    """Go on as if a key asked for an operation: for what it asked for to be done later.

    Raises Forbidden when it may not do that, or not any more.
    """
    key = service.get_key(session, key_id)
    if not service.is_live(key):
        raise Forbidden("The key that asked for this has expired or was revoked.")
    g.caller = _caller(session, key)
    check(g.caller, endpoint)


def _caller(session: Session, key: ApiKey | Row[Any]) -> Caller:
    if key.partner_id is not None:
        _check_partner(session, key.partner_id)
    return Caller(key.id, frozenset(key.scopes), key.partner_id)


def _authenticate() -> Caller:
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not text.strip():
        raise Unauthorized("Send an API key: Authorization: Bearer rk_....")
    # A session of its own: a stranger's request must never hold the write lock of SQLite.
    with Session(db.engine) as session:
        session.connection(execution_options=READS)
        key = service.recognise(session, current_settings().secret_key, text.strip())
        if key is None:
            raise Unauthorized("This API key is unknown, expired or revoked.")
        caller, last_used_at = _caller(session, key), key.last_used_at
    if last_used_at is None or last_used_at < utc_now() - service.USE_NOTED_EVERY:
        service.note_use(db.engine, caller.key_id)
    return caller


def _check_partner(session: Session, partner_id: int) -> None:
    if queries.partner_status(session, partner_id) == service.DECLINED:
        raise PartnerDeclined("Partners who were declined see nothing; make the partner active.")
