"""Books of a small shop: partners, leads, deals, and Chargebee events sent through the pipeline."""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, select, text
from sqlalchemy.event import contains, listen, remove
from sqlalchemy.orm import Session

from rewards_service.chargebee.wire import epoch
from rewards_service.crm.models import Deal, Lead
from rewards_service.inbox.recording import Delivery, Recorder
from rewards_service.integrations.models import Integration
from rewards_service.integrations.service import create_integration
from rewards_service.kit.db import Base, transaction
from rewards_service.kit.emails import strict_key
from rewards_service.partners.service import create_partner
from rewards_service.programs.service import create_program, create_rule
from rewards_service.rewards import jobs as rewards_jobs
from rewards_service.settings import Settings
from rewards_service.webhooks import jobs as events_jobs

NEW_YEAR = 1_767_225_600  # 2026-01-01T00:00:00Z
DAY = 86_400
REGISTERED = datetime(2025, 6, 1, tzinfo=UTC)
Event = dict[str, Any]


class Books:
    """One integration on "acme-test", all options on; a programme that pays 20 % of net."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self.engine = engine
        isolation: dict[str, Any] = (
            {"isolation_level": "AUTOCOMMIT"} if engine.dialect.name == "postgresql" else {}
        )
        self._door = create_engine(engine.url, **isolation)
        self._recorder = Recorder(self._door)
        with transaction(engine) as session:
            integration, _ = create_integration(session, settings, {"site": "acme-test"}, "test")
            self.integration_id = integration.id
            program = create_program(session, {"name": "Standard", "timezone": "UTC"}, "test")
            self.program_id = program.id
            rule = {"program_id": program.id, "name": "20 %", "kind": "percent", "rate": 200_000}
            create_rule(session, rule, "test")

    def close(self) -> None:
        self._door.dispose()
        if contains(self.engine, "connect", _without_keys):  # the next test has the same engine
            remove(self.engine, "connect", _without_keys)

    def add_partner(self, name: str) -> int:
        email = f"{name.lower()}@partner.example"
        wanted = {"name": name, "email": email, "status": "active", "external_id": f"p-{name}"}
        with transaction(self.engine) as session:
            return create_partner(session, wanted | {"program_ids": [self.program_id]}, "test").id

    def add_lead(self, partner_id: int | None, email: str, **members: Any) -> int:
        defaults = {"status": "accepted", "registered_at": REGISTERED}
        row = Lead(
            partner_id=partner_id, email=email, email_key=strict_key(email), **defaults | members
        )
        with transaction(self.engine) as session:
            session.add(row)
            session.flush()
            return row.id

    def add_deal(self, partner_id: int | None, email: str, **members: Any) -> int:
        defaults = {"name": "Deal", "stage": "open", "registered_at": REGISTERED}
        row = Deal(
            partner_id=partner_id,
            contact_email=email,
            email_key=strict_key(email),
            **defaults | members,
        )
        with transaction(self.engine) as session:
            session.add(row)
            session.flush()
            return row.id

    def send(self, events: Iterable[Event]) -> None:
        """Record deliveries as the webhook would, without acting on them."""
        with Session(self.engine) as session:
            query = select(Integration.version).where(Integration.id == self.integration_id)
            version = session.scalars(query).one()
        for event in events:
            body = json.dumps(event).encode()
            delivery = Delivery(
                event["id"],
                event["event_type"],
                epoch(event["occurred_at"]),
                body,
                sha256(body).digest(),
            )
            self._recorder.record(self.integration_id, version, delivery)

    def drain(self) -> None:
        events_jobs.drain(self.engine)
        rewards_jobs.drain(self.engine)

    def play(self, events: Iterable[Event], together: int = 1) -> None:
        """Send and handle events, so many of them in one batch."""
        waiting = list(events)
        for start in range(0, len(waiting), together):
            self.send(waiting[start : start + together])
            self.drain()

    def change(self, *statements: str) -> None:
        """Change rows behind the service's back, in one transaction."""
        with self.engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement))

    def unguard(self, *tables: str) -> None:
        """Take constraints and triggers off tables, as whoever owns the database could."""
        for table in tables:
            if self.engine.dialect.name == "postgresql":
                with self.engine.begin() as connection:
                    _unguard_postgresql(connection, table)
            else:
                self._unguard_sqlite(table)

    def _unguard_sqlite(self, table: str) -> None:
        driver: Any = self.engine.raw_connection()
        for statement in ("PRAGMA foreign_keys=OFF", *_unguarding_sqlite(table)):
            driver.cursor().execute(statement)
        driver.close()
        if not contains(self.engine, "connect", _without_keys):
            listen(self.engine, "connect", _without_keys)
        self.engine.dispose()

    @contextmanager
    def tampered(self, tables: Sequence[str], statements: Sequence[str]) -> Iterator[Session]:
        """What one sees after `unguard` and `change`; afterwards nothing of it has happened."""
        connection = self.engine.connect()
        try:
            self._tamper(connection, tables, statements)
            with Session(connection) as session:
                yield session
        finally:
            connection.rollback()
            connection.invalidate()
            connection.close()

    def _tamper(
        self, connection: Connection, tables: Sequence[str], statements: Sequence[str]
    ) -> None:
        on_postgresql = connection.dialect.name == "postgresql"
        if tables and not on_postgresql:
            driver: Any = connection.connection.dbapi_connection
            driver.execute("PRAGMA foreign_keys=OFF")  # is ignored once a transaction has begun
        for table in tables:
            if on_postgresql:
                _unguard_postgresql(connection, table)
            else:
                for statement in _unguarding_sqlite(table):
                    connection.exec_driver_sql(statement)
        for statement in statements:
            connection.execute(text(statement))
        if on_postgresql:
            connection.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))  # as a commit would


def _unguard_postgresql(connection: Connection, table: str) -> None:
    names = text(
        "SELECT conname FROM pg_constraint WHERE conrelid = CAST(:name AS regclass) "
        "AND contype <> 'n' AND contype <> 't'"
    )
    connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
    for name in connection.execute(names, {"name": table}).scalars().all():
        connection.execute(text(f'ALTER TABLE {table} DROP CONSTRAINT "{name}" CASCADE'))
    for index in Base.metadata.tables[table].indexes:
        connection.execute(text(f"DROP INDEX IF EXISTS {index.name}"))


def _unguarding_sqlite(table: str) -> tuple[str, ...]:
    return (
        "PRAGMA legacy_alter_table=ON",
        f"CREATE TABLE bare AS SELECT * FROM {table}",  # noqa: S608 - a name of ours
        f"DROP TABLE {table}",
        f"ALTER TABLE bare RENAME TO {table}",
        "PRAGMA legacy_alter_table=OFF",
    )


def _without_keys(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA foreign_keys=OFF")


def payment(
    number: int,
    amount: int = 4500,
    email: str | None = "ada@customer-one.example",
    customer: str = "c1",
    invoices: dict[str, int] | None = None,
    day: int = 0,
    **members: Any,
) -> Event:
    """payment_succeeded of transaction txn<number>, paying invoice inv<number> in full."""
    at = NEW_YEAR + day * DAY
    applied = {f"inv{number}": amount} if invoices is None else invoices
    transaction_ = {
        "id": f"txn{number}", "customer_id": customer, "type": "payment", "status": "success",
        "date": at, "amount": amount, "currency_code": "USD", "resource_version": at * 1000,
        "linked_invoices": [
            {"invoice_id": name, "applied_amount": part} for name, part in applied.items()
        ],
    }  # fmt: skip
    content = {
        "transaction": {**transaction_, **members},
        "invoice": invoice(next(iter(applied), f"inv{number}"), amount, customer, at),
        "customer": {"id": customer, "email": email, "resource_version": at * 1000},
    }
    return event("payment_succeeded", f"ev_pay{number}", at + 5, content)


def invoice(name: str, total: int, customer: str, at: int) -> Event:
    line = {"id": f"li_{name}", "amount": total, "entity_type": "plan_item_price"}
    return {
        "id": name, "customer_id": customer, "status": "paid", "currency_code": "USD",
        "total": total, "date": at, "resource_version": at * 1000, "line_items": [line],
    }  # fmt: skip


def refund(number: int, amount: int, of: int, customer: str = "c1", day: int = 10) -> Event:
    """payment_refunded: `amount` of txn<of> goes back."""
    at = NEW_YEAR + day * DAY
    transaction_ = {
        "id": f"rfn{number}", "customer_id": customer, "type": "refund", "status": "success",
        "date": at, "amount": amount, "currency_code": "USD", "resource_version": at * 1000,
        "refunded_txn_id": f"txn{of}",
    }  # fmt: skip
    content = {"transaction": transaction_, "customer": {"id": customer}}
    return event("payment_refunded", f"ev_ref{number}", at + 5, content)


def event(event_type: str, event_id: str, at: int, content: Event) -> Event:
    return {
        "id": event_id, "occurred_at": at, "object": "event", "api_version": "v2",
        "event_type": event_type, "content": content,
    }  # fmt: skip
