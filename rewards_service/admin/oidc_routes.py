"""Signing in at an OpenID provider: where one is sent, and who is let in on the way back."""

from typing import TYPE_CHECKING, Any

from flask import Flask, current_app, flash, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user, login_user
from flask_security.proxies import _security
from flask_security.utils import validate_redirect_url
from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.accounts import identities, users
from rewards_service.accounts.permissions import PUBLIC
from rewards_service.accounts.user_models import User
from rewards_service.admin.oidc_refused import Refused
from rewards_service.admin.pages import Pages
from rewards_service.audit.service import record
from rewards_service.kit.errors import NotFound, RewardsError
from rewards_service.kit.web import current_session, current_settings
from rewards_service.setting_checks import ROLES
from rewards_service.settings import Settings

if TYPE_CHECKING:
    from rewards_service.admin.oidc import Provider

blueprint = Pages("oidc")
ACTOR = "oidc"
_NO_ACCOUNT = "You have no account here. Ask an owner for an invitation."
_SUCCESSOR = (
    "The provider has given your address to another person than before. If that is right, let an "
    "owner remove the second factors and sign-on of this account under Users."
)
_EXTENSION, _KEPT = "rewards_oidc", "oidc"


def init_app(app: Flask, settings: Settings) -> None:
    """Offer it on the sign-in page, where it is set up."""
    if settings.oidc_issuer:  # only then are its libraries loaded
        from rewards_service.admin.oidc import Provider

        app.extensions[_EXTENSION] = Provider(settings)
    app.jinja_env.globals["single_sign_on"] = settings.oidc_issuer and settings.oidc_name


@blueprint.page("/login/oidc", permission=PUBLIC)
def begin() -> ResponseReturnValue:
    """To the provider."""
    provider = _provider()
    if current_user.is_authenticated:
        return redirect("/")
    current_session().rollback()  # nothing waits for the provider
    try:
        url, started = provider.begin()
    except Refused as error:
        return _refuse(error)
    session[_KEPT] = {**started, "next": request.args.get("next", "")[:500]}
    return redirect(url)


@blueprint.page("/login/oidc/done", permission=PUBLIC)
def done() -> ResponseReturnValue:
    """Back from the provider: in, on to the second factor, or out again with the reason."""
    provider = _provider()
    if current_user.is_authenticated:
        return redirect("/")
    started: dict[str, Any] = session.pop(_KEPT, None) or {}
    own = current_session()
    own.rollback()
    try:
        claims = provider.finish(request.args, started)
        user = person_of(own, current_settings(), claims)
    except Refused as error:
        own.rollback()
        return _refuse(error)
    seen = {"issuer": claims["iss"], "subject": claims["sub"]}
    record(own, "user.vouched_for", ("user", user.id), seen, ACTOR)
    back = _place(str(started["next"]))
    # Who has a second factor here is asked for it here, whatever the provider has asked for.
    step: ResponseReturnValue | None = _security.two_factor_plugins.tf_enter(
        user, False, ACTOR, next_loc=back
    )
    if step is None:
        login_user(user, authn_via=[ACTOR])
    own.commit()
    return redirect(back) if step is None else step


def person_of(own: Session, settings: Settings, claims: dict[str, Any]) -> User:
    """The user whom the provider vouches for, made by a group that gives a role. Raises Refused.

    The first time people are known by an e-mail address that the provider says is theirs; then
    by the subject, which outlives a change of address, and which no successor has.
    """
    email = claims.get("email")
    if not isinstance(email, str) or claims.get("email_verified") is not True:
        raise Refused("The provider does not vouch for your e-mail address.")
    email = email.strip().lower()
    if settings.oidc_domains and email.rpartition("@")[2] not in settings.oidc_domains:
        raise Refused("Addresses of your domain do not sign in here.")
    user = identities.holder(own, claims["iss"], claims["sub"])
    if user is None:
        user = _by_address(own, settings, claims, email)
        if not identities.bind(own, user, claims["iss"], claims["sub"]):
            raise Refused(_SUCCESSOR)
    if not user.active:
        raise Refused(_NO_ACCOUNT)
    return user


def _by_address(own: Session, settings: Settings, claims: dict[str, Any], email: str) -> User:
    user = own.scalar(select(User).where(User.email == email))
    if user is not None and user.active:
        return user
    role = _role_of(settings, claims)
    if user is not None or role is None:
        raise Refused(_NO_ACCOUNT)
    try:
        made = users.create_user(own, settings, email, role, actor=ACTOR)
    except RewardsError as error:
        raise Refused("Your e-mail address cannot be that of an account.", error.detail) from error
    return made


def _role_of(settings: Settings, claims: dict[str, Any]) -> str | None:
    """The strongest role that one of the person's groups gives."""
    told = claims.get(settings.oidc_groups_claim)
    groups = told if isinstance(told, list) else [told]
    given = {role for group, role in settings.oidc_roles if group in groups}
    return next((role for role in ROLES if role in given), None)


def _provider() -> "Provider":
    found: Provider | None = current_app.extensions.get(_EXTENSION)
    if found is None:
        raise NotFound("Single sign-on is not set up here.")
    return found


def _place(wanted: str) -> str:
    return wanted if wanted.startswith("/") and validate_redirect_url(wanted) else "/"


def _refuse(error: Refused) -> ResponseReturnValue:
    flash(str(error), "danger")
    return redirect(url_for("security.login"))
