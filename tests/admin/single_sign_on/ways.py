"""The way to the provider and back, as a browser goes it."""

from urllib.parse import urlencode, urlsplit

from tests.admin.visitor import Visitor
from tests.peers.openid import OpenIdProvider

DONE = "/login/oidc/done"


def go(visitor: Visitor, provider: OpenIdProvider, **changed: str) -> str:
    """To the provider and back; where one is led then."""
    sent = visitor.get("/login/oidc?next=/users")
    back = {**provider.visit(urlsplit(sent.headers["Location"]).query), **changed}
    return visitor.get(f"{DONE}?{urlencode(back)}").headers["Location"]


def sign_out(visitor: Visitor) -> None:
    visitor.get("/account")  # which has the token
    visitor.post("/logout")


def refused(visitor: Visitor) -> bool:
    return "alert-danger" in visitor.get("/login").text and not visitor.is_signed_in()


def forget(visitor: Visitor) -> None:
    """The provider's description is asked for anew, as after an hour."""
    visitor._client.application.extensions["rewards_oidc"]._known.clear()
