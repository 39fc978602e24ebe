"""Alembic's way into the service: the url comes from the caller, the tables from the models."""

import importlib
import time

from alembic import context
from sqlalchemy import Connection, create_engine, pool, text

from rewards_service.kit.connecting import connect_args
from rewards_service.kit.db import Base

PACKAGES = (
    "audit", "accounts", "properties", "integrations", "partners", "inbox", "crm", "mirror",
    "programs", "transactions", "rewards", "payouts", "reconciliation", "history", "exports",
    "outbound", "retention",
)  # fmt: skip
for package in PACKAGES:
    importlib.import_module(f"rewards_service.{package}.models")
importlib.import_module("rewards_service.accounts.user_models")
importlib.import_module("rewards_service.kit.repeats")
importlib.import_module("rewards_service.mirror.kinds")  # whose tables are in several modules


# Whoever waits for a table makes all later writers wait behind him: not for longer than this.
LOCK_TIMEOUT_MS = 3_000


def run() -> None:
    url = context.config.attributes["database_url"]
    # A role may have a limit for its statements; here the lock is what is limited.
    limits = {"lock_timeout": LOCK_TIMEOUT_MS, "statement_timeout": 0}
    engine = create_engine(url, poolclass=pool.NullPool, connect_args=connect_args(url, **limits))
    with engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            _be_the_only_one(connection)
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            render_as_batch=False,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


def _be_the_only_one(connection: Connection) -> None:
    """Hold the migrations' lock until this connection ends; ask again while another holds it.

    To wait inside PostgreSQL would keep a snapshot open, for which the other one's indexes wait.
    """
    ask = text("SELECT pg_try_advisory_lock(hashtext('rewards_service:migrate'))")
    while not connection.execute(ask).scalar_one():
        connection.rollback()
        time.sleep(0.2)
    connection.commit()


run()
