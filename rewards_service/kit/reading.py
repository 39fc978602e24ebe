"""Transactions that only read, and that PostgreSQL sees to that they do.

They end with COMMIT, also where a session is merely closed: with every ROLLBACK psycopg forgets the
statements that the server has planned, and each request would have all of them planned anew.
"""

from contextlib import suppress
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy import Engine, event
from sqlalchemy.engine import Connection

from rewards_service.kit.db import READ_ONLY

_ENFORCED = "postgresql_readonly"
# Execution options of the connection of such a transaction.
READS: dict[str, Any] = {READ_ONLY: True, _ENFORCED: True}


@event.listens_for(Engine, "rollback")
def _commit_instead(connection: Connection) -> None:
    if connection.invalidated or not connection.get_execution_options().get(_ENFORCED):
        return
    driver = connection.connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        return
    if driver.info.transaction_status == TransactionStatus.INTRANS:
        with suppress(psycopg.Error):  # of a connection that is lost: rolling back will find out
            driver.commit()
