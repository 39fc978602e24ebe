"""Nobody opens a page that is not theirs, and no page does what it was not asked for."""

from urllib.parse import urlsplit

import structlog
from flask import Flask, Response, current_app, flash, g, json, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user
from flask_wtf.csrf import CSRFError

from rewards_service.accounts import permissions, sessions
from rewards_service.admin.pages import is_page, permission_of, role, show
from rewards_service.admin.security import csrf, lacks_factor
from rewards_service.kit.db import db
from rewards_service.kit.errors import BadRequest, Forbidden
from rewards_service.kit.noting import note
from rewards_service.kit.problems import PROBLEM_JSON
from rewards_service.kit.web import current_session, current_settings

log = structlog.get_logger()

POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
_SAFE = ("GET", "HEAD", "OPTIONS")
# They hash a password: SQLite's only write lock is not held meanwhile.
_SLOW = ("security.login", "security.verify", "account.welcome")
# Steps of signing in; Flask-Security would sign somebody out who strays there.
_STEPS = tuple(
    f"security.{name}"
    for name in ("two_factor_token_validation", "tf_select", "mf_recovery", "wan_signin",
                 "wan_signin_response")
)  # fmt: skip
_FACTOR_NEEDED = (
    "Everybody here needs a second factor, and you have none yet. Set up an app, or add a passkey "
    "under Your account."
)
_ENDED = "You were signed out meanwhile, so nothing was changed. Sign in, then do it once more."


class StalePage(BadRequest):
    code = "stale_page"
    title = "This page was open for too long."


class NotForRole(Forbidden):
    code = "not_for_role"
    title = "Your role may not do that."


def init_app(app: Flask) -> None:
    """Guard the pages of `app`."""
    app.before_request(_check)
    app.after_request(_add_headers)
    app.after_request(_as_page)


def _check() -> ResponseReturnValue | None:
    if request.endpoint is None or not is_page(request.path) or request.endpoint == "admin.static":
        return None
    current_session(reads_only=request.endpoint in _SLOW)
    if request.method not in _SAFE:
        _check_token()
    wanted = permission_of(request.endpoint)
    if current_user.is_authenticated:
        _note_seen()
        if request.endpoint in _STEPS:
            return redirect("/")
        if current_settings().require_second_factor and _must_set_up():
            flash(_FACTOR_NEEDED, "warning")
            return _send_to(url_for("security.two_factor_setup"))
    elif wanted != permissions.PUBLIC:
        return _to_login()
    if wanted is None or not permissions.may(role(), wanted):
        log.warning("page_refused", endpoint=request.endpoint, role=role(), by=_who())
        raise NotForRole(
            f"The role {role()} does not include this. Ask an owner if you need it."
            if role()
            else None
        )
    return None


def _check_token() -> None:
    try:
        csrf.protect()
    except CSRFError as error:
        log.warning("stale_page", endpoint=request.endpoint, by=_who())
        raise StalePage(
            "Nothing was changed. Go back, load the page again, and repeat what you did."
        ) from error


def _who() -> int | None:
    return current_user.id if current_user.is_authenticated else None


def _note_seen() -> None:
    row = g.user_session
    if sessions.is_worth_noting(row):
        note(db.engine, sessions.seen(row.id))


def _to_login() -> ResponseReturnValue:
    if request.method in _SAFE and "HX-Request" not in request.headers:
        here = request.full_path.rstrip("?")
    else:  # come back to the page that asked, not to the part of it, nor to what it sent
        came = urlsplit(request.headers.get("HX-Current-URL") or request.referrer or "")
        here = came.path + (f"?{came.query}" if came.query else "") or "/"
        if request.method not in _SAFE and request.endpoint != "security.logout":
            flash(_ENDED, "warning")
    return _send_to(url_for("security.login", next=None if here == "/" else here))


def _must_set_up() -> bool:
    """Whether this is a page beyond one's own account, for somebody who has only a password."""
    endpoint = request.endpoint or ""
    return not endpoint.startswith(("security.", "account.")) and lacks_factor(current_user)


def _send_to(target: str) -> ResponseReturnValue:
    if "HX-Request" in request.headers:
        return Response(status=204, headers={"HX-Redirect": target})
    return redirect(target)


def _add_headers(answer: Response) -> Response:
    if not is_page(request.path):
        return answer
    headers = answer.headers
    headers["Content-Security-Policy"] = POLICY
    headers["Referrer-Policy"] = "same-origin"
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    if g.get("has_signed_out"):
        headers["Clear-Site-Data"] = '"cache", "storage"'
    if request.endpoint == "admin.static" and answer.status_code == 200:
        # Their address names their version.
        headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return answer


def _as_page(answer: Response) -> Response:
    """Errors as people see them; programs get them as problem+json, everywhere."""
    if answer.mimetype != PROBLEM_JSON or not is_page(request.path) or not _wants_page():
        return answer
    problem = json.loads(answer.get_data())
    try:
        body, status = show("error.html", answer.status_code, problem=problem)
    except Exception:  # an error page must not need what is broken
        current_app.logger.exception("The error page cannot be drawn")
        return answer
    page = current_app.response_class(body, status)
    for name in ("Allow", "Retry-After", "X-Request-ID"):
        if name in answer.headers:
            page.headers[name] = answer.headers[name]
    return _add_headers(page)


def _wants_page() -> bool:
    accepts = request.accept_mimetypes
    return bool(accepts["text/html"] > accepts[PROBLEM_JSON])
