"""An installation with a provider, over real HTTP."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine

from rewards_service.settings import Settings
from tests.admin.visitor import make_user
from tests.peers.openid import CLIENT, SECRET, OpenIdProvider
from tests.sqlite_copies import put


@pytest.fixture
def database_url(sqlite_template: Path, tmp_path: Path) -> str:
    """At a place of its own: an application keeps what its provider once told of itself."""
    return put(sqlite_template, tmp_path / "rewards.db")


@pytest.fixture(scope="module")
def running() -> Iterator[OpenIdProvider]:
    with OpenIdProvider() as provider:
        yield provider


@pytest.fixture
def provider(running: OpenIdProvider, email: str) -> OpenIdProvider:
    """Everything right, and a person who has an account here."""
    running.change, running.sign = (lambda claims: claims), running._signed
    running.about, running.at_userinfo = {}, {}
    running.person = {"email": email.title(), "email_verified": True}
    return running


@pytest.fixture
def email(engine: Engine, settings: Settings) -> str:
    return make_user(engine, settings, "manager")


@pytest.fixture
def settings(settings: Settings, running: OpenIdProvider) -> Settings:
    return replace(
        settings, oidc_issuer=running.issuer, oidc_client_id=CLIENT, oidc_client_secret=SECRET,
        oidc_name="Example SSO", oidc_roles=(("staff", "viewer"), ("money", "finance")),
    )  # fmt: skip
