"""What a payment almost matched: suggested to people, never acted on."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from rewards_service.crm.models import Customer, Deal, Lead
from rewards_service.crm.near_misses import LIMIT, NearMiss, near_misses
from rewards_service.kit.emails import loose_key, strict_key
from tests.builders.api import Caller
from tests.builders.chargebee import at, paid
from tests.builders.world import World
from tests.webhooks.deciding import event_path, public

ADA = "ada.byron@engine.example"


def lead(world: World, email: str, **members: object) -> int:
    values = {"status": "accepted", "registered_at": at(-9), **members}
    return world.add(
        Lead(email=email, email_key=strict_key(email), loose_key=loose_key(email), **values)
    )


@pytest.fixture
def statements(engine: Engine) -> Iterator[list[str]]:
    found: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_others: object) -> None:
        found.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield found
    event.remove(engine, "before_cursor_execute", note)


def why(found: list[NearMiss]) -> dict[int, tuple[str, ...]]:
    return {one.thing.id: one.why for one in found}


class TestNearMisses:
    def test_likenesses_of_a_lead(self, world: World, session: Session) -> None:
        """DOMAIN E4, M7: loose key, domain, a typing error, and why an equal one was not."""
        wanted = {
            lead(world, "ada.byron+shop@engine.example"): ("same_loose_key", "same_domain"),
            lead(world, "charles@engine.example"): ("same_domain",),
            lead(world, "adabyron@engine.example"): ("typing_error", "same_domain"),
            lead(world, "ada.bryon@engine.example"): ("typing_error", "same_domain"),
            lead(world, "ada.byron@engin.example"): ("typing_error",),
            lead(world, "ada.byrön@engine.example"): ("typing_error", "same_domain"),
            lead(world, ADA, registered_at=at(5)): (
                "same_email", "same_loose_key", "same_domain", "registered_later"),
            lead(world, ADA, status="lost"): (
                "same_email", "same_loose_key", "same_domain", "lost"),
        }  # fmt: skip
        lead(world, "ada.byrno@engin.example")
        found = near_misses(session, strict_key(ADA), at(0), None)

        assert why(found.leads) == wanted
        assert found.leads[0].why[0] == "same_email"
        assert found.leads[-1].why == ("same_domain",)

    def test_a_domain_where_anybody_has_an_address_says_nothing(
        self, world: World, session: Session
    ) -> None:
        """DOMAIN S6, E4: Gmail's dots do."""
        lead(world, "somebody@gmail.com")
        dotted = lead(world, "a.d.a@googlemail.com")

        found = near_misses(session, "ada@gmail.com", at(0), None)

        assert why(found.leads) == {dotted: ("same_loose_key",)}

    def test_deals_and_customers(self, world: World, session: Session) -> None:
        """DOMAIN M7: lost and archived deals are near-misses only."""
        archived = world.deal(ADA, stage="archived")
        person = world.person("ada.byron@engine.exampl")
        gone = world.person(ADA)
        world.get(Deal, archived)
        row = session.get_one(Customer, gone)
        row.withdrawn_at = at(0)
        session.commit()
        found = near_misses(session, ADA, at(0), None)

        assert why(found.deals) == {archived: ("same_email", "same_domain", "archived")}
        assert why(found.customers) == {person: ("typing_error",)}

    def test_not_more_than_a_person_can_look_through(self, world: World, session: Session) -> None:
        session.add_all(
            Lead(email=f"x{number}@engine.example", email_key=f"x{number}@engine.example",
                 status="accepted")
            for number in range(LIMIT + 5)
        )  # fmt: skip
        session.commit()
        best = lead(world, "ada.byro@engine.example")
        found = near_misses(session, ADA, at(0), None)

        assert len(found.leads) == LIMIT
        assert found.leads[0].thing.id == best

    def test_it_goes_by_indexes(
        self, world: World, session: Session, statements: list[str]
    ) -> None:
        """However many leads there are: a few statements, each by an indexed column."""
        lead(world, ADA)
        session.connection()
        statements.clear()
        near_misses(session, ADA, at(0), None)

        assert len(statements) <= 14
        for table in ("leads", "deals", "customers"):
            about = [one for one in statements if f"FROM {table}" in one]
            assert all(" WHERE " in one.replace("\n", " ") for one in about)


class TestRoute:
    def test_it_says_what_can_be_attached(self, world: World, api: Caller) -> None:
        """DOMAIN M7, M11."""
        free = lead(world, "ada+1@engine.example")
        taken = lead(world, "ada+2@engine.example")
        lead(world, "zoe@else.example")
        world.receive(
            paid("p", "cb_1", "ada+2@engine.example"), paid("q", "cb_2", "ada@engine.example")
        )
        shown = api.get(event_path(world, "ev_q", "/near-misses"))

        assert shown["customer_id"] is None
        attachable = {row["id"]: row["attachable"] for row in shown["leads"]}
        assert attachable == {public("led", free): True, public("led", taken): False}
        assert [row["why"][-1] for row in shown["customers"]] == ["has_chargebee_id"]
        known = api.get(event_path(world, "ev_p", "/near-misses"))
        assert known["customer_id"] == public("cus", world.customer_of("cb_1").id)
        assert not any(row["attachable"] for row in known["leads"])

    def test_also_of_an_observed_payment_and_of_no_payment(self, world: World, api: Caller) -> None:
        free = lead(world, "ada+1@engine.example")
        world.switch(mode="observe")
        world.receive(paid("p", "cb_1", "ada@engine.example"))
        world.switch(mode="off")
        world.receive({**paid("q", "cb_1", None), "event_type": "plan_created"})

        shown = api.get(event_path(world, "ev_p", "/near-misses"))
        assert [(row["id"], row["attachable"]) for row in shown["leads"]] == [
            (public("led", free), False)
        ]
        assert api.get(event_path(world, "ev_q", "/near-misses"))["leads"] == []
