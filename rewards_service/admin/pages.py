"""What makes a page: an address, somebody who may open it, one transaction, a template."""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Blueprint, current_app, g, render_template, request
from flask_security import current_user

from rewards_service.accounts import permissions
from rewards_service.accounts.user_models import User, UserSession
from rewards_service.admin.screens import OF_ENDPOINT

View = TypeVar("View", bound=Callable[..., Any])
# What programs talk to; everything else is for people.
_MACHINES = ("/api/", "/webhooks/", "/livez", "/readyz", "/metrics")


class Pages(Blueprint):
    """Pages of one subject. Each names the permission it needs: there is no default."""

    def __init__(self, name: str, url_prefix: str | None = None) -> None:
        super().__init__(name, __name__, url_prefix=url_prefix)

    def page(
        self, rule: str, *, permission: str, methods: tuple[str, ...] = ("GET",)
    ) -> Callable[[View], View]:
        """Publish a view for those who have the permission."""
        if permission not in {*permissions.PERMISSIONS, permissions.PUBLIC, permissions.SIGNED_IN}:
            raise ValueError(f"There is no permission {permission}.")

        def publish(view: View) -> View:
            view.permission = permission  # type: ignore[attr-defined]
            self.add_url_rule(rule, view.__name__, view, methods=list(methods))
            return view

        return publish


def is_page(path: str) -> bool:
    """Whether people open this path, with a browser; otherwise programs do."""
    return path != "/api" and not path.startswith(_MACHINES)


def permission_of(endpoint: str) -> str | None:
    """What an endpoint needs; None when it does not say, and so nobody may."""
    own: str | None = getattr(current_app.view_functions[endpoint], "permission", None)
    return own or OF_ENDPOINT.get(endpoint)


def role() -> str | None:
    """The role of who is asking; None when nobody is signed in."""
    return current_user.role if current_user.is_authenticated else None


def may(permission: str) -> bool:
    return permissions.may(role(), permission)


def signed_in() -> User:
    """Who is asking. Only where the permission says that somebody is."""
    user: User = current_user._get_current_object()
    return user


def this_session() -> UserSession:
    session: UserSession = g.user_session
    return session


def address() -> str | None:
    """Where the request comes from; what proxies say of it counts as TRUSTED_PROXIES has it."""
    return request.remote_addr


def actor() -> str:
    """Who is to blame, as the audit log says it."""
    return f"user:{signed_in().id}"


def show(template: str, status: int = 200, **values: Any) -> tuple[str, int]:
    """A page from `templates/admin`."""
    return render_template(f"admin/{template}", **values), status
