"""The application: settings in, a WSGI application with every route out."""

from inspect import iscoroutinefunction

from flask import Flask

from rewards_service import __version__
from rewards_service.accounts import auth
from rewards_service.accounts import routes as accounts
from rewards_service.admin import web as admin
from rewards_service.audit import routes as audit
from rewards_service.connections import routes as connections
from rewards_service.crm import import_routes
from rewards_service.exports import routes as exports
from rewards_service.history import routes as history
from rewards_service.integrations import routes as integrations
from rewards_service.kit import documented, web, webapp
from rewards_service.kit.connecting import IDLE_IN_TRANSACTION_MS, connect_args
from rewards_service.kit.db import db
from rewards_service.openapi import routes as docs
from rewards_service.openapi.document import finisher
from rewards_service.outbound import routes as outbound
from rewards_service.partners import routes as partners
from rewards_service.payouts import routes as payouts
from rewards_service.payouts import schedule_routes
from rewards_service.polling import routes as polling
from rewards_service.programs import routes as programs
from rewards_service.programs.rule_schemas import country_codes
from rewards_service.reconciliation import routes as reconciliation
from rewards_service.reports import ops_routes, report_routes
from rewards_service.retention import models as retention_models  # noqa: F401 - its table
from rewards_service.rewards import preview_routes, why_routes
from rewards_service.rewards import routes as rewards
from rewards_service.settings import Settings
from rewards_service.transactions import routes as transactions
from rewards_service.webhooks import conflict_routes, trial_routes
from rewards_service.webhooks import routes as webhooks
from rewards_service.webhooks import workbench_routes as workbench

RESOURCES = (
    integrations.blueprint, connections.blueprint, polling.blueprint, history.blueprint,
    programs.programs, programs.rules,
    preview_routes.blueprint, partners.blueprint,
    *import_routes.BLUEPRINTS, *workbench.BLUEPRINTS,
    transactions.blueprint, why_routes.blueprint, rewards.blueprint,
    payouts.blueprint, schedule_routes.blueprint,
    conflict_routes.blueprint, accounts.keys, accounts.me,
    audit.blueprint, reconciliation.blueprint, report_routes.blueprint, exports.blueprint,
    trial_routes.blueprint, outbound.blueprint,
)  # fmt: skip


def create_app(settings: Settings) -> Flask:
    """A Flask application on the database of `settings`, which must be migrated already."""
    app = webapp.WebApp("rewards_service", static_folder=None)
    app.config["SQLALCHEMY_ENGINES"] = {"default": _engine_options(settings.database_url)}
    app.json.sort_keys = False  # type: ignore[attr-defined]
    db.init_app(app)
    _without_async_teardown(app)
    web.init_app(app, settings)
    auth.init_app(app, settings)
    api = documented.make_api(app, __version__, finisher(sorted(country_codes())))
    for resource in RESOURCES:
        api.register_blueprint(resource)
    app.register_blueprint(docs.blueprint)
    app.register_blueprint(ops_routes.blueprint)
    ops_routes.init_app(app)
    admin.init_app(app, settings)
    webhooks.init_app(app)
    return app


def _without_async_teardown(app: Flask) -> None:
    """Leave out the closing of async sessions, which we never open.

    Flask would start a thread for it at the end of every request: twice the cost of the rest.
    """
    app.teardown_appcontext_funcs = [
        function for function in app.teardown_appcontext_funcs if not iscoroutinefunction(function)
    ]


def _engine_options(url: str) -> dict[str, object]:
    # Errors of the database are logged: without the values, which are other people's.
    options: dict[str, object] = {"url": url, "hide_parameters": True}
    if url.startswith("sqlite"):
        return options
    # A connection that died while it lay in the pool is found out before a request gets it.
    asked = connect_args(url, idle_in_transaction_session_timeout=IDLE_IN_TRANSACTION_MS)
    return {**options, "pool_pre_ping": True, "pool_timeout": 5, "connect_args": asked}
