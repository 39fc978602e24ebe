from collections.abc import Iterator
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, create_engine, inspect, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from rewards_service.kit import partitions
from rewards_service.kit.db import Base, transaction
from rewards_service.kit.migrate import downgrade, heads, upgrade
from rewards_service.rewards.models import LedgerEntry
from rewards_service.settings import Settings
from tests.payouts.appended import add_append_only_rows
from tests.reports.books import Books, payment

APPEND_ONLY = (
    "audit_entries", "chargebee_versions", "exchange_rates", "integration_options",
    "ledger_entries", "ledger_postings", "payout_export_members", "payout_exports",
    "payout_invoices", "payout_status_changes", "reward_rule_versions", "reward_status_changes",
)  # fmt: skip


def guards(engine: Engine) -> int:
    """Triggers and functions of ours in the database."""
    queries = {
        "sqlite": "SELECT count(*) FROM sqlite_master WHERE type = 'trigger'",
        "postgresql": "SELECT (SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal) + "
        "(SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace)",
    }
    with engine.connect() as connection:
        return int(connection.execute(text(queries[engine.dialect.name])).scalar_one())


@pytest.fixture
def shop(engine: Engine, settings: Settings) -> Iterator[Books]:
    """Books with a row in every append-only table."""
    books = Books(engine, settings)
    books.add_lead(books.add_partner("First"), "ada@customer-one.example")
    books.play([payment(1)])
    books.change(
        "INSERT INTO reward_status_changes (id, reward_id, from_status, to_status, actor, at) "
        "SELECT 1, id, 'pending', 'pending', 'test', created_at FROM rewards"
    )
    with transaction(engine) as session:
        add_append_only_rows(session)
    yield books
    books.close()


class TestUpgrade:
    # SQLAlchemy reads no index over an expression from SQLite; from PostgreSQL it does.
    @pytest.mark.filterwarnings(
        "ignore:Skipped unsupported reflection", "ignore:autogenerate skipping"
    )
    def test_the_schema_is_that_of_the_models(self, engine: Engine) -> None:
        with engine.connect() as connection:
            parts = {part.name for part in partitions.parts(connection)}
            options = {"compare_type": True, "include_name": lambda name, *_: name not in parts}
            context = MigrationContext.configure(connection, opts=options)
            differences: list[Any] = compare_metadata(context, Base.metadata)

        assert differences == []

    def test_down_and_up_again_comes_to_the_same(self, database_url: str) -> None:
        engine = create_engine(database_url)
        before = set(inspect(engine).get_table_names()), guards(engine)

        downgrade(database_url)
        assert set(inspect(engine).get_table_names()) == {"alembic_version"}
        assert guards(engine) == 0
        upgrade(database_url)

        assert (set(inspect(engine).get_table_names()), guards(engine)) == before
        engine.dispose()

    def test_one_step_down_takes_the_guards_only(self, database_url: str) -> None:
        engine = create_engine(database_url)
        downgrade(database_url, "0002")
        tables = set(inspect(engine).get_table_names())

        downgrade(database_url, "0001")
        assert (set(inspect(engine).get_table_names()), guards(engine)) == (tables, 0)
        upgrade(database_url)

        current, newest = heads(database_url)
        assert current == newest
        engine.dispose()


class TestGuards:
    @pytest.mark.parametrize("table", APPEND_ONLY)
    @pytest.mark.parametrize("statement", ["DELETE FROM {}", "UPDATE {} SET {} = {}"])
    def test_rows_of_the_books_are_never_changed(
        self, shop: Books, table: str, statement: str
    ) -> None:
        """DOMAIN V1."""
        column = next(iter(Base.metadata.tables[table].columns)).name
        with shop.engine.connect() as connection:
            rows = connection.execute(text(f"SELECT count(*) FROM {table}"))  # noqa: S608
            assert rows.scalar_one() > 0

        with pytest.raises(IntegrityError, match=f"{table} is append-only"):
            shop.change(statement.format(table, column, column))

    def test_an_entry_that_does_not_balance_is_refused_at_commit(self, shop: Books) -> None:
        """DOMAIN V8. SQLite has no check at commit: the service's own and `rewards check` hold."""
        if shop.engine.dialect.name != "postgresql":
            return
        side = "INSERT INTO ledger_postings VALUES (99, {}, 1, 'USD', {})"
        entry = (
            "INSERT INTO ledger_entries (id, reward_id, kind, amount_minor, posted_at) "
            "SELECT 99, id, 'adjust', 100, created_at FROM rewards"
        )
        expense, payable = side.format("'expense'", 100), side.format("'payable_pending'", -100)
        cases = (
            [entry],
            [entry, expense],
            [entry, expense, side.format("'payable_pending'", -99)],
            [entry, side.format("'payable_pending'", -100), side.format("'paid'", 100)],
        )
        for statements in cases:
            with pytest.raises(IntegrityError, match="does not balance"):
                shop.change(*statements)
        with Session(shop.engine) as session:
            assert session.get(LedgerEntry, 99) is None

        shop.change(entry, payable, expense)

        with pytest.raises(IntegrityError, match="does not balance"):
            shop.change(side.format("'paid'", 1))
