"""An application whose database nobody asks: the description and its page need none."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from rewards_service.app import create_app
from rewards_service.settings import load_settings


@pytest.fixture(scope="package")
def bare_app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    return create_app(load_settings({"VAR_DIR": str(tmp_path_factory.mktemp("bare"))}))


@pytest.fixture
def bare(bare_app: Flask) -> FlaskClient:
    return bare_app.test_client()
