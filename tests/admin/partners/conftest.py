"""The company of these pages, on a database of its own."""

from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Engine

from rewards_service.settings import Settings
from tests.admin.partners.company import Company, found
from tests.builders.site import webhook_app
from tests.builders.world import World
from tests.sqlite_copies import put


@pytest.fixture
def database_url(sqlite_template: Path, sqlite_path: Path) -> str:
    """Pages show what the services below them answer; those are tested on both databases."""
    return put(sqlite_template, sqlite_path)


@pytest.fixture
def company(app: Flask, engine: Engine, settings: Settings) -> Company:
    return found(World(webhook_app(settings), engine, settings), settings)
