"""Every page of the service on an application."""

from flask import Flask

from rewards_service.admin import (
    account_routes,
    audit_routes,
    guard,
    layout,
    oidc_routes,
    overview_routes,
    packed,
    places,
    search_routes,
    security,
    setup_routes,
    shortcuts,
    tones,
    users_routes,
)
from rewards_service.admin.browsers import browser_of
from rewards_service.admin.business import import_routes, source_routes, transaction_routes
from rewards_service.admin.connect import routes as connect_routes
from rewards_service.admin.inspect import (
    acting_routes,  # noqa: F401 - adds to the pages of events
    conflict_routes,  # noqa: F401 - adds to those of the workbench
    event_routes,
    queue_routes,
    unmatched_routes,
)
from rewards_service.admin.money import web as money
from rewards_service.admin.numbers import (
    files_routes,
    keys_routes,
    reports_routes,
    settings_routes,
    webhooks_routes,
)
from rewards_service.admin.partners import web as partners
from rewards_service.settings import Settings

BLUEPRINTS = (
    overview_routes.blueprint, setup_routes.blueprint, users_routes.blueprint,
    account_routes.blueprint, audit_routes.blueprint, search_routes.blueprint,
    oidc_routes.blueprint,
    *money.BLUEPRINTS, *partners.BLUEPRINTS,
    *import_routes.BLUEPRINTS, *source_routes.BLUEPRINTS, transaction_routes.blueprint,
    connect_routes.blueprint, event_routes.blueprint, unmatched_routes.blueprint,
    queue_routes.blueprint,
    files_routes.blueprint, keys_routes.blueprint, webhooks_routes.blueprint,
    reports_routes.blueprint, settings_routes.blueprint,
)  # fmt: skip


def init_app(app: Flask, settings: Settings) -> None:
    """Serve the pages on `app`, for those who sign in."""
    layout.init_app(app)
    app.jinja_env.globals.update(link_to=places.link_to, jumps=shortcuts.jumps)
    app.jinja_env.filters.update(tone=tones.tone_of, worded=tones.worded, browser=browser_of)
    security.init_app(app, settings)
    oidc_routes.init_app(app, settings)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    packed.init_app(app)
    guard.init_app(app)
