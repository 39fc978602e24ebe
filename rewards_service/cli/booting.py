"""What is examined before a process of the service begins to work."""

from flask import Flask

from rewards_service.kit.db import READ_ONLY, Base, db
from rewards_service.kit.sealed import check_openable
from rewards_service.kit.web import current_settings


def check_keys(app: Flask) -> None:
    """Raise KeyMissing when a key was taken out of ENCRYPTION_KEYS too early."""
    with app.app_context():
        engine = db.engine.execution_options(**{READ_ONLY: True})
        check_openable(engine, Base.metadata, current_settings().encryption_keys)
        db.engine.dispose()  # processes that are forked later have connections of their own
