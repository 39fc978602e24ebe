"""A person's own pages: how they sign in, where they are signed in, how the pages look."""

from typing import Any

from flask import Response, current_app, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_security import logout_user
from flask_security.utils import validate_redirect_url

from rewards_service.accounts import sessions, users
from rewards_service.accounts.permissions import PUBLIC, SIGNED_IN
from rewards_service.accounts.user_models import FIRST_OWNER
from rewards_service.admin.forms import FirstOwnerForm, PasswordForm
from rewards_service.admin.layout import THEME_COOKIE, THEMES
from rewards_service.admin.pages import Pages, show, signed_in, this_session
from rewards_service.kit.errors import NotFound, Unprocessable
from rewards_service.kit.web import current_session, current_settings

blueprint = Pages("account")
_YEAR = 365 * 86_400


@blueprint.page("/account", permission=SIGNED_IN)
def show_account() -> ResponseReturnValue:
    """How I sign in, and where I am signed in."""
    user = signed_in()
    return show(
        "account/account.html",
        user=user,
        sessions=sessions.list_live(current_session(), user.id),
        current=this_session(),
    )


@blueprint.page("/account/sessions/end", permission=SIGNED_IN, methods=("POST",))
def end_session() -> ResponseReturnValue:
    """Sign one browser out, or all others."""
    user, wanted = signed_in(), request.form.get("session", "")
    if wanted:
        if not (wanted.isdecimal() and len(wanted) < 19):
            raise NotFound("There is no such session.")
        if int(wanted) == this_session().id:
            logout_user()
            return redirect(url_for("security.login"))
        sessions.end(current_session(), user.id, int(wanted))
        flash("That browser is signed out.", "success")
    else:
        sessions.end_all(current_session(), user.id, but=this_session().id)
        flash("All other browsers are signed out.", "success")
    return redirect(url_for("account.show_account"))


@blueprint.page("/welcome/<token>", permission=PUBLIC, methods=("GET", "POST"))
def welcome(token: str) -> ResponseReturnValue:
    """Choose a password by a link that works once."""
    settings, session = current_settings(), current_session()
    link = users.find_link(session, settings, token)
    first = link.purpose == FIRST_OWNER
    form: Any = FirstOwnerForm() if first else PasswordForm()
    user = None if first else users.get_user(session, link.user_id or 0)
    if form.validate_on_submit():
        session.rollback()
        email = form.email.data if first else None
        try:
            made = users.use_link(session, settings, token, form.password.data, email)
        except Unprocessable as error:
            session.rollback()
            at = form.email if first and "/email" in str(error.errors) else form.password
            at.errors = [*at.errors, error.detail]
        else:
            flash(f"Welcome. Sign in as {made.email} with your new password.", "success")
            return redirect(url_for("security.login", next="/setup" if first else None))
    status = 422 if form.errors else 200
    return show("account/welcome.html", status, form=form, user=user, first=first)


@blueprint.page("/theme", permission=PUBLIC, methods=("POST",))
def choose_theme() -> ResponseReturnValue:
    """Light, dark, or as the system has it."""
    back = request.form.get("next", "")
    answer: Response = current_app.make_response(
        redirect(back if back.startswith("/") and validate_redirect_url(back) else "/")
    )
    wanted = request.form.get("theme", "")
    if wanted in THEMES:
        secure = bool(current_app.config["SESSION_COOKIE_SECURE"])
        answer.set_cookie(THEME_COOKIE, wanted, _YEAR, secure=secure, samesite="Lax")
    return answer
