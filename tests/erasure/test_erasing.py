"""A person is forgotten: nothing names them any more, and not a cent of the books has moved."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine, LargeBinary, select, text, update
from sqlalchemy.orm import Session

from rewards_service.audit.models import AuditEntry
from rewards_service.crm.models import Customer, Lead
from rewards_service.inbox.models import ReceivedEvent
from rewards_service.kit.db import Base, transaction
from rewards_service.replay.service import replay
from rewards_service.retention.erasing import StillOwner, erase
from rewards_service.retention.unguarded import unguarded
from rewards_service.settings import Settings
from tests.admin.visitor import PASSWORD, Visitor
from tests.builders.api import Caller
from tests.builders.chargebee import customer, event, paid, refunded
from tests.builders.whole import violations
from tests.builders.world import World

ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
EMAIL, FIRST, LAST = "Ada.Lovelace@Buyer.example", "Ada", "Lovelace"
NAMES = (EMAIL.lower(), "ada lovelace", "lovelace")
BILLING = {"first_name": FIRST, "last_name": LAST, "line1": "12 St James's Square, Lovelace House",
           "city": "London", "country": "GB", "email": EMAIL.upper()}  # fmt: skip


def whole(event: dict[str, Any]) -> dict[str, Any]:
    """An event that says of the payer all that Chargebee says."""
    person = {"first_name": FIRST, "last_name": LAST, "phone": "+44 20", "billing_address": BILLING,
              "meta_data": {"owner": f"{FIRST} {LAST}"}, "cf_note": f"ask {EMAIL}"}  # fmt: skip
    event["content"].get("customer", {}).update(person)
    if "invoice" in event["content"]:
        event["content"]["invoice"]["billing_address"] = BILLING
    return event


def every_text(engine: Engine) -> Iterator[tuple[str, str]]:
    """(table.column, value in lower case) of every text and every bytes of a database."""
    with engine.connect() as connection:
        for table in Base.metadata.sorted_tables:
            for row in connection.execute(select(table)):
                for column in table.columns:
                    value = getattr(row, column.name)
                    if isinstance(column.type, LargeBinary) and value is not None:
                        value = bytes(value).decode(errors="replace")
                    if isinstance(value, dict | list):
                        value = json.dumps(value, ensure_ascii=False)
                    if isinstance(value, str):
                        yield f"{table.name}.{column.name}", value.lower()


def money(engine: Engine) -> dict[str, Any]:
    """Every row of the tables of money, but for texts of people."""
    tables = ("ledger_entries", "ledger_postings", "rewards", "payouts", "payout_lines",
              "transactions", "reward_months", "reward_status_changes")  # fmt: skip
    with engine.connect() as connection:
        return {
            name: [
                tuple(value for key, value in row._asdict().items() if key not in TEXTS)
                for row in connection.execute(
                    select(Base.metadata.tables[name]).order_by(text("1"))
                )
            ]
            for name in tables
        }


TEXTS = ("reason", "explanation", "effect")


@pytest.fixture
def business(world: World, api: Caller) -> World:
    """A lead, a deal and a customer of hers, payments, a refund, decisions that name her."""
    partner, other = world.partner(), world.partner("Bob")
    world.lead(EMAIL, partner)
    world.lead("grace@buyer.example", other)
    lead = api.get("/leads", email=EMAIL)["data"][0]
    api.change(f"/leads/{lead['id']}", first_name=FIRST, last_name=LAST, company="Lovelace Ltd")
    api.create("/deals", name="Lovelace renewal", contact_email=EMAIL,
               registered_at="2020-01-01T00:00:00Z")  # fmt: skip
    world.receive(whole(paid("1", "cb_ada", EMAIL)), whole(paid("2", "cb_ada", EMAIL, day=1)))
    world.receive(paid("g", "cb_grace", "grace@buyer.example", day=1))
    world.receive(refunded("r", "txn_2", 5_000, day=2))
    changed = whole(event("ev_c", "customer_changed", 3, customer=customer("cb_ada", EMAIL, 3)))
    world.receive(changed)
    world.receive(whole(paid("stranger", "cb_new", EMAIL.lower(), day=4)))
    reward = api.get("/rewards")["data"][0]["id"]
    why = {"reason": f"{FIRST} {LAST} <{EMAIL}> asked"}
    assert api.call("POST", f"/rewards/{reward}/hold", json=why).status_code == 200
    given = {"amount_minor": 5, **why}
    assert api.call("POST", f"/rewards/{reward}/adjust", json=given).status_code in (200, 201)
    found = api.get("/customers", email=EMAIL)["data"][0]["id"]
    api.change(f"/customers/{found}", source_partner_id=None, **why)
    key = {"Idempotency-Key": "one"}
    body = {"name": "Lovelace again", "contact_email": EMAIL}
    assert api.call("POST", "/deals", json=body, headers=key).status_code == 201
    return world


class TestErase:
    def test_nothing_holds_address_or_name_and_the_books_are_whole(
        self, business: World, engine: Engine, settings: Settings
    ) -> None:
        held = {place for place, value in every_text(engine) if any(n in value for n in NAMES)}
        assert {"leads.email", "deals.name", "customers.name", "received_events.body",
                "chargebee_versions.body", "chargebee_customers.email", "payment_claims.email",
                "audit_entries.reason", "ledger_entries.reason"} <= held  # fmt: skip
        before = money(engine)

        done = erase(engine, settings, EMAIL, reason=f"request of {EMAIL}")

        assert done.left == []
        assert [
            (place, value[:300]) for place, value in every_text(engine)
            if any(name in value for name in NAMES)
        ] == []  # fmt: skip
        assert money(engine) == before
        assert violations(engine) == {}
        with Session(engine) as session:
            others = session.scalars(select(Lead.email).where(Lead.email.contains("grace"))).all()
        assert others == ["grace@buyer.example"]

    @ON_SQLITE
    def test_a_dry_run_counts_and_keeps_everything(
        self, business: World, engine: Engine, settings: Settings
    ) -> None:
        before = sorted(every_text(engine))

        done = erase(engine, settings, EMAIL, dry_run=True)

        assert done.changed["leads"] == 1
        assert done.changed["customers"] >= 1
        assert done.changed["chargebee_versions"] >= 3
        assert sorted(every_text(engine)) == before

    @ON_SQLITE
    def test_what_comes_later_still_finds_its_place(
        self, business: World, engine: Engine, settings: Settings
    ) -> None:
        """A payment of the same Chargebee customer, and the whole log once more."""
        with Session(engine) as session:
            customers = session.scalars(select(Customer.id)).all()
        erase(engine, settings, EMAIL)
        assert business.site.post(whole(paid("1", "cb_ada", EMAIL))).get_json()["status"] == (
            "duplicate"
        )
        business.receive(refunded("r2", "txn_1", 1_000, day=6))
        business.receive(paid("7", "cb_ada", "new@buyer.example", day=7))

        with Session(engine) as session:
            assert set(session.scalars(select(Customer.id))) == set(customers)
        assert violations(engine) == {}

    @ON_SQLITE
    def test_twice_is_once(self, business: World, engine: Engine, settings: Settings) -> None:
        first = erase(engine, settings, EMAIL)
        again = erase(engine, settings, EMAIL)

        assert first.pseudonym == again.pseudonym
        assert not {"leads", "customers", "received_events"} & set(again.changed)
        assert violations(engine) == {}

    @ON_SQLITE
    def test_the_whole_log_replays_to_the_same(
        self, world: World, engine: Engine, settings: Settings
    ) -> None:
        world.lead(EMAIL, world.partner())
        world.receive(whole(paid("1", "cb_ada", EMAIL)), refunded("r", "txn_1", 5_000, day=2))
        erase(engine, settings, EMAIL)

        outcome = replay(engine)

        assert (outcome.ok, outcome.rewards) == (True, 1), outcome.differences


@ON_SQLITE
class TestChain:
    def test_a_text_that_was_changed_after_that_is_found(
        self, business: World, engine: Engine, settings: Settings
    ) -> None:
        erase(engine, settings, EMAIL)
        with transaction(engine) as session:
            redacted = AuditEntry.reason.contains("(erased)") & (
                AuditEntry.action != "person.erased"
            )
            with unguarded(session, Base.metadata.tables["audit_entries"]):
                session.execute(update(AuditEntry).where(redacted).values(reason="for nothing"))

        assert "audit" in violations(engine)

    def test_the_guards_stand_again(
        self, business: World, engine: Engine, settings: Settings
    ) -> None:
        triggers = text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name")
        with engine.connect() as connection:
            before = connection.execute(triggers).all()
        erase(engine, settings, EMAIL)

        with engine.connect() as connection:
            assert connection.execute(triggers).all() == before


@ON_SQLITE
class TestPeople:
    def test_who_signs_in_is_closed_out_and_a_partner_has_no_account_any_more(
        self, engine: Engine, settings: Settings, api: Caller, app: Flask
    ) -> None:
        from rewards_service.accounts import users

        with transaction(engine) as session:
            users.create_user(session, settings, "boss@house.example", "owner", PASSWORD)
        with pytest.raises(StillOwner):
            erase(engine, settings, "boss@house.example")
        with transaction(engine) as session:
            users.create_user(session, settings, EMAIL, "viewer", PASSWORD)
        person = Visitor(app, settings)
        person.sign_in(EMAIL)
        partner = api.create("/partners", name=f"{FIRST} {LAST}", email=EMAIL)["id"]
        key = api.make_key(["partners:read"], partner)

        done = erase(engine, settings, EMAIL)

        assert (done.changed["users"], done.changed["partners"], done.left) == (1, 1, [])
        assert not person.is_signed_in()
        assert api.call("GET", "/me", key=key).status_code == 401
        assert not [one for one in every_text(engine) if any(name in one[1] for name in NAMES)]

    def test_who_is_not_known_changes_nothing(self, engine: Engine, settings: Settings) -> None:
        assert not erase(engine, settings, "nobody@nowhere.example").changed


@ON_SQLITE
def test_an_event_that_waits_is_handled_afterwards(
    world: World, engine: Engine, settings: Settings
) -> None:
    world.lead(EMAIL, world.partner())
    world.accept(whole(paid("1", "cb_ada", EMAIL)))
    erase(engine, settings, EMAIL)
    world.drain()

    assert world.all(ReceivedEvent)[0].outcome == "transaction_recorded"
    assert not [one for one in every_text(engine) if any(name in one[1] for name in NAMES)]
