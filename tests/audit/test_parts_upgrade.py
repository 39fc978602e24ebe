"""A log that is there becomes one of parts while the service goes on."""

import threading
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import DBAPIError

from rewards_service.audit.chain import Sealed, seal
from rewards_service.kit.migrate import downgrade, upgrade
from tests.audit.log import ALL, TABLE, add, broken, entry, held, one

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


class TestUpgrade:
    def test_a_filled_log_is_kept_while_writers_and_a_reader_go_on(self, database_url: str) -> None:
        """The exchange neither loses an entry nor makes writers wait for who reads for long."""
        engine = create_engine(database_url)
        add(engine, *(datetime.now(UTC) for _ in range(300)))
        downgrade(database_url, "0022")
        before = one(engine, ALL)
        assert one(engine, f"SELECT relkind = 'r' FROM pg_class WHERE relname = '{TABLE}'")  # noqa: S608
        done, written, enough = threading.Event(), [], threading.Event()
        problems: list[BaseException] = []

        def write() -> None:
            try:
                while not done.is_set():
                    written.append(write_as_before(engine))
                    if len(written) > 100:
                        enough.set()
            except DBAPIError as problem:
                problems.append(problem)

        with engine.connect() as reader:

            def leave() -> None:
                enough.wait(60)
                reader.rollback()

            reader.execute(text(f"SELECT count(*) FROM {TABLE}"))  # noqa: S608
            writer = threading.Thread(target=write)
            writer.start()
            # Only when many more entries were written does the reader make room.
            leaver = threading.Thread(target=leave)
            leaver.start()
            upgrade(database_url)
            leaver.join()
        done.set()
        writer.join()

        assert problems == []
        assert enough.is_set()
        assert one(engine, f"SELECT count(*) FROM {TABLE}") == 300 + len(written)  # noqa: S608
        assert one(engine, f"{ALL} WHERE id <= 300") == before
        add(engine, datetime.now(UTC))
        assert broken(engine) == []
        engine.dispose()

    def test_it_goes_on_where_it_was_cut_off(self, database_url: str) -> None:
        engine = create_engine(database_url)
        add(engine, datetime.now(UTC))
        downgrade(database_url, "0022")
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(f"CREATE UNIQUE INDEX uq_{TABLE}_id_at ON {TABLE} (id, at)"))
            connection.execute(
                text(
                    f"ALTER TABLE {TABLE} ADD CONSTRAINT ck_{TABLE}_before CHECK (id > 0) NOT VALID"
                )
            )

        upgrade(database_url)
        downgrade(database_url, "0023")
        with engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = '0022'"))
        upgrade(database_url)

        assert len(held(engine)) == 5
        assert broken(engine) == []
        engine.dispose()


def write_as_before(engine: Engine) -> int:
    """An entry as a process of the version before writes it: it knows of no parts."""
    now = datetime.now(UTC)
    with engine.begin() as connection:
        last, link = connection.execute(
            text("SELECT last_id, hash FROM audit_head FOR UPDATE")
        ).one()
        row = entry(now)
        hashed = seal(link, Sealed(id=last + 1, **row))
        values = row | {"id": last + 1, "detail": '{"n":1}', "before": link, "hash": hashed}
        connection.execute(
            text(
                f"INSERT INTO {TABLE} VALUES (:id, :at, :actor, :action, :subject_kind, "  # noqa: S608
                ":subject_id, :detail, :reason, :before, :hash)"
            ),
            values,
        )
        connection.execute(text("UPDATE audit_head SET last_id = :id, hash = :hash"), values)
    return int(last) + 1
