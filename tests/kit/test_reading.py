"""Transactions that only read."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from rewards_service.kit.reading import READS

ASKED = "SELECT count(*) FROM partners WHERE id > :least"
OFTEN = 8  # more than it takes until psycopg has a statement kept by the server


@pytest.fixture
def one_connection(database_url: str) -> Iterator[Engine]:
    engine = create_engine(database_url, pool_size=1, max_overflow=0)
    yield engine
    engine.dispose()


def ask(engine: Engine) -> None:
    with Session(engine) as session:
        session.connection(execution_options=READS)
        session.execute(text(ASKED), {"least": 0}).all()


only_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


class TestReads:
    def test_they_end_and_leave_nothing_behind(self, one_connection: Engine) -> None:
        ask(one_connection)

        with one_connection.begin() as connection:
            connection.execute(text("DELETE FROM partners"))

    @only_postgresql
    def test_the_next_one_finds_its_statements_planned(self, one_connection: Engine) -> None:
        for _ in range(OFTEN):
            ask(one_connection)

        with one_connection.connect() as connection:
            kept = connection.scalars(text("SELECT statement FROM pg_prepared_statements"))
            assert [statement for statement in kept if "FROM partners" in statement] != []

    @only_postgresql
    def test_nothing_can_be_written_in_them(self, one_connection: Engine) -> None:
        with Session(one_connection) as session:
            session.connection(execution_options=READS)
            with pytest.raises(DBAPIError, match="read-only transaction"):
                session.execute(text("DELETE FROM partners"))

        ask(one_connection)

    @only_postgresql
    def test_that_a_connection_is_lost_is_found_out_as_ever(self, one_connection: Engine) -> None:
        with Session(one_connection) as session:
            session.connection(execution_options=READS)
            with pytest.raises(DBAPIError):
                session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

        ask(one_connection)
