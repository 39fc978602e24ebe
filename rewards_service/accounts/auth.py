"""Who is calling, and whether their key may do what they ask. Nothing is open by default."""

from typing import NamedTuple

from flask import Flask, Response, current_app, g, request
from sqlalchemy.orm import Session

from rewards_service.accounts import queries, service
from rewards_service.kit import own, problems
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import READ_ONLY, db
from rewards_service.kit.errors import Forbidden, Unauthorized
from rewards_service.kit.web import ANY_KEY, V1, current_settings


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


def init_app(app: Flask) -> None:
    """Check the key of every request below /api/v1 before anything else looks at it."""
    app.before_request(_check)
    app.after_request(_refuse_unconfined)


def current_caller() -> Caller:
    caller: Caller = g.caller
    return caller


def current_actor() -> str:
    """Who is to blame, as the audit log says it."""
    return f"key:{current_caller().key_id}"


def _check() -> None:
    if not request.path.startswith(f"{V1}/") or request.endpoint is None:
        return
    g.caller = _authenticate()
    own.confine(g.caller.partner_id)
    view = current_app.view_functions[request.endpoint]
    scope = getattr(view, "scope", None)
    if scope is None:
        raise Forbidden("This operation does not say who may use it, so nobody may.")
    if g.caller.partner_id is not None and not getattr(view, "for_partners", False):
        raise NotForPartners("This key is bound to a partner, and this is not for partners.")
    if not g.caller.may(scope):
        raise MissingScope(f"This key lacks the scope {scope}.")


def _refuse_unconfined(answer: Response) -> Response:
    """Throw away what a view made for a partner's key without asking whose rows it may see."""
    if answer.status_code >= 400 or request.method == "OPTIONS" or not own.forgot_to_ask():
        return answer
    return problems.answer_ours(NotForPartners("This operation is not confined to one partner."))


def _authenticate() -> Caller:
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not text.strip():
        raise Unauthorized("Send an API key: Authorization: Bearer rk_....")
    # A session of its own: a stranger's request must never hold the write lock of SQLite.
    with Session(db.engine) as session:
        session.connection(execution_options={READ_ONLY: True})
        key = service.recognise(session, current_settings().secret_key, text.strip())
        if key is None:
            raise Unauthorized("This API key is unknown, expired or revoked.")
        if key.partner_id is not None:
            _check_partner(session, key.partner_id)
        caller, last_used_at = (
            Caller(key.id, frozenset(key.scopes), key.partner_id),
            key.last_used_at,
        )
    if last_used_at is None or last_used_at < utc_now() - service.USE_NOTED_EVERY:
        service.note_use(db.engine, caller.key_id)
    return caller


def _check_partner(session: Session, partner_id: int) -> None:
    if queries.partner_status(session, partner_id) == service.DECLINED:
        raise PartnerDeclined("Partners who were declined see nothing; make the partner active.")
