"""Users: who may do what. For owners."""

from typing import Any

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from rewards_service.accounts import users
from rewards_service.accounts.user_models import User
from rewards_service.admin.doing import Undo, tell
from rewards_service.admin.forms import InviteForm
from rewards_service.admin.pages import Pages, actor, show
from rewards_service.kit import ids
from rewards_service.kit.errors import RewardsError
from rewards_service.kit.web import current_session, current_settings, path_key

blueprint = Pages("users", url_prefix="/users")


@blueprint.page("", permission="users:read")
def list_users() -> ResponseReturnValue:
    """Everybody who may sign in, or might once."""
    return show("users.html", **_values(InviteForm()))


@blueprint.page("", permission="users:write", methods=("POST",))
def invite_user() -> ResponseReturnValue:
    """Let somebody in: the link is shown this once."""
    form, session = InviteForm(), current_session()
    if not form.validate_on_submit():
        return show("users.html", 422, **_values(form))
    try:
        user = users.create_user(
            session, current_settings(), form.email.data, form.role.data, actor=actor()
        )
        link = users.make_link(session, current_settings(), user, actor())
        session.commit()
    except RewardsError as error:
        session.rollback()
        form.email.errors = [*form.email.errors, error.detail]
        return show("users.html", 422, **_values(form))
    return show("users.html", 201, link=link, invited=user, **_values(InviteForm(formdata=None)))


@blueprint.page("/<user_id>/link", permission="users:write", methods=("POST",))
def make_link(user_id: str) -> ResponseReturnValue:
    """A link to choose a new password by; shown this once."""
    session = current_session()
    user = users.get_user(session, path_key("usr", user_id))
    link = users.make_link(session, current_settings(), user, actor())
    session.commit()
    return show("users.html", 201, link=link, invited=user, **_values(InviteForm(formdata=None)))


@blueprint.page("/<user_id>", permission="users:write", methods=("POST",))
def change_user(user_id: str) -> ResponseReturnValue:
    """Another role, closed out or let in again, or without the second factor they lost."""
    session, key, wanted = current_session(), path_key("usr", user_id), request.form
    undo: Undo | None = None
    try:
        if "forget_second_factor" in wanted:
            users.forget_second_factor(session, key, actor())
        else:
            active = {"yes": True, "no": False}.get(wanted.get("active", ""))
            before = _standing(users.get_user(session, key))
            changed = users.change_user(session, key, wanted.get("role"), active, actor())
            undo = (request.path, before) if _standing(changed) != before else None
    except RewardsError as error:
        session.rollback()
        flash(error.detail, "danger")
    else:
        if undo is None and "forget_second_factor" not in wanted:
            tell("That is how it was already: nothing was changed.")
        else:
            tell("Changed. They sign in again wherever they were signed in.", undo)
    return redirect(url_for("users.list_users"))


def _standing(user: User) -> dict[str, str]:
    """What would bring somebody back to where they are now, as the fields of `change_user`."""
    return {"role": user.role, "active": "yes" if user.active else "no"}


def _values(form: InviteForm) -> dict[str, Any]:
    return {"form": form, "users": users.list_users(current_session()), "id_of": _id_of}


def _id_of(user: User) -> str:
    return ids.encode("usr", user.id)
