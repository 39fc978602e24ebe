"""People and their browsers."""

import re
import time
from collections.abc import Callable

import pytest
from flask import Flask
from passlib.totp import TOTP
from sqlalchemy import Engine

from rewards_service.settings import Settings
from tests.admin.visitor import Visitor, make_user

Enter = Callable[[str], Visitor]


@pytest.fixture
def visitor(app: Flask, settings: Settings) -> Visitor:
    """A browser in which nobody is signed in."""
    return Visitor(app, settings)


@pytest.fixture
def enter(app: Flask, settings: Settings, engine: Engine) -> Enter:
    """A browser in which somebody of a role is signed in."""

    def signed_in(role: str) -> Visitor:
        person = Visitor(app, settings)
        assert person.sign_in(make_user(engine, settings, role)).status_code == 302
        return person

    return signed_in


@pytest.fixture
def owner(enter: Enter) -> Visitor:
    return enter("owner")


def begin_app(visitor: Visitor) -> tuple[str, str]:
    """The key that somebody's app is to take, and the address that wants its first code."""
    page = visitor.post("/account/two-factor", setup="authenticator").text
    found = re.search(r"<code>([A-Z2-7-]+)</code>", page)
    target = re.search(r'action="(/account/two-factor/[^"]+)"', page)
    assert found is not None
    assert target is not None
    assert 'src="data:image/svg+xml;base64,' in page
    return found.group(1), target.group(1)


@pytest.fixture
def key(visitor: Visitor, email: str) -> str:
    """The key of an app that was just set up; its owner is signed out again."""
    visitor.sign_in(email)
    made, target = begin_app(visitor)
    # A step back: the code of now is left for signing in.
    code = TOTP(made).generate(time.time() - 30).token
    assert visitor.post(target, code=code).status_code == 302
    visitor.post("/logout")
    return made
