"""The chain of the audit log, as it is written."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from rewards_service.audit.chain import GENESIS, Sealed, seal
from rewards_service.audit.models import AuditEntry, AuditHead
from rewards_service.audit.service import record
from rewards_service.kit.db import rehearsal, transaction
from rewards_service.partners.models import Partner

SUBJECT = ("partner", 7)


def add(engine: Engine, *actions: str) -> None:
    with transaction(engine) as session:
        for action in actions:
            record(session, action, SUBJECT, {"n": 1}, "key:1", "because")


def entries(engine: Engine) -> list[AuditEntry]:
    with Session(engine, expire_on_commit=False) as session:
        return list(session.scalars(select(AuditEntry).order_by(AuditEntry.id)))


def actions(engine: Engine) -> list[str]:
    return [entry.action for entry in entries(engine)]


class TestRecord:
    def test_each_entry_seals_itself_and_the_one_before(self, engine: Engine) -> None:
        """reliability I17."""
        add(engine, "a", "b")
        add(engine, "c")
        found = entries(engine)

        assert [entry.id for entry in found] == [1, 2, 3]
        previous = GENESIS
        for entry in found:
            sealed = Sealed(*(getattr(entry, name) for name in Sealed._fields))
            assert entry.previous_hash == previous
            assert entry.hash == seal(previous, sealed)
            previous = entry.hash
        with Session(engine) as session:
            head = session.scalars(select(AuditHead)).one()
            assert (head.last_id, head.hash) == (3, previous)

    def test_keeps_who_and_why(self, engine: Engine) -> None:
        add(engine, "a")
        entry = entries(engine)[0]

        assert (entry.actor, entry.reason) == ("key:1", "because")
        assert (entry.subject_kind, entry.subject_id) == SUBJECT

    def test_many_entries_of_a_batch_are_one_chain(self, engine: Engine) -> None:
        add(engine, *(f"a{number}" for number in range(50)))

        assert actions(engine) == [f"a{number}" for number in range(50)]

    def test_vanishes_with_the_change_it_is_about(self, engine: Engine) -> None:
        def fail() -> None:
            with transaction(engine) as session:
                record(session, "a", SUBJECT, {})
                raise ConnectionError

        with pytest.raises(ConnectionError):
            fail()
        with Session(engine) as session:
            record(session, "b", SUBJECT, {})
            session.rollback()
            session.commit()
            record(session, "c", SUBJECT, {})
            session.close()
            session.commit()

        assert actions(engine) == []

    def test_vanishes_with_the_savepoint_it_was_recorded_in(self, engine: Engine) -> None:
        with transaction(engine) as session:
            record(session, "kept", SUBJECT, {})
            outer = session.begin_nested()
            with session.begin_nested():
                record(session, "deep", SUBJECT, {})
            outer.rollback()
            with session.begin_nested():
                record(session, "released", SUBJECT, {})

        assert actions(engine) == ["kept", "released"]

    def test_writers_at_once_make_one_chain_and_no_deadlock(self, engine: Engine) -> None:
        def write(number: int) -> None:
            with transaction(engine) as session:
                record(session, f"first {number}", SUBJECT, {})
                session.add(Partner(name="A", email=f"{number}@x.example", status="active"))
                session.flush()
                record(session, f"second {number}", SUBJECT, {})

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(write, range(12)))
        found = entries(engine)

        assert [entry.id for entry in found] == list(range(1, 25))
        assert all(after.previous_hash == before.hash for before, after in pairwise(found))

    def test_a_detail_that_json_spells_in_its_own_way_is_sealed_as_stored(
        self, engine: Engine
    ) -> None:
        with transaction(engine) as session:
            record(session, "a", SUBJECT, {"pair": (1, 2), "z": None, "a": "ü"})
        entry = entries(engine)[0]
        sealed = Sealed(*(getattr(entry, name) for name in Sealed._fields))

        assert entry.detail == {"pair": [1, 2], "z": None, "a": "ü"}
        assert entry.hash == seal(GENESIS, sealed)


class TestRehearsal:
    def test_nothing_of_it_stays(self, engine: Engine) -> None:
        with transaction(engine) as session:
            partner = Partner(name="Ann", email="a@x.example", status="active")
            session.add(partner)
            with rehearsal(session):
                partner.name = "Bob"
                session.add(Partner(name="Cid", email="c@x.example", status="active"))
                record(session, "rehearsed", SUBJECT, {})
                session.flush()
                assert len(session.scalars(select(Partner)).all()) == 2
            assert partner.name == "Ann"
            record(session, "real", SUBJECT, {})
        with Session(engine) as session:
            assert session.scalars(select(Partner.name)).all() == ["Ann"]

        assert actions(engine) == ["real"]

    def test_undoes_also_what_failed(self, engine: Engine) -> None:
        def fail(session: Session) -> None:
            with rehearsal(session):
                session.add(Partner(name="Cid", email="c@x.example", status="active"))
                session.flush()
                raise ConnectionError

        with transaction(engine) as session:
            with pytest.raises(ConnectionError):
                fail(session)
            assert session.scalars(select(Partner)).all() == []
