"""What the tests of the log's parts have in common."""

from datetime import datetime
from typing import Any

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from rewards_service.audit.service import append
from rewards_service.kit import partitions
from rewards_service.kit.db import transaction
from rewards_service.reports.audit_checks import INVARIANTS
from rewards_service.reports.findings import look

TABLE = "audit_entries"
ALL = f"SELECT md5(string_agg(e::text, '|' ORDER BY id)) FROM {TABLE} e"  # noqa: S608


def entry(at: datetime, number: int = 1) -> dict[str, Any]:
    return {
        "at": at, "actor": "key:1", "action": "partner.changed", "subject_kind": "partner",
        "subject_id": number, "reason": "x", "detail": {"n": number},
    }  # fmt: skip


def add(engine: Engine, *times: datetime) -> None:
    with transaction(engine) as session:
        append(session, [entry(at, number) for number, at in enumerate(times)])


def broken(engine: Engine) -> list[dict[str, str]]:
    with Session(engine) as session:
        return look(session, INVARIANTS[0]).violations


def one(engine: Engine, query: str) -> Any:
    with engine.connect() as connection:
        return connection.execute(text(query)).scalar_one()


def held(engine: Engine) -> dict[str, bool]:
    with engine.connect() as connection:
        return partitions.names(connection, TABLE)
