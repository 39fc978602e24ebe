"""Tampering with the audit log is found, and what was tampered with is named."""

from collections.abc import Sequence

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from rewards_service.audit.service import record
from rewards_service.kit import ids
from rewards_service.kit.db import transaction
from rewards_service.reports.audit_checks import INVARIANTS
from rewards_service.reports.findings import look

UNGUARD = {
    "postgresql": (
        "ALTER TABLE audit_entries DISABLE TRIGGER USER",
        "ALTER TABLE audit_head DISABLE TRIGGER USER",
    ),
    "sqlite": (
        "DROP TRIGGER append_only_audit_entries_update",
        "DROP TRIGGER append_only_audit_entries_delete",
        "DROP TRIGGER only_forward_update",
        "DROP TRIGGER only_forward_delete",
    ),
}
COPIED = "at, actor, action, subject_kind, subject_id, detail, reason, previous_hash, hash"


@pytest.fixture
def log(engine: Engine) -> Engine:
    """A database whose audit log has five entries."""
    for number in range(1, 6):
        with transaction(engine) as session:
            record(session, "partner.changed", ("partner", number), {"n": number}, "key:1", "x")
    return engine


def tamper(engine: Engine, *statements: str) -> None:
    with engine.begin() as connection:
        for statement in (*UNGUARD[engine.dialect.name], *statements):
            connection.execute(text(statement))


def named(engine: Engine) -> list[str]:
    with Session(engine) as session:
        return [violation["id"] for violation in look(session, INVARIANTS[0]).violations]


def public(*keys: int) -> list[str]:
    return [ids.encode("aud", key) for key in keys]


class TestAudit:
    def test_a_whole_chain_is_in_order(self, log: Engine) -> None:
        assert named(log) == []

    @pytest.mark.parametrize(
        ("statements", "keys"),
        [
            (["UPDATE audit_entries SET actor = 'key:2' WHERE id = 3"], [3]),
            (["UPDATE audit_entries SET reason = NULL WHERE id = 1"], [1]),
            (["UPDATE audit_entries SET detail = '{}' WHERE id = 5"], [5]),
            (["UPDATE audit_entries SET subject_id = 9 WHERE id IN (2, 4)"], [2, 4]),
            (["DELETE FROM audit_entries WHERE id = 2"], [2]),
            (["DELETE FROM audit_entries WHERE id = 1"], [1]),
            (["DELETE FROM audit_entries WHERE id IN (3, 4)"], [3, 4]),
            (["DELETE FROM audit_entries WHERE id >= 4"], [4, 5]),
            ([f"INSERT INTO audit_entries (id, {COPIED}) "
              f"SELECT 6, {COPIED} FROM audit_entries WHERE id = 5"], [6]),
            (["DELETE FROM audit_entries WHERE id = 3",
              f"INSERT INTO audit_entries (id, {COPIED}) "
              f"SELECT 3, {COPIED} FROM audit_entries WHERE id = 2"], [2, 3, 3]),
            (["UPDATE audit_entries SET hash = previous_hash WHERE id = 5"], [5, 5]),
            (["UPDATE audit_head SET last_id = 4"], [4, 5]),
            (["UPDATE audit_head SET hash = (SELECT hash FROM audit_entries WHERE id = 4)"], [5]),
            (["DELETE FROM audit_entries"], [1, 2, 3, 4, 5]),
        ],
    )  # fmt: skip
    def test_tampering_is_found_and_named(
        self, log: Engine, statements: Sequence[str], keys: Sequence[int]
    ) -> None:
        """reliability I17."""
        tamper(log, *statements)

        assert sorted(set(named(log))) == sorted(set(public(*keys)))

    def test_a_log_without_its_end_is_found(self, log: Engine) -> None:
        tamper(log, "DELETE FROM audit_head")

        assert named(log)[0] == "audit_head"

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE audit_entries SET actor = 'x'",
            "DELETE FROM audit_entries",
            "UPDATE audit_head SET last_id = last_id - 1",
            "UPDATE audit_head SET last_id = last_id",
            "DELETE FROM audit_head",
        ],
    )
    def test_the_database_itself_refuses(self, log: Engine, statement: str) -> None:
        with pytest.raises(IntegrityError, match="append-only"), log.begin() as connection:
            connection.execute(text(statement))
