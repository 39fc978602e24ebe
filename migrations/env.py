"""Alembic's way into the service: the url comes from the caller, the tables from the models."""

import importlib

from alembic import context
from sqlalchemy import create_engine, pool

from rewards_service.kit.db import Base

PACKAGES = (
    "audit", "accounts", "properties", "integrations", "partners", "inbox", "crm", "mirror",
    "programs", "transactions", "rewards", "payouts", "reconciliation", "history", "exports",
    "outbound",
)  # fmt: skip
for package in PACKAGES:
    importlib.import_module(f"rewards_service.{package}.models")
importlib.import_module("rewards_service.accounts.user_models")
importlib.import_module("rewards_service.kit.repeats")
importlib.import_module("rewards_service.mirror.kinds")  # whose tables are in several modules


def run() -> None:
    engine = create_engine(context.config.attributes["database_url"], poolclass=pool.NullPool)
    with engine.connect() as connection:
        context.configure(
            connection=connection, target_metadata=Base.metadata, render_as_batch=False
        )
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


run()
