"""People and their browsers."""

from collections.abc import Callable

import pytest
from flask import Flask
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
