"""Small notes to the database that nobody waits for."""

from typing import Any

from sqlalchemy import Engine, Update
from sqlalchemy.exc import SQLAlchemyError


def note(engine: Engine, statement: Update) -> None:
    """Do this in a transaction of its own, or let it be.

    Nobody waits for it: where the row or SQLite's write lock is taken, the next time will say so.
    """
    try:
        with engine.connect() as connection:
            driver: Any = connection.connection.dbapi_connection
            if connection.dialect.name == "sqlite":
                driver.execute("PRAGMA busy_timeout=50")
            try:
                with connection.begin():
                    if connection.dialect.name == "postgresql":
                        connection.exec_driver_sql("SET LOCAL lock_timeout = '50ms'")
                    connection.execute(statement)
            finally:
                if connection.dialect.name == "sqlite":
                    driver.execute("PRAGMA busy_timeout=15000")
    except SQLAlchemyError:
        return
