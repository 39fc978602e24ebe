"""The web process: the application as a WSGI server takes it."""

from rewards_service.app import create_app
from rewards_service.cli.booting import check_keys
from rewards_service.settings import load_settings

app = create_app(load_settings())
check_keys(app)
