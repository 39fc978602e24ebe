"""The company of these pages, on a database of its own."""

from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Engine

from rewards_service.settings import Settings
from tests.admin.partners.company import Company, found
from tests.builders.site import webhook_app
from tests.builders.world import World


@pytest.fixture
def database_url(sqlite_template: Path, tmp_path: Path) -> str:
    """Pages show what the services below them answer; those are tested on both databases."""
    path = tmp_path / "rewards.db"
    path.write_bytes(sqlite_template.read_bytes())
    return f"sqlite:///{path}"


@pytest.fixture
def company(app: Flask, engine: Engine, settings: Settings) -> Company:
    return found(World(webhook_app(settings), engine, settings), settings)
