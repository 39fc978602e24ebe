"""Every page of the service on an application."""

from flask import Flask

from rewards_service.admin import (
    account_routes,
    audit_routes,
    guard,
    layout,
    overview_routes,
    packed,
    places,
    security,
    setup_routes,
    tones,
    users_routes,
)
from rewards_service.admin.numbers import (
    files_routes,
    keys_routes,
    reports_routes,
    settings_routes,
    webhooks_routes,
)
from rewards_service.settings import Settings

BLUEPRINTS = (
    overview_routes.blueprint, setup_routes.blueprint, users_routes.blueprint,
    account_routes.blueprint, audit_routes.blueprint,
    files_routes.blueprint, keys_routes.blueprint, webhooks_routes.blueprint,
    reports_routes.blueprint, settings_routes.blueprint,
)  # fmt: skip


def init_app(app: Flask, settings: Settings) -> None:
    """Serve the pages on `app`, for those who sign in."""
    layout.init_app(app)
    app.jinja_env.globals.update(link_to=places.link_to)
    app.jinja_env.filters.update(tone=tones.tone_of, worded=tones.worded)
    security.init_app(app, settings)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    packed.init_app(app)
    guard.init_app(app, settings)
